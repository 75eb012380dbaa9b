/* unrecorded - devices in a replay: what a plugin asks them was not recorded.
 *
 * Each function of a capability answers nil, "no recording of this device", "unrecorded", and is
 * counted by what it asked. What opens (a bus, a listener, a socket) gives a handle whose functions
 * answer so. Nothing reaches the network or a device. Recordings come in here: who has one of a URL
 * answers from it. */
#ifndef REHEARSE_UNRECORDED_H
#define REHEARSE_UNRECORDED_H

#include "host/bind/capability.h"

enum { UNRECORDED_URLS_MAX = 64, UNRECORDED_URL_ROOM = 200 };

/* How often each device was asked. What finds no room counts as the last one, "others". */
struct unrecorded {
    struct unrecorded_device {
        char url[UNRECORDED_URL_ROOM];
        long asked;
    } devices[UNRECORDED_URLS_MAX];
    int count;
};

/* Binds the capability of that name as above; as capability_find(). */
capability_bind *unrecorded_find(const char *name);

void unrecorded_count(struct unrecorded *unrecorded, const char *url);

#endif
