/* hub - the broker: sessions, subscriptions, retained messages, and every way to lose them.
 *
 * MQTT 5 with QoS 1, as mosquitto does it: a session outlives its connection, what was sent and not
 * acknowledged is sent again on the next one, a queue that is full drops what comes. What it does
 * on purpose against that is in weather.h. */
#ifndef SIM_HUB_H
#define SIM_HUB_H

#include <stdbool.h>

#include "cable.h"

/* What a crash takes along. */
struct hub_loss {
    bool queues;
    bool sessions; /* with their queues and subscriptions */
    bool retained;
    bool silent; /* the connections are not closed: the machine went, not the program */
};

void hub_begin(void);

void hub_crash(const struct hub_loss *loss);
void hub_start(void);
bool hub_accepts(void);

/* How many messages wait for a road's client. */
unsigned hub_waiting(enum road road);

#endif
