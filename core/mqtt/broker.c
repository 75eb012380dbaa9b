/* broker - see broker.h. */
#include "mqtt/broker.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static const struct {
    const char *scheme;
    int port;
    bool tls;
} SCHEMES[] = {
    {"mqtt://", 1883, false},
    {"mqtts://", 8883, true},
};

static int read_scheme(struct broker *broker, const char **rest)
{
    for (size_t i = 0; i < countof(SCHEMES); i++) {
        size_t length = strlen(SCHEMES[i].scheme);
        if (strncmp(*rest, SCHEMES[i].scheme, length) != 0)
            continue;
        broker->port = SCHEMES[i].port;
        broker->tls = SCHEMES[i].tls;
        *rest += length;
        return 0;
    }
    return -EINVAL;
}

static int read_port(struct broker *broker, const char *text)
{
    if (!isdigit((unsigned char)*text) || strlen(text) > 5)
        return -EINVAL;
    char *end;
    long port = strtol(text, &end, 10);
    if (*end != '\0' || port < 1 || port > 65535)
        return -EINVAL;
    broker->port = (int)port;
    return 0;
}

static bool is_host(const char *host)
{
    static const char LETTERS[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        ".-_:%";
    return *host != '\0' && host[strspn(host, LETTERS)] == '\0';
}

int broker_read(struct broker *broker, const char *url)
{
    struct broker read = {0};
    int err = read_scheme(&read, &url);
    if (err)
        return err;
    bool bracketed = *url == '[';
    const char *host = url + bracketed;
    size_t length = strcspn(host, bracketed ? "]" : ":");
    if (length > BROKER_HOST_MAX || (bracketed && host[length] != ']'))
        return -EINVAL;
    memcpy(read.host, host, length);
    const char *rest = host + length + bracketed;
    if (*rest == ':')
        err = read_port(&read, rest + 1);
    else if (*rest != '\0' && strcmp(rest, "/") != 0)
        err = -EINVAL;
    if (err || !is_host(read.host))
        return -EINVAL;
    *broker = read;
    return 0;
}

void broker_print(const struct broker *broker, char text[BROKER_TEXT_ROOM])
{
    bool bracketed = strchr(broker->host, ':') != NULL;
    snprintf(text, BROKER_TEXT_ROOM, bracketed ? "[%s]:%d" : "%s:%d", broker->host,
             broker->port);
}

bool broker_is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 ||
           inet_pton(AF_INET6, host, address) == 1;
}
