/* cidr - see cidr.h. */
#include "host/web/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { V4_BYTES = 4, V6_BYTES = 16, MAPPED_AT = 12, BITS = 8 };

/* Whether the first `bits` are the same. */
static bool is_same(const uint8_t *one, const uint8_t *other, int bits)
{
    int whole = bits / BITS, rest = bits % BITS;
    uint8_t mask = (uint8_t)(0xff << (BITS - rest));
    if (memcmp(one, other, (size_t)whole) != 0)
        return false;
    return rest == 0 || (one[whole] & mask) == (other[whole] & mask);
}

static bool is_clean(const struct cidr *cidr)
{
    uint8_t kept[V6_BYTES] = {0};
    int whole = cidr->bits / BITS, rest = cidr->bits % BITS;
    memcpy(kept, cidr->bytes, (size_t)whole);
    if (rest > 0)
        kept[whole] = (uint8_t)(cidr->bytes[whole] & (0xff << (BITS - rest)));
    return memcmp(kept, cidr->bytes, sizeof(kept)) == 0;
}

int cidr_parse(struct cidr *cidr, const char *text)
{
    char address[INET6_ADDRSTRLEN];
    size_t length = strcspn(text, "/");
    if (length == 0 || length >= sizeof(address))
        return -EINVAL;
    memcpy(address, text, length);
    address[length] = '\0';
    *cidr = (struct cidr){.family = strchr(address, ':') ? AF_INET6 : AF_INET};
    int most = BITS * (cidr->family == AF_INET ? V4_BYTES : V6_BYTES);
    cidr->bits = most;
    if (inet_pton(cidr->family, address, cidr->bytes) != 1)
        return -EINVAL;
    if (text[length] == '/') {
        const char *digits = text + length + 1;
        size_t count = strspn(digits, "0123456789");
        if (count == 0 || count > 3 || digits[count] != '\0')
            return -EINVAL;
        cidr->bits = atoi(digits);
    }
    return cidr->bits <= most && is_clean(cidr) ? 0 : -EINVAL;
}

bool cidr_has(const struct cidr *cidr, const struct sockaddr *address)
{
    const uint8_t *bytes;
    int family = address->sa_family;
    if (family == AF_INET) {
        bytes = (const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr;
    } else if (family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
        bytes = six->s6_addr;
        if (IN6_IS_ADDR_V4MAPPED(six)) {
            family = AF_INET;
            bytes += MAPPED_AT;
        }
    } else {
        return false;
    }
    return family == cidr->family && is_same(cidr->bytes, bytes, cidr->bits);
}
