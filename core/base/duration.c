/* duration - see duration.h. */
#include "base/duration.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/base.h"

static const int64_t LONGEST_MS = 3650LL * 86400000;

static const struct {
    const char *name;
    int64_t ms;
} UNITS[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

int duration_parse(int64_t *ms, const char *text)
{
    int64_t count = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        count = count * 10 + (*at - '0');
        if (count > LONGEST_MS)
            return -EINVAL;
    }
    if (at == text)
        return -EINVAL;
    for (size_t i = 0; i < countof(UNITS); i++) {
        if (strcmp(at, UNITS[i].name) != 0)
            continue;
        if (count > LONGEST_MS / UNITS[i].ms)
            return -EINVAL;
        *ms = count * UNITS[i].ms;
        return 0;
    }
    return -EINVAL;
}
