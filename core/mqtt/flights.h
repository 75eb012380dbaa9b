/* flights - the publishes under way: the library's number of each, and what its owner calls it. */
#ifndef MQTT_FLIGHTS_H
#define MQTT_FLIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mqtt/mqtt.h"

/* All zero: none. */
struct flights {
    size_t count;
    struct flight {
        int mid;
        uint32_t token;
    } rows[MQTT_FLIGHTS];
};

bool flights_are_full(const struct flights *flights);

/* Not when they are full. */
void flights_put(struct flights *flights, int mid, uint32_t token);

/* The token of `mid`, which is under way no more; false when it was not. */
bool flights_take(struct flights *flights, int mid, uint32_t *token);

#endif
