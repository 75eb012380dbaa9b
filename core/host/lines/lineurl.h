/* lineurl - where the other end of a line is: tcp://host:port, udp://host:port or
 * serial:///dev/ttyS1[?baud=9600&data=8&parity=N&stop=1&flow=none]. Pure. */
#ifndef HOST_LINES_LINEURL_H
#define HOST_LINES_LINEURL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/lines/urlpart.h"

enum lineurl_kind { LINEURL_TCP, LINEURL_UDP, LINEURL_SERIAL };

struct lineurl {
    enum lineurl_kind kind;
    char place[URLPART_ROOM]; /* host name or address, or device file */
    int port;
    int baud;
    int data;    /* bits */
    char parity; /* N, E or O */
    int stop;
    bool flow; /* RTS and CTS are used */
};

/* 0, or -EINVAL and what is wrong in `why`. A network port is always named; 0 only in what listens. */
int lineurl_parse(struct lineurl *url, enum lineurl_kind kind, const char *text,
                  char *why, size_t room);

#endif
