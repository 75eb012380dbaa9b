/* urlpart - see urlpart.h. */
#include "host/lines/urlpart.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool urlpart_copy(char *to, size_t room, const char *from, size_t length)
{
    if (length == 0 || length >= room)
        return false;
    memcpy(to, from, length);
    to[length] = '\0';
    return true;
}

bool urlpart_number(const char *text, int least, int most, int *number)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < least || value > most)
        return false;
    *number = (int)value;
    return true;
}

const char *urlpart_host(char *host, int *port, const char *text, size_t length)
{
    char place[URLPART_ROOM + 8];
    if (!urlpart_copy(place, sizeof(place), text, length))
        return "a host name or address";
    char *begin = place, *end = place + strcspn(place, ":");
    if (place[0] == '[') {
        begin = place + 1;
        end = strchr(place, ']');
        if (end == NULL)
            return "an address in [ ]";
        *end++ = '\0';
    }
    if ((*end != '\0' && *end != ':') ||
        (*end == ':' && !urlpart_number(end + 1, 1, 65535, port)))
        return "a port from 1 to 65535";
    *end = '\0';
    if (!urlpart_copy(host, URLPART_ROOM, begin, strlen(begin)))
        return "a host name or address";
    return NULL;
}

int urlpart_options(const char *text, char *piece,
                    int (*set)(void *owner, const char *name, const char *value),
                    void *owner)
{
    int err = 0;
    while (!err && text != NULL && *text != '\0') {
        size_t length = strcspn(text, "&");
        if (!urlpart_copy(piece, URLPART_ROOM, text, length)) {
            snprintf(piece, URLPART_ROOM, "%.60s", text);
            return -EINVAL;
        }
        char *value = strchr(piece, '=');
        if (value == NULL)
            return -EINVAL;
        *value = '\0';
        err = set(owner, piece, value + 1);
        text += length + (text[length] == '&');
    }
    return err;
}
