/* damage - see damage.h. */
#include "keeper/damage.h"

#include <errno.h>
#include <stdio.h>

#include "base/now.h"

int damage_set_aside(char *aside, size_t room, const char *journal)
{
    char time[NOW_TEXT_ROOM];
    now_format(time, now_utc_us());
    for (char *c = time; *c != '\0'; c++)
        if (*c == ':' || *c == '.')
            *c = '-';
    int length = snprintf(aside, room, "%s-damaged-%s", journal, time);
    if (length < 0 || (size_t)length >= room)
        return -ENAMETOOLONG;
    return rename(journal, aside) == 0 ? 0 : -errno;
}
