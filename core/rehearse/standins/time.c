/* time - what Lua makes the seed of its tables and of its random numbers from. Here it is the time of
 * the rehearsal, so that one run is like the next; the other half of that is steady.c. */
#include <time.h>

#include "base/now.h"

time_t time(time_t *out)
{
    time_t seconds = (time_t)(now_utc_us() / 1000000);
    if (out != NULL)
        *out = seconds;
    return seconds;
}
