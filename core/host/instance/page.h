/* page - a sorted stretch of the store, with changes laid over it.
 *
 * Rows point into the bytes they came from. When the stretch was cut, changes beyond its last key
 * are left out: they belong to the next page. */
#ifndef HOST_INSTANCE_PAGE_H
#define HOST_INSTANCE_PAGE_H

#include <lua.h>
#include <stdbool.h>

#include "wire/frame.h"

struct page;

struct page_row {
    struct field key;
    struct field value;
};

/* Once per Lua state. */
void page_open(lua_State *L);
/* An empty page as a userdata on L's stack, which frees itself. May raise. */
struct page *page_new(lua_State *L);

/* Takes the rows of a VALUES frame for keys from `from` to below `until` (NULL: open). */
void page_fill(struct page *page, const struct fields *values, const char *from,
               const char *until);
/* Lays one change over it: a new value, or NULL for removed. Fits effects_each(). */
void page_change(void *page, const struct field *key, const struct field *value);

int page_count(const struct page *page);
const struct page_row *page_row(const struct page *page, int index);
bool page_has_more(const struct page *page);

#endif
