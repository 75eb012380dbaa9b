/* cidr - whether an address lies in a net: "192.168.1.0/24", "10.0.0.5", "2001:db8::/32". Pure. */
#ifndef HOST_WEB_CIDR_H
#define HOST_WEB_CIDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct cidr {
    int family;
    int bits; /* of the address that count */
    uint8_t bytes[16];
};

/* 0, or -EINVAL: also when bits beyond the prefix are set, because then two things were meant. */
int cidr_parse(struct cidr *cidr, const char *text);

/* An IPv4 address in IPv6's clothes is the IPv4 address. */
bool cidr_has(const struct cidr *cidr, const struct sockaddr *address);

#endif
