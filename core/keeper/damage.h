/* damage - a journal that is not what was committed is set aside whole, never deleted. */
#ifndef KEEPER_DAMAGE_H
#define KEEPER_DAMAGE_H

#include <stddef.h>

/* Renames `journal` to journal-damaged-<UTC time>, beside it; its name goes into `aside`. */
int damage_set_aside(char *aside, size_t room, const char *journal);

#endif
