/* flights - see flights.h. In no order: most are answered in the order in which they left. */
#include "mqtt/flights.h"

#include "base/base.h"

bool flights_are_full(const struct flights *flights)
{
    return flights->count == MQTT_FLIGHTS;
}

void flights_put(struct flights *flights, int mid, uint32_t token)
{
    ASSERT(!flights_are_full(flights));
    flights->rows[flights->count++] = (struct flight){mid, token};
}

bool flights_take(struct flights *flights, int mid, uint32_t *token)
{
    for (size_t i = 0; i < flights->count; i++) {
        if (flights->rows[i].mid != mid)
            continue;
        *token = flights->rows[i].token;
        flights->rows[i] = flights->rows[--flights->count];
        return true;
    }
    return false;
}
