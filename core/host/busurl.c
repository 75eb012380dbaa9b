/* busurl - see busurl.h. */
#include "host/busurl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static const char TCP[] = "modbus-tcp://", RTU[] = "modbus-rtu://";

static int refuse(char *why, size_t room, const char *what, const char *got)
{
    snprintf(why, room, "expected %s, got \"%.60s\"", what, got);
    return -EINVAL;
}

/* Copies `length` bytes as a text; false when they are none or too many. */
static bool copy(char *to, size_t room, const char *from, size_t length)
{
    if (length == 0 || length >= room)
        return false;
    memcpy(to, from, length);
    to[length] = '\0';
    return true;
}

static bool read_number(const char *text, int least, int most, int *number)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < least || value > most)
        return false;
    *number = (int)value;
    return true;
}

static const struct option {
    const char *name;
    size_t place; /* of the int in struct busurl */
    int least;
    int most;
    bool serial;
    const char *expects;
} OPTIONS[] = {
    {"unit", offsetof(struct busurl, unit), 0, 255, false, "unit from 0 to 255"},
    {"baud", offsetof(struct busurl, baud), 300, 4000000, true, "baud from 300"},
    {"stop", offsetof(struct busurl, stop), 1, 2, true, "stop of 1 or 2"},
};

static int set_option(struct busurl *url, const char *name, const char *value, char *why,
                      size_t room)
{
    if (!url->tcp && strcmp(name, "parity") == 0) {
        if (strlen(value) != 1 || strchr("NEO", value[0]) == NULL)
            return refuse(why, room, "parity of N, E or O", value);
        url->parity = value[0];
        return 0;
    }
    for (size_t i = 0; i < countof(OPTIONS); i++) {
        const struct option *option = &OPTIONS[i];
        if (strcmp(option->name, name) != 0 || (option->serial && url->tcp))
            continue;
        if (read_number(value, option->least, option->most,
                        (int *)((char *)url + option->place)))
            return 0;
        return refuse(why, room, option->expects, value);
    }
    return refuse(why, room, url->tcp ? "unit" : "baud, parity, stop or unit", name);
}

static int read_options(struct busurl *url, const char *text, char *why, size_t room)
{
    int err = 0;
    while (!err && text != NULL && *text != '\0') {
        char option[64];
        size_t length = strcspn(text, "&");
        if (!copy(option, sizeof(option), text, length))
            return refuse(why, room, "options such as unit=1", text);
        char *value = strchr(option, '=');
        if (value == NULL)
            return refuse(why, room, "options such as unit=1", option);
        *value++ = '\0';
        err = set_option(url, option, value, why, room);
        text += length + (text[length] == '&');
    }
    return err;
}

/* host, host:port, [address] or [address]:port */
static int read_host(struct busurl *url, const char *text, size_t length, char *why,
                     size_t room)
{
    char place[BUSURL_PLACE_ROOM + 8];
    int number;
    if (!copy(place, sizeof(place), text, length))
        return refuse(why, room, "a host name or address", text);
    char *host = place, *end = place + strcspn(place, ":");
    if (place[0] == '[') {
        host = place + 1;
        end = strchr(place, ']');
        if (end == NULL)
            return refuse(why, room, "an address in [ ]", place);
        *end++ = '\0';
    }
    const char *port = *end == ':' ? end + 1 : "502";
    if ((*end != '\0' && *end != ':') || !read_number(port, 1, 65535, &number))
        return refuse(why, room, "a port from 1 to 65535", place);
    *end = '\0';
    snprintf(url->port, sizeof(url->port), "%d", number);
    if (!copy(url->place, sizeof(url->place), host, strlen(host)))
        return refuse(why, room, "a host name or address", text);
    return 0;
}

int busurl_parse(struct busurl *url, const char *text, char *why, size_t room)
{
    *url = (struct busurl){.baud = 9600, .parity = 'N', .stop = 1, .unit = 1};
    url->tcp = strncmp(text, TCP, strlen(TCP)) == 0;
    if (!url->tcp && strncmp(text, RTU, strlen(RTU)) != 0)
        return refuse(why, room, "modbus-tcp://HOST or modbus-rtu:///dev/DEVICE", text);
    text += strlen(TCP);
    size_t length = strcspn(text, "?");
    const char *options = text[length] == '?' ? text + length + 1 : NULL;
    if (url->tcp) {
        int err = read_host(url, text, length, why, room);
        if (err)
            return err;
    } else if (text[0] != '/' || !copy(url->place, sizeof(url->place), text, length)) {
        return refuse(why, room, "a device file such as /dev/ttyS1", text);
    }
    return read_options(url, options, why, room);
}
