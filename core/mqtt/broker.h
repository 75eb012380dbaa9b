/* broker - where an MQTT broker is: mqtt://host[:port] or mqtts://host[:port].
 *
 * The port is 1883, or 8883 with TLS, when none is given. An IPv6 address stands in brackets. */
#ifndef MQTT_BROKER_H
#define MQTT_BROKER_H

#include <stdbool.h>
#include <stddef.h>

enum { BROKER_HOST_MAX = 253, BROKER_TEXT_ROOM = BROKER_HOST_MAX + 8 };

struct broker {
    char host[BROKER_HOST_MAX + 1];
    int port;
    bool tls;
};

/* Reads the URL; -EINVAL when it is not one. */
int broker_read(struct broker *broker, const char *url);

/* Whether the host is an address, IPv4 or IPv6; else it is a name. */
bool broker_is_address(const char *host);

/* "host:port" for people. */
void broker_print(const struct broker *broker, char text[BROKER_TEXT_ROOM]);

#endif
