/* serveurl - see serveurl.h. */
#include "host/web/serveurl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int serveurl_parse(struct sockaddr_storage *address, bool *is_locked, const char *url)
{
    char host[INET6_ADDRSTRLEN + 2];
    *is_locked = strncmp(url, "https://", 8) == 0;
    if (!*is_locked && strncmp(url, "http://", 7) != 0)
        return -EINVAL;
    const char *place = url + (*is_locked ? 8 : 7);
    bool is_six = *place == '[';
    place += is_six;
    size_t length = strcspn(place, is_six ? "]" : ":/");
    const char *rest = place + length + (is_six && place[length] == ']');
    long port = *is_locked ? 443 : 80;
    char *end = (char *)(uintptr_t)rest;
    if (*rest == ':')
        port = strtol(rest + 1, &end, 10);
    if (length >= sizeof(host) || (is_six && place[length] != ']') || port < 0 ||
        port > UINT16_MAX || end == rest + 1 || (*end != '\0' && strcmp(end, "/") != 0))
        return -EINVAL;
    memcpy(host, place, length);
    host[length] = '\0';
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    *address = (struct sockaddr_storage){.ss_family = is_six ? AF_INET6 : AF_INET};
    four->sin_port = htons((uint16_t)port); /* both have it in the same place */
    void *bytes = is_six ? (void *)&six->sin6_addr : (void *)&four->sin_addr;
    return inet_pton(address->ss_family, host, bytes) == 1 ? 0 : -EINVAL;
}
