/* address - an address of IPv4 or IPv6 with a port, and which of them are welcome. Pure. */
#ifndef HOST_LINES_ADDRESS_H
#define HOST_LINES_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADDRESS_ROOM = INET6_ADDRSTRLEN };

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } is;
    socklen_t length;
};

/* An address, not a name: 0 or -EINVAL. */
int address_parse(struct address *address, const char *text, int port);
/* Of 4 or 16 bytes in network order. */
void address_from_bytes(struct address *address, const uint8_t *bytes, size_t length,
                        int port);

/* One of IPv4 that came through a socket of IPv6 is written as IPv4. */
void address_print(const struct address *address, char text[ADDRESS_ROOM]);
int address_port(const struct address *address);
/* 0.0.0.0 or :: */
bool address_is_wildcard(const struct address *address);

struct address_range {
    uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    int bits;
};

/* "10.1.2.3", "10.1.0.0/16", "2001:db8::/32": 0 or -EINVAL. */
int address_range_parse(struct address_range *range, const char *text);
bool address_is_in(const struct address *address, const struct address_range *ranges,
                   int count);

#endif
