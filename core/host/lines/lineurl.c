/* lineurl - see lineurl.h. */
#include "host/lines/lineurl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

static const struct {
    const char *scheme;
    const char *expects;
} KINDS[] = {
    [LINEURL_TCP] = {"tcp://", "tcp://HOST:PORT"},
    [LINEURL_UDP] = {"udp://", "udp://HOST:PORT"},
    [LINEURL_SERIAL] = {"serial://", "serial:///dev/DEVICE"},
};

/* What may stand behind the "?" of a serial line. */
static const struct option {
    const char *name;
    size_t place; /* of the int in struct lineurl, or of the parity's letter */
    int least;
    int most;
    const char *letters;
    const char *expects;
} OPTIONS[] = {
    {"baud", offsetof(struct lineurl, baud), 50, 4000000, NULL, "baud from 50"},
    {"data", offsetof(struct lineurl, data), 7, 8, NULL, "data of 7 or 8"},
    {"stop", offsetof(struct lineurl, stop), 1, 2, NULL, "stop of 1 or 2"},
    {"parity", offsetof(struct lineurl, parity), 0, 0, "NEO", "parity of N, E or O"},
};

struct reading {
    struct lineurl *url;
    char *why;
    size_t room;
};

static int refuse(const struct reading *reading, const char *what, const char *got)
{
    snprintf(reading->why, reading->room, "expected %s, got \"%.60s\"", what, got);
    return -EINVAL;
}

static bool set_value(struct lineurl *url, const struct option *option, const char *value)
{
    char *place = (char *)url + option->place;
    if (option->letters == NULL)
        return urlpart_number(value, option->least, option->most, (int *)(void *)place);
    if (strlen(value) != 1 || strchr(option->letters, value[0]) == NULL)
        return false;
    *place = value[0];
    return true;
}

static int set_flow(const struct reading *reading, const char *value)
{
    reading->url->flow = strcmp(value, "rtscts") == 0;
    if (reading->url->flow || strcmp(value, "none") == 0)
        return 0;
    return refuse(reading, "flow of none or rtscts", value);
}

static int set_option(void *owner, const char *name, const char *value)
{
    const struct reading *reading = owner;
    if (strcmp(name, "flow") == 0)
        return set_flow(reading, value);
    for (size_t i = 0; i < countof(OPTIONS); i++) {
        if (strcmp(OPTIONS[i].name, name) != 0)
            continue;
        if (set_value(reading->url, &OPTIONS[i], value))
            return 0;
        return refuse(reading, OPTIONS[i].expects, value);
    }
    return refuse(reading, "baud, data, parity, stop or flow", name);
}

static int read_device(const struct reading *reading, const char *text)
{
    char piece[URLPART_ROOM];
    size_t length = strcspn(text, "?");
    const char *options = text[length] == '?' ? text + length + 1 : NULL;
    if (text[0] != '/' || !urlpart_copy(reading->url->place, URLPART_ROOM, text, length))
        return refuse(reading, "a device file such as /dev/ttyS1", text);
    int err = urlpart_options(options, piece, set_option, (void *)(uintptr_t)reading);
    if (err && reading->why[0] == '\0')
        return refuse(reading, "options such as baud=9600", piece);
    return err;
}

static int read_host(const struct reading *reading, const char *text)
{
    struct lineurl *url = reading->url;
    url->port = -1;
    const char *expected = urlpart_host(url->place, &url->port, text, strlen(text));
    if (expected == NULL && url->port < 0)
        expected = "a port, as in tcp://HOST:PORT";
    return expected ? refuse(reading, expected, text) : 0;
}

int lineurl_parse(struct lineurl *url, enum lineurl_kind kind, const char *text,
                  char *why, size_t room)
{
    struct reading reading = {url, why, room};
    size_t length = strlen(KINDS[kind].scheme);
    *url =
        (struct lineurl){.kind = kind, .baud = 9600, .data = 8, .parity = 'N', .stop = 1};
    why[0] = '\0';
    if (strncmp(text, KINDS[kind].scheme, length) != 0)
        return refuse(&reading, KINDS[kind].expects, text);
    return kind == LINEURL_SERIAL ? read_device(&reading, text + length)
                                  : read_host(&reading, text + length);
}
