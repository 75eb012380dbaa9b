/* fate - see fate.h. */
#include "rehearse/fate.h"

#include <stddef.h>
#include <stdio.h>

void fate_decree(struct fate *fate, int steps, bool after, int nth)
{
    fate->steps = steps;
    fate->after = after;
    fate->nth = nth;
}

bool fate_strikes(struct fate *fate, enum fate_step step, bool after)
{
    if (fate->struck)
        return true;
    if (!(fate->steps & (int)step) || fate->after != after || --fate->nth > 0)
        return false;
    fate->steps = 0;
    return fate->struck = true;
}

void fate_refuse(struct fate *fate, int times, const char *text)
{
    fate->refusals = times;
    snprintf(fate->refusal, sizeof(fate->refusal), "%s", text);
}

const char *fate_refusal(struct fate *fate)
{
    if (fate->refusals == 0)
        return NULL;
    fate->refusals--;
    return fate->refusal;
}

const char *fate_step_name(enum fate_step step)
{
    return step == FATE_COMMIT ? "commit" : step == FATE_READ ? "read" : "write";
}
