/* ftpurl - see ftpurl.h. */
#include "host/files/ftpurl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

enum { PORT_LEAST = 1024, PORT_MOST = 65535 };

static const struct {
    const char *scheme;
    int port;
} LOCKS[] = {
    [FTPURL_PLAIN] = {"ftp://", 21},
    [FTPURL_EXPLICIT] = {"ftpes://", 21},
    [FTPURL_IMPLICIT] = {"ftps://", 990},
    [FTPURL_SSH] = {"sftp://", 22},
};

struct reading {
    struct ftpurl *url;
    char *why;
    size_t room;
};

static int refuse(const struct reading *reading, const char *what, const char *got)
{
    snprintf(reading->why, reading->room, "expected %s, got \"%.60s\"", what, got);
    return -EINVAL;
}

/* "50000-50100", or one port. */
static bool read_range(struct ftpurl *url, const char *text)
{
    char from[URLPART_ROOM];
    const char *dash = strchr(text, '-');
    size_t length = dash != NULL ? (size_t)(dash - text) : strlen(text);
    return urlpart_copy(from, sizeof(from), text, length) &&
           urlpart_number(from, PORT_LEAST, PORT_MOST, &url->from) &&
           urlpart_number(dash != NULL ? dash + 1 : from, url->from, PORT_MOST,
                          &url->until);
}

static int set_option(void *owner, const char *name, const char *value)
{
    const struct reading *reading = owner;
    struct ftpurl *url = reading->url;
    bool active = strcmp(name, "active") == 0;
    if (!active && strcmp(name, "passive") != 0)
        return refuse(reading, "passive= or active=", name);
    if (url->from != 0)
        return refuse(reading, "passive= or active=, and once", name);
    url->active = active;
    if (!read_range(url, value))
        return refuse(reading, "ports such as 50000-50100, from 1024 to 65535", value);
    return 0;
}

static int read_options(const struct reading *reading, const char *text)
{
    char piece[URLPART_ROOM];
    if (reading->url->lock == FTPURL_SSH)
        return text == NULL
                   ? 0
                   : refuse(reading, "no options: SFTP has one connection", text);
    int err = urlpart_options(text, piece, set_option, (void *)(uintptr_t)reading);
    if (err && reading->why[0] == '\0')
        return refuse(reading, "options such as passive=50000-50100", piece);
    if (!err && reading->url->from == 0)
        return refuse(reading, "the ports of its data, ?passive=FROM-UNTIL or ?active=",
                      text != NULL ? text : "none");
    return err;
}

static int read_place(const struct reading *reading, const char *text)
{
    struct ftpurl *url = reading->url;
    size_t length = strcspn(text, "/?");
    if (memchr(text, '@', length) != NULL)
        return refuse(reading, "no user in it: there are user and password for that",
                      "HOST@...");
    const char *expected = urlpart_host(url->host, &url->port, text, length);
    if (expected != NULL)
        return refuse(reading, expected, text);
    text += length;
    text += *text == '/';
    if (*text != '\0' && *text != '?')
        return refuse(reading, "no path in it: there is path for that", text);
    return read_options(reading, *text == '?' ? text + 1 : NULL);
}

int ftpurl_parse(struct ftpurl *url, const char *text, char *why, size_t room)
{
    struct reading reading = {url, why, room};
    why[0] = '\0';
    for (size_t i = 0; i < countof(LOCKS); i++) {
        size_t length = strlen(LOCKS[i].scheme);
        if (strncmp(text, LOCKS[i].scheme, length) != 0)
            continue;
        *url = (struct ftpurl){.lock = (enum ftpurl_lock)i, .port = LOCKS[i].port};
        return read_place(&reading, text + length);
    }
    return refuse(&reading, "ftp://HOST, ftpes://HOST, ftps://HOST or sftp://HOST",
                  strchr(text, '@') != NULL ? "something else" : text);
}

void ftpurl_print(const struct ftpurl *url, char *text, size_t room)
{
    bool is_six = strchr(url->host, ':') != NULL;
    char port[16] = "";
    if (url->port != LOCKS[url->lock].port)
        snprintf(port, sizeof(port), ":%d", url->port);
    snprintf(text, room, is_six ? "%s[%s]%s" : "%s%s%s", LOCKS[url->lock].scheme,
             url->host, port);
}

void ftpurl_append(const struct ftpurl *url, char *to, size_t room, const char *path)
{
    static const char KEPT[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";
    bool is_ssh = url->lock == FTPURL_SSH;
    size_t at = strlen(to);
    if (is_ssh && *path != '/')
        at += (size_t)snprintf(to + at, room - at, "~/");
    path += is_ssh && *path == '/';
    for (const char *from = path; *from != '\0' && at + 4 < room; from++) {
        if (strchr(KEPT, *from) != NULL && (is_ssh || from != path || *from != '/'))
            to[at++] = *from;
        else
            at += (size_t)snprintf(to + at, room - at, "%%%02X", (unsigned char)*from);
    }
    to[at] = '\0';
}
