/* named - see named.h. */
#include "host/boundary/named.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "host/files/ftpurl.h"

enum { HOST_ROOM = 64, WHY_ROOM = 200 };

static const char CERTIFICATES[] =
    "/etc/ssl/certs"; /* of the authorities that all trust */

static const struct {
    const char *scheme;
    uint16_t port;
} SCHEMES[] = {{"modbus-tcp", 502}, {"http", 80},  {"https", 443}, {"ftp", 21},
               {"ftpes", 21},       {"ftps", 990}, {"sftp", 22}};

/* The place in a list that is free, or that has it already. */
static int add_path(const char *paths[CONFINE_PATHS_MAX], const char *path)
{
    for (int i = 0; i < CONFINE_PATHS_MAX; i++)
        if (paths[i] == NULL || strcmp(paths[i], path) == 0)
            return paths[i] = path, 0;
    return -E2BIG;
}

static int add_port(uint16_t ports[CONFINE_PORTS_MAX], long port)
{
    if (port <= 0 || port > UINT16_MAX)
        return 0; /* then nothing can be meant */
    for (int i = 0; i < CONFINE_PORTS_MAX; i++)
        if (ports[i] == 0 || ports[i] == port)
            return ports[i] = (uint16_t)port, 0;
    return -E2BIG;
}

static bool is_scheme(const char *url, size_t length, const char *scheme)
{
    return strlen(scheme) == length && strncmp(url, scheme, length) == 0;
}

static long port_of_scheme(const char *url, size_t length)
{
    for (size_t i = 0; i < countof(SCHEMES); i++)
        if (is_scheme(url, length, SCHEMES[i].scheme))
            return SCHEMES[i].port;
    return 0;
}

/* The host of a URL is `place` up to `length`, with its port and a user before it. */
static long port_behind(const char *place, size_t length)
{
    for (size_t i = length; i > 0 && place[i - 1] != ']'; i--)
        if (place[i - 1] == ':')
            return strtol(place + i, NULL, 10);
    return 0;
}

/* No address: four numbers, or what stands in brackets. */
static bool is_name(const char *place, size_t length)
{
    char host[HOST_ROOM];
    struct in_addr address;
    const char *user = memchr(place, '@', length);
    if (user != NULL) {
        length -= (size_t)(user + 1 - place);
        place = user + 1;
    }
    if (length == 0 || place[0] == '[')
        return false;
    const char *port = memchr(place, ':', length);
    if (port != NULL)
        length = (size_t)(port - place);
    if (length >= sizeof(host))
        return true;
    memcpy(host, place, length);
    host[length] = '\0';
    return inet_pton(AF_INET, host, &address) != 1;
}

/* Letters up to "://". */
static size_t scheme_length(const char *text)
{
    static const char LETTERS[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-";
    size_t length = strspn(text, LETTERS);
    return strncmp(text + length, "://", 3) == 0 ? length : 0;
}

/* The data of a file server. What makes no sense opens nothing. */
static int add_range(struct confine_wish *wish, const char *text)
{
    struct ftpurl url;
    char why[WHY_ROOM];
    if (ftpurl_parse(&url, text, why, sizeof(why)) != 0)
        return 0;
    for (int i = 0; i < CONFINE_RANGES_MAX; i++) {
        struct confine_range *range = &wish->ranges[i];
        bool is_same = range->from == url.from && range->until == url.until &&
                       range->listens == url.active;
        if (range->from != 0 && !is_same)
            continue;
        *range =
            (struct confine_range){(uint16_t)url.from, (uint16_t)url.until, url.active};
        return 0;
    }
    return -E2BIG;
}

/* A serial line: what a manifest may have as a default. */
static bool is_line(const char *path)
{
    return (strncmp(path, "/dev/tty", 8) == 0 ||
            strncmp(path, "/dev/serial/", 12) == 0) &&
           strstr(path, "/..") == NULL;
}

/* A manifest may put in any path, by a default or behind the check: but for serial lines those count that
 * the configuration itself says. START of a keeper that says nothing of them: all. */
static bool is_said(const struct json *start, const char *text, const char *path)
{
    const struct json *said = json_get(start, "paths");
    if (said == NULL || is_line(path))
        return true;
    for (const struct json *item = json_first(said); item != NULL; item = json_next(item))
        if (json_value(item) != NULL && strcmp(json_value(item), text) == 0)
            return true;
    return false;
}

static int add_url(struct named *named, char *url, size_t scheme)
{
    struct confine_wish *wish = &named->wish;
    char *place = url + scheme + 3;
    size_t length = strcspn(place, "/?#");
    if (length == 0) {
        bool counts = place[0] == '/' && is_said(named->start, url, place);
        place[strcspn(place, "?#")] = '\0'; /* in the tree */
        return counts ? add_path(wish->paths, place) : 0;
    }
    wish->resolves |= is_name(place, length);
    if (is_scheme(url, scheme, "udp")) {
        wish->udp = true;
        return 0;
    }
    int err = strncmp(url, "ftp", 3) == 0 ? add_range(wish, url) : 0;
    if (err)
        return err;
    long port = port_behind(place, length);
    return add_port(wish->ports, port ? port : port_of_scheme(url, scheme));
}

static int add_text(struct named *named, char *text)
{
    size_t scheme = scheme_length(text);
    if (text[0] == '/')
        return is_said(named->start, text, text) ? add_path(named->wish.paths, text) : 0;
    return scheme > 0 ? add_url(named, text, scheme) : 0;
}

/* Nesting is bounded by json_parse(). */
static int add_all(struct named *named, const struct json *item)
{
    const char *text = json_value(item);
    int err = text ? add_text(named, (char *)(uintptr_t)text) : 0;
    for (item = json_first(item); item != NULL && !err; item = json_next(item))
        err = add_all(named, item);
    return err;
}

static bool needs(const struct json *start, const char *what)
{
    for (const struct json *item = json_first(json_get(start, "needs")); item != NULL;
         item = json_next(item))
        if (json_value(item) != NULL && strcmp(json_value(item), what) == 0)
            return true;
    return false;
}

int named_read(struct named *named, const char *start, size_t length)
{
    *named = (struct named){0};
    if (json_parse(&named->start, start, length) != 0)
        return -EPROTO;
    const char *folder = json_text(named->start, "folder");
    const char *library = json_text(named->start, "lua");
    struct confine_wish *wish = &named->wish;
    int err =
        folder == NULL || library == NULL ? -EPROTO : add_path(wish->folders, folder);
    if (!err)
        err = add_path(wish->folders, library);
    if (!err)
        err = add_all(named, json_get(named->start, "config"));
    wish->trees = needs(named->start, "folder");
    wish->listens = needs(named->start, "tcp") || needs(named->start, "serve");
    wish->pairs = needs(named->start, "http") || needs(named->start, "ftp");
    wish->threads = wish->pairs && wish->resolves;
    if (!err && wish->pairs)
        err = add_path(wish->folders, CERTIFICATES);
    if (err)
        named_free(named);
    return err;
}

void named_free(struct named *named)
{
    json_free(named->start);
    *named = (struct named){0};
}
