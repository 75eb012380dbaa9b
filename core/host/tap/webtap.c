/* webtap - see webtap.h. */
#include "host/tap/webtap.h"

#include <stdio.h>
#include <string.h>

#include "host/tap/hush.h"
#include "host/tap/tap.h"

void webtap_name(char name[RING_NAME_ROOM], const char *url)
{
    const char *place = strstr(url, "://");
    place = place != NULL ? place + 3 : url;
    size_t length = strcspn(place, "/?#");
    const char *user = memchr(place, '@', length);
    const char *host = user != NULL ? user + 1 : place;
    length -= (size_t)(host - place);
    snprintf(name, RING_NAME_ROOM, "%.*s%.*s", (int)(place - url), url, (int)length,
             host);
}

static void put(const char *device, enum ring_way way, const struct buffer *copy)
{
    tap_put(device, way, copy->bytes, copy->length);
}

void webtap_head(const char *device, enum ring_way way, const void *bytes, size_t length,
                 const char *password)
{
    struct buffer copy = {0};
    if (!tap_is_on())
        return;
    buffer_append(&copy, bytes, length);
    hush_head(copy.bytes, copy.length);
    hush_word(copy.bytes, copy.length, password);
    put(device, way, &copy);
    buffer_free(&copy);
}

void webtap_body(const char *device, enum ring_way way, const void *bytes, size_t length,
                 const char *password)
{
    struct buffer copy = {0};
    if (!tap_is_on())
        return;
    buffer_append(&copy, bytes, length);
    hush_word(copy.bytes, copy.length, password);
    put(device, way, &copy);
    buffer_free(&copy);
}

void webtap_escape(struct buffer *out, const char *text)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_.~/";
    for (; *text != '\0'; text++)
        if (strchr(PLAIN, *text) != NULL)
            buffer_append(out, text, 1);
        else
            buffer_printf(out, "%%%02X", (unsigned int)(unsigned char)*text);
}
