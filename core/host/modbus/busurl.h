/* busurl - where a Modbus device is: modbus-tcp://host[:port][?unit=1] or
 * modbus-rtu:///dev/ttyS1[?baud=9600&parity=N&stop=1&unit=1]. Pure. */
#ifndef HOST_MODBUS_BUSURL_H
#define HOST_MODBUS_BUSURL_H

#include <stdbool.h>
#include <stddef.h>

#include "host/lines/urlpart.h"

enum { BUSURL_PORT_ROOM = 6 };

struct busurl {
    bool tcp;
    char place[URLPART_ROOM]; /* host name or address, or device file */
    char port[BUSURL_PORT_ROOM];
    int baud;
    char parity; /* N, E or O */
    int stop;
    int unit;
};

/* 0, or -EINVAL and what is wrong in `why`. */
int busurl_parse(struct busurl *url, const char *text, char *why, size_t room);

#endif
