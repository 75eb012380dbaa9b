/* busurl - see busurl.h. */
#include "host/modbus/busurl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "host/lines/urlpart.h"

static const char TCP[] = "modbus-tcp://", RTU[] = "modbus-rtu://";

static int refuse(char *why, size_t room, const char *what, const char *got)
{
    snprintf(why, room, "expected %s, got \"%.60s\"", what, got);
    return -EINVAL;
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
        if (urlpart_number(value, option->least, option->most,
                           (int *)((char *)url + option->place)))
            return 0;
        return refuse(why, room, option->expects, value);
    }
    return refuse(why, room, url->tcp ? "unit" : "baud, parity, stop or unit", name);
}

struct reading {
    struct busurl *url;
    char *why;
    size_t room;
};

static int read_option(void *owner, const char *name, const char *value)
{
    const struct reading *reading = owner;
    return set_option(reading->url, name, value, reading->why, reading->room);
}

static int read_options(struct busurl *url, const char *text, char *why, size_t room)
{
    char piece[URLPART_ROOM];
    struct reading reading = {url, why, room};
    why[0] = '\0';
    int err = urlpart_options(text, piece, read_option, &reading);
    if (err && why[0] == '\0')
        return refuse(why, room, "options such as unit=1", piece);
    return err;
}

static int read_host(struct busurl *url, const char *text, size_t length, char *why,
                     size_t room)
{
    char place[2 * URLPART_ROOM];
    int port = 502;
    const char *expected = urlpart_host(url->place, &port, text, length);
    snprintf(url->port, sizeof(url->port), "%d", port);
    if (expected == NULL)
        return 0;
    snprintf(place, sizeof(place), "%.*s", (int)length, text);
    return refuse(why, room, expected, place);
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
    } else if (text[0] != '/' ||
               !urlpart_copy(url->place, sizeof(url->place), text, length)) {
        return refuse(why, room, "a device file such as /dev/ttyS1", text);
    }
    return read_options(url, options, why, room);
}
