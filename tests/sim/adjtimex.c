/* adjtimex - preloaded beside libfaketime, which does not fake it: the kernel says that the clock is
 * synchronised while the file CLOCK_IS_SYNCED is there, and that it is not otherwise. */
#include <stdlib.h>
#include <sys/timex.h>
#include <unistd.h>

int adjtimex(struct timex *state)
{
    const char *path = getenv("CLOCK_IS_SYNCED");
    int synced = path != NULL && access(path, F_OK) == 0;
    state->status = synced ? STA_PLL : STA_UNSYNC;
    return synced ? TIME_OK : TIME_ERROR;
}
