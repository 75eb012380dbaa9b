/* damage - what is not what was committed is set aside whole, never deleted.
 *
 * A whole journal becomes journal-damaged-<UTC time>, beside it; a single file of a journal that goes
 * on is kept in its folder damaged/. Nobody removes either but a person. */
#ifndef KEEPER_REPAIR_DAMAGE_H
#define KEEPER_REPAIR_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>

/* Of a journal that was set aside, before the time. */
extern const char damage_prefix[];

/* "<path>-damaged-<UTC time>", a name that is free. 0 or a negative errno. */
int damage_name(char *aside, size_t room, const char *path);

/* Renames the file or folder `path` to it, durably. 0 or a negative errno. */
int damage_move(const char *aside, const char *path);
/* Both. */
int damage_set_aside(char *aside, size_t room, const char *path);

/* Keeps the file `name` of a journal folder as damaged/<name>-<UTC time>: moved there, or (`stays`)
 * linked, so that it can be replaced at once. */
int damage_keep(const char *folder, const char *name, bool stays);

#endif
