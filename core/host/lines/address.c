/* address - see address.h. */
#include "host/lines/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "host/lines/urlpart.h"

static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void address_from_bytes(struct address *address, const uint8_t *bytes, size_t length,
                        int port)
{
    *address = (struct address){0};
    if (length == 4) {
        address->is.v4.sin_family = AF_INET;
        address->is.v4.sin_port = htons((uint16_t)port);
        memcpy(&address->is.v4.sin_addr, bytes, 4);
        address->length = sizeof(address->is.v4);
        return;
    }
    address->is.v6.sin6_family = AF_INET6;
    address->is.v6.sin6_port = htons((uint16_t)port);
    memcpy(&address->is.v6.sin6_addr, bytes, 16);
    address->length = sizeof(address->is.v6);
}

int address_parse(struct address *address, const char *text, int port)
{
    uint8_t bytes[16];
    if (inet_pton(AF_INET, text, bytes) == 1)
        address_from_bytes(address, bytes, 4, port);
    else if (inet_pton(AF_INET6, text, bytes) == 1)
        address_from_bytes(address, bytes, 16, port);
    else
        return -EINVAL;
    return 0;
}

static bool is_v4(const struct address *address)
{
    return address->is.any.sa_family == AF_INET;
}

/* All addresses as 16 bytes. */
static void widen(const struct address *address, uint8_t bytes[16])
{
    if (!is_v4(address)) {
        memcpy(bytes, &address->is.v6.sin6_addr, 16);
        return;
    }
    memcpy(bytes, MAPPED, sizeof(MAPPED));
    memcpy(bytes + sizeof(MAPPED), &address->is.v4.sin_addr, 4);
}

void address_print(const struct address *address, char text[ADDRESS_ROOM])
{
    uint8_t bytes[16];
    widen(address, bytes);
    if (memcmp(bytes, MAPPED, sizeof(MAPPED)) == 0)
        inet_ntop(AF_INET, bytes + sizeof(MAPPED), text, ADDRESS_ROOM);
    else
        inet_ntop(AF_INET6, bytes, text, ADDRESS_ROOM);
}

int address_port(const struct address *address)
{
    return ntohs(is_v4(address) ? address->is.v4.sin_port : address->is.v6.sin6_port);
}

bool address_is_wildcard(const struct address *address)
{
    if (is_v4(address))
        return address->is.v4.sin_addr.s_addr == htonl(INADDR_ANY);
    return IN6_IS_ADDR_UNSPECIFIED(&address->is.v6.sin6_addr);
}

int address_range_parse(struct address_range *range, const char *text)
{
    char place[ADDRESS_ROOM];
    struct address address;
    size_t length = strcspn(text, "/");
    if (length >= sizeof(place))
        return -EINVAL;
    memcpy(place, text, length);
    place[length] = '\0';
    if (address_parse(&address, place, 0) != 0)
        return -EINVAL;
    widen(&address, range->bytes);
    int most = is_v4(&address) ? 32 : 128;
    range->bits = 128;
    if (text[length] == '\0')
        return 0;
    if (!urlpart_number(text + length + 1, 0, most, &range->bits))
        return -EINVAL;
    range->bits += 128 - most;
    return 0;
}

static bool is_in(const uint8_t bytes[16], const struct address_range *range)
{
    int whole = range->bits / 8, rest = range->bits % 8;
    if (memcmp(bytes, range->bytes, (size_t)whole) != 0)
        return false;
    return rest == 0 || (bytes[whole] ^ range->bytes[whole]) >> (8 - rest) == 0;
}

bool address_is_in(const struct address *address, const struct address_range *ranges,
                   int count)
{
    uint8_t bytes[16];
    widen(address, bytes);
    for (int i = 0; i < count; i++)
        if (is_in(bytes, &ranges[i]))
            return true;
    return false;
}
