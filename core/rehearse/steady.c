/* steady - see steady.h. */
#include "rehearse/steady.h"

#include <sys/personality.h>
#include <unistd.h>

void steady_begin(char **arguments)
{
    int now = personality(0xffffffff); /* asks */
    if (now < 0 || (now & ADDR_NO_RANDOMIZE) ||
        personality((unsigned long)now | ADDR_NO_RANDOMIZE) < 0)
        return;
    int set = personality(0xffffffff);
    if (set >= 0 && (set & ADDR_NO_RANDOMIZE)) /* or it would go on so for ever */
        execv("/proc/self/exe", arguments);
}
