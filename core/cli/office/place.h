/* place - where things are: the other programs, the shared Lua, the office's folders. */
#ifndef CLI_OFFICE_PLACE_H
#define CLI_OFFICE_PLACE_H

#include <stddef.h>

enum { PLACE_MAX = 4096 };

#define PLACE_CONFIG "/etc/outpost/outpost.lua"
#define PLACE_STATE  "/var/lib/outpost"

/* A path relative to this program's own folder ("../libexec/outpost/host"), made absolute, so that
 * a build tree, /usr/local and a package all work. */
int place_beside(char path[PLACE_MAX], const char *relative);

#endif
