/* named - see named.h. */
#include "host/named.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static const char DEVICES[] = "/dev/";

static const struct {
    const char *scheme;
    uint16_t port;
} SCHEMES[] = {{"modbus-tcp", 502}, {"http", 80}, {"https", 443}, {"ftp", 21}};

/* What finds a name's address. */
static const char *const RESOLVING[] = {"/etc/hosts",     "/etc/resolv.conf",
                                        "/etc/host.conf", "/etc/nsswitch.conf",
                                        "/etc/gai.conf",  "/etc/services"};

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

static long port_of_scheme(const char *url, size_t length)
{
    for (size_t i = 0; i < countof(SCHEMES); i++)
        if (strlen(SCHEMES[i].scheme) == length &&
            strncmp(url, SCHEMES[i].scheme, length) == 0)
            return SCHEMES[i].port;
    return 0;
}

/* The number behind the host, which may be an IPv6 address in brackets and follow a user. */
static long port_behind(const char *host)
{
    size_t length = strcspn(host, "/?#");
    for (size_t i = length; i > 0 && host[i - 1] != ']'; i--)
        if (host[i - 1] == ':')
            return strtol(host + i, NULL, 10);
    return 0;
}

/* The device's name ends where the URL's query begins; it is cut off in the tree. */
static int add_device(struct confine_wish *wish, char *path)
{
    path[strcspn(path, "?#")] = '\0';
    return add_path(wish->devices, path);
}

static int add_text(struct confine_wish *wish, char *text)
{
    char *place = strstr(text, "://");
    if (strncmp(text, DEVICES, strlen(DEVICES)) == 0)
        return add_device(wish, text);
    if (place == NULL)
        return 0;
    char *host = place + 3;
    if (host[0] == '/')
        return add_device(wish, host);
    long port = port_behind(host);
    return add_port(wish->ports,
                    port ? port : port_of_scheme(text, (size_t)(place - text)));
}

/* Nesting is bounded by json_parse(). */
static int add_all(struct confine_wish *wish, const struct json *item)
{
    const char *text = json_value(item);
    int err = text ? add_text(wish, (char *)(uintptr_t)text) : 0;
    for (item = json_first(item); item != NULL && !err; item = json_next(item))
        err = add_all(wish, item);
    return err;
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
    for (size_t i = 0; i < countof(RESOLVING) && !err; i++)
        err = add_path(wish->files, RESOLVING[i]);
    if (!err)
        err = add_all(wish, json_get(named->start, "config"));
    if (err)
        named_free(named);
    return err;
}

void named_free(struct named *named)
{
    json_free(named->start);
    *named = (struct named){0};
}
