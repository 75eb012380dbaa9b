/* bind_form - host.http.multipart: the body of an upload, fields and files, and its content type.
 *
 * Each part says its length, because face terminals ask for that. The boundary is 128 random bits, so
 * that no part needs to be searched for it. */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "host/bind/bind.h"
#include "host/bind/bind_http.h"

enum { PARTS_MOST = 32, WORD_MOST = 200, BOUNDARY_ROOM = 40 };

/* A field of the part on top: a text that can stand in a line in quotes, or NULL. */
static const char *word_of(lua_State *L, const char *name)
{
    size_t length = 0;
    if (lua_getfield(L, -1, name) == LUA_TNIL) {
        lua_pop(L, 1);
        return NULL;
    }
    const char *text = lua_tolstring(L, -1, &length);
    if (lua_type(L, -1) != LUA_TSTRING || length == 0 || length > WORD_MOST ||
        strlen(text) != length || strpbrk(text, "\r\n\"") != NULL)
        luaL_error(L, "multipart: %s: expected a text of one line without quotes", name);
    lua_pop(L, 1);
    return text; /* the part keeps it */
}

/* Pushes the head of the part that is on top. */
static void push_head(lua_State *L, const char *boundary, size_t length)
{
    const char *name = word_of(L, "name");
    const char *file = word_of(L, "filename");
    const char *type = word_of(L, "type");
    if (name == NULL)
        luaL_error(L, "multipart: expected a name for each part");
    lua_pushfstring(L, "--%s\r\nContent-Disposition: form-data; name=\"%s\"", boundary,
                    name);
    if (file != NULL)
        lua_pushfstring(L, "; filename=\"%s\"", file);
    else
        lua_pushliteral(L, "");
    if (type != NULL)
        lua_pushfstring(L, "\r\nContent-Type: %s", type);
    else
        lua_pushliteral(L, "");
    lua_pushfstring(L, "\r\nContent-Length: %I\r\n\r\n", (lua_Integer)length);
    lua_concat(L, 4);
}

/* Leaves the bytes of one part, the table on top, in its place. */
static size_t push_part(lua_State *L, const char *boundary)
{
    size_t length, whole;
    luaL_checktype(L, -1, LUA_TTABLE);
    lua_getfield(L, -1, "body");
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "multipart: body: expected a text for each part");
    lua_tolstring(L, -1, &length);
    if (length > TRANSFER_SENT_MAX)
        luaL_error(L, "multipart: expected at most %d bytes", (int)TRANSFER_SENT_MAX);
    lua_insert(L, -2);
    push_head(L, boundary, length);
    lua_remove(L, -2);
    lua_insert(L, -2);
    lua_pushliteral(L, "\r\n");
    lua_concat(L, 3);
    lua_tolstring(L, -1, &whole);
    return whole;
}

static int multipart(lua_State *L)
{
    unsigned long long random[2];
    char boundary[BOUNDARY_ROOM];
    size_t whole = 0;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer count = luaL_len(L, 1);
    luaL_argcheck(L, count >= 1 && count <= PARTS_MOST, 1, "expected 1 to 32 parts");
    luaL_checkstack(L, PARTS_MOST + 16, NULL);
    random_bytes(random, sizeof(random));
    snprintf(boundary, sizeof(boundary), "%016llx%016llx", random[0], random[1]);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, 1, i);
        whole += push_part(L, boundary);
        luaL_argcheck(L, whole <= TRANSFER_SENT_MAX, 1, "expected at most 8 MiB");
    }
    lua_pushfstring(L, "--%s--\r\n", boundary);
    lua_concat(L, (int)count + 1);
    lua_pushfstring(L, "multipart/form-data; boundary=%s", boundary);
    return 2;
}

void bind_form(lua_State *L)
{
    lua_pushcfunction(L, multipart);
    lua_setfield(L, -2, "multipart");
}
