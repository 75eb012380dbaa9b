/* talk - see talk.h. */
#include "wire/talk.h"

#include <string.h>

static const char *const LANE_NAMES[LANES] = {"alarm", "record", "telemetry"};

const char *talk_lane_name(enum talk_lane lane)
{
    return LANE_NAMES[lane];
}

int talk_lane_of(const char *name)
{
    for (int lane = 0; lane < LANES; lane++)
        if (strcmp(name, LANE_NAMES[lane]) == 0)
            return lane;
    return -1;
}
