/* page - see page.h.
 *
 * Invariant: rows are sorted by key, byte by byte, and no key is there twice. */
#include "host/instance/page.h"

#include <lauxlib.h>
#include <string.h>

#include "base/buffer.h"
#include "wire/talk.h"

static const char PAGE[] = "outpost.page";

struct page {
    struct buffer rows; /* struct page_row apiece */
    struct field from;
    struct field until; /* bytes NULL: open */
    bool has_more;
};

static int compare(const struct field *a, const struct field *b)
{
    size_t length = a->length < b->length ? a->length : b->length;
    int order = length > 0 ? memcmp(a->bytes, b->bytes, length) : 0;
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static struct field text_field(const char *text)
{
    return (struct field){.bytes = (const uint8_t *)text,
                          .length = text != NULL ? strlen(text) : 0};
}

static int page_gc(lua_State *L)
{
    struct page *page = luaL_checkudata(L, 1, PAGE);
    buffer_free(&page->rows);
    return 0;
}

void page_open(lua_State *L)
{
    luaL_newmetatable(L, PAGE);
    lua_pushcfunction(L, page_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

struct page *page_new(lua_State *L)
{
    struct page *page = lua_newuserdatauv(L, sizeof(*page), 0);
    *page = (struct page){0};
    luaL_setmetatable(L, PAGE);
    return page;
}

int page_count(const struct page *page)
{
    return (int)(page->rows.length / sizeof(struct page_row));
}

const struct page_row *page_row(const struct page *page, int index)
{
    return (const struct page_row *)page->rows.bytes + index;
}

bool page_has_more(const struct page *page)
{
    return page->has_more;
}

static bool is_inside(const struct page *page, const struct field *key)
{
    if (compare(key, &page->from) < 0)
        return false;
    return page->until.bytes == NULL || compare(key, &page->until) < 0;
}

/* The first row whose key is not before `key`. */
static int find(const struct page *page, const struct field *key)
{
    int low = 0, high = page_count(page);
    while (low < high) {
        int middle = (low + high) / 2;
        if (compare(&page_row(page, middle)->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert(struct page *page, int index, const struct page_row *row)
{
    size_t at = (size_t)index * sizeof(*row);
    size_t behind = page->rows.length - at;
    buffer_grow(&page->rows, sizeof(*row));
    memmove(page->rows.bytes + at + sizeof(*row), page->rows.bytes + at, behind);
    memcpy(page->rows.bytes + at, row, sizeof(*row));
}

static void drop(struct page *page, int index)
{
    size_t at = (size_t)index * sizeof(struct page_row);
    page->rows.length -= sizeof(struct page_row);
    memmove(page->rows.bytes + at, page->rows.bytes + at + sizeof(struct page_row),
            page->rows.length - at);
}

void page_change(void *owner, const struct field *key, const struct field *value)
{
    struct page *page = owner;
    if (!is_inside(page, key))
        return;
    int index = find(page, key);
    int count = page_count(page);
    bool there = index < count && compare(&page_row(page, index)->key, key) == 0;
    if (there)
        drop(page, index);
    if (value == NULL || (index == count && page->has_more))
        return;
    struct page_row row = {.key = *key, .value = *value};
    insert(page, index, &row);
}

void page_fill(struct page *page, const struct fields *values, const char *from,
               const char *until)
{
    struct fields left = *values;
    struct field field;
    page->from = text_field(from);
    page->until = text_field(until);
    while (left.next != NULL && fields_next(&left, &field) == 1) {
        struct fields inside = field_inside(&field);
        struct page_row row;
        if (field.tag == TAG_PUT && fields_find(&inside, TAG_KEY, &row.key) == 0 &&
            fields_find(&inside, TAG_VALUE, &row.value) == 0)
            page_change(page, &row.key, &row.value);
    }
    page->has_more = fields_find(values, TAG_MORE, &field) == 0;
}
