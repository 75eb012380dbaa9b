/* tcp - what the kernel is told and asked about a broker's connection. */
#ifndef MQTT_TCP_H
#define MQTT_TCP_H

#include <stdbool.h>

/* Gives up when sent bytes stay unacknowledged for `stall_ms`; keeps little unsent in the kernel.
 * Does nothing without a descriptor (-1). */
void tcp_tune(int fd, int stall_ms);

/* A broker that leaves Nagle's algorithm on, as mosquitto does unless told otherwise, holds its next
 * small packet back until the last one is acknowledged, and we would acknowledge 40 ms later. The
 * kernel forgets the wish, so it is said again after each read. */
void tcp_acknowledge_now(int fd);

/* A socket becomes writable as well when its connection was refused: then it has no peer. */
bool tcp_is_connected(int fd);

#endif
