/* duration - how long something lasts, as plugins and configurations write it.
 *
 * A whole number followed by ms, s, m, h or d: "250ms", "1s", "5m". */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include <stdint.h>

/* 0 or -EINVAL, also for more than 3,650 days. */
int duration_parse(int64_t *ms, const char *text);

#endif
