/* talk - see talk.h. */
#include "wire/talk.h"

#include <string.h>

static const char *const LANE_NAMES[LANES] = {"alarm", "record", "telemetry"};

static const char *const CLASS_NAMES[CLASSES] = {"picture", "capture", "ordinary",
                                                 "important", "case"};

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

const char *talk_class_name(enum talk_class class)
{
    return CLASS_NAMES[class];
}

int talk_class_of(const char *name)
{
    for (int class = 0; class < CLASSES; class ++)
        if (strcmp(name, CLASS_NAMES[class]) == 0)
            return class;
    return -1;
}
