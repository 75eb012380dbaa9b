/* canonical - see canonical.h. */
#include "cli/play/canonical.h"

#include <stdbool.h>
#include <string.h>

enum { PATH_ROOM = 256, VALUE_SHOWN = 120 };

void canonical_print(struct buffer *out, const struct json *json)
{
    if (json == NULL)
        buffer_append_text(out, "null");
    else
        json_print_sorted(out, json);
}

/* ---- The first difference */

static bool is_same(const struct json *a, const struct json *b)
{
    struct buffer is = {0}, was = {0};
    canonical_print(&is, a);
    canonical_print(&was, b);
    bool same = strcmp(buffer_text(&is), buffer_text(&was)) == 0;
    buffer_free(&is);
    buffer_free(&was);
    return same;
}

static void show(struct buffer *out, const struct json *json)
{
    struct buffer text = {0};
    if (json == NULL)
        buffer_append_text(&text, "nothing");
    else
        canonical_print(&text, json);
    buffer_append(out, text.bytes,
                  text.length < VALUE_SHOWN ? text.length : (size_t)VALUE_SHOWN);
    buffer_append_text(out, text.length < VALUE_SHOWN ? "" : "...");
    buffer_free(&text);
}

/* Where two values differ: the path so far, and both values there. */
struct spot {
    struct buffer path;
    const struct json *is, *was;
};

static void find_spot(struct spot *spot);

static void step_to(struct spot *spot, const struct json *is, const struct json *was)
{
    spot->is = is;
    spot->was = was;
    find_spot(spot);
}

static void find_member(struct spot *spot)
{
    const struct json *is = spot->is, *was = spot->was;
    const struct json *item = json_first(is);
    while (item != NULL && is_same(item, json_get(was, json_name(item))))
        item = json_next(item);
    if (item == NULL)
        for (item = json_first(was); item != NULL; item = json_next(item))
            if (json_get(is, json_name(item)) == NULL)
                break;
    if (item == NULL)
        return;
    buffer_append_text(&spot->path, spot->path.length > 0 ? "." : "");
    buffer_append_text(&spot->path, json_name(item));
    step_to(spot, json_get(is, json_name(item)), json_get(was, json_name(item)));
}

static void find_element(struct spot *spot)
{
    const struct json *is = json_first(spot->is), *was = json_first(spot->was);
    int at = 1;
    for (; is != NULL && was != NULL && is_same(is, was); at++) {
        is = json_next(is);
        was = json_next(was);
    }
    buffer_printf(&spot->path, "[%d]", at);
    step_to(spot, is, was);
}

static void find_spot(struct spot *spot)
{
    if (spot->is == NULL || spot->was == NULL || spot->path.length > PATH_ROOM)
        return;
    if (json_is_object(spot->is) && json_is_object(spot->was))
        find_member(spot);
    else if (json_is_array(spot->is) && json_is_array(spot->was))
        find_element(spot);
}

void canonical_compare(struct buffer *out, const char *is, const char *was)
{
    struct json *is_tree = NULL, *was_tree = NULL;
    if (json_parse(&is_tree, is, strlen(is)) == 0 &&
        json_parse(&was_tree, was, strlen(was)) == 0) {
        struct spot spot = {.is = is_tree, .was = was_tree};
        find_spot(&spot);
        buffer_append_text(out, spot.path.length > 0 ? buffer_text(&spot.path) : "value");
        buffer_append_text(out, ": ");
        show(out, spot.is);
        buffer_append_text(out, ", was ");
        show(out, spot.was);
        buffer_free(&spot.path);
    }
    json_free(is_tree);
    json_free(was_tree);
}
