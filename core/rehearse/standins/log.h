/* log - stands in for base/log.c: what the host has to say goes to who rehearses it. */
#ifndef REHEARSE_STANDINS_LOG_H
#define REHEARSE_STANDINS_LOG_H

#include "base/log.h"

/* `take` gets every line: "debug", "info", "warn" or "error", and the text. With OUTPOST_LOG set the
 * lines go to standard error as well, with the time of the rehearsal. NULL: to nobody. */
void log_divert(void (*take)(void *owner, const char *level, const char *text),
                void *owner);

#endif
