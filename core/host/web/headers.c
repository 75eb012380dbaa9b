/* headers - see headers.h.
 *
 * Invariant: `text` holds pairs of texts, each ended by NUL; no NUL is inside one. */
#include "host/web/headers.h"

#include <string.h>

static bool is_blank(char letter)
{
    return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
}

/* Without the blanks around it. */
static const char *trim(const char *text, size_t *length)
{
    while (*length > 0 && is_blank(text[0])) {
        text++;
        (*length)--;
    }
    while (*length > 0 && is_blank(text[*length - 1]))
        (*length)--;
    return text;
}

static void put(struct headers *headers, const char *text, size_t length, bool small)
{
    char *to = buffer_grow(&headers->text, length + 1);
    for (size_t i = 0; i < length; i++)
        to[i] =
            small && text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
    to[length] = '\0';
}

void headers_add(struct headers *headers, const char *line, size_t length)
{
    const char *colon = length > 0 ? memchr(line, ':', length) : NULL;
    if (colon == NULL || is_blank(line[0]) || memchr(line, '\0', length) != NULL)
        return;
    size_t named = (size_t)(colon - line), valued = length - named - 1;
    const char *name = trim(line, &named);
    const char *value = trim(colon + 1, &valued);
    if (named == 0)
        return;
    put(headers, name, named, true);
    put(headers, value, valued, false);
}

bool headers_next(const struct headers *headers, size_t *at, const char **name,
                  const char **value)
{
    if (*at >= headers->text.length)
        return false;
    *name = headers->text.bytes + *at;
    *value = *name + strlen(*name) + 1;
    *at += strlen(*name) + strlen(*value) + 2;
    return true;
}

const char *headers_find(const struct headers *headers, const char *name)
{
    const char *found, *value;
    size_t at = 0;
    while (headers_next(headers, &at, &found, &value))
        if (strcmp(found, name) == 0)
            return value;
    return NULL;
}

void headers_clear(struct headers *headers)
{
    buffer_clear(&headers->text);
}

void headers_free(struct headers *headers)
{
    buffer_free(&headers->text);
}
