/* topic - see topic.h. */
#include "uplink/topic.h"

#include <stdio.h>

#include "base/base.h"

static void fill(char topic[TOPIC_ROOM], const char *office, const char *rest,
                 const char *lane)
{
    int length = snprintf(topic, TOPIC_ROOM, "outpost/v1/%s/%s%s", office, rest, lane);
    ASSERT(length > 0 && length < TOPIC_ROOM);
}

void topics_fill(struct topics *topics, const char *office)
{
    fill(topics->status, office, "status", "");
    fill(topics->checkpoint, office, "up/checkpoint", "");
    fill(topics->receipt, office, "down/receipt", "");
    for (int lane = 0; lane < LANES; lane++)
        fill(topics->lane[lane], office, "up/", talk_lane_name((enum talk_lane)lane));
}
