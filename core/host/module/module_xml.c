/* module_xml - require "host.xml": a document as Lua tables, for lua/xml.lua. See xml.h. */
#include <lauxlib.h>
#include <string.h>

#include "host/module/charset.h"
#include "host/module/module.h"
#include "host/module/xml.h"

/* A new element on top, which the element below it has as its next one. */
static void push_element(lua_State *L, const struct xml_token *token)
{
    lua_createtable(L, 0, 3);
    lua_pushlstring(L, token->bytes, token->length);
    lua_setfield(L, -2, "name");
    lua_newtable(L);
    lua_setfield(L, -2, "attributes");
}

static void push_tree(lua_State *L, const struct buffer *tokens)
{
    struct xml_token token, name = {0};
    size_t at = 0;
    int outside = lua_gettop(L);
    luaL_checkstack(L, XML_DEPTH_MAX + 4, "XML");
    while (xml_next(tokens, &at, &token)) {
        switch (token.kind) {
        case XML_OPEN:
            push_element(L, &token);
            break;
        case XML_NAME:
            name = token;
            break;
        case XML_VALUE:
            lua_getfield(L, -1, "attributes");
            lua_pushlstring(L, name.bytes, name.length);
            lua_pushlstring(L, token.bytes, token.length);
            lua_rawset(L, -3);
            lua_pop(L, 1);
            break;
        case XML_CLOSE:
            lua_pushlstring(L, token.bytes, token.length);
            lua_setfield(L, -2, "text");
            if (lua_gettop(L) > outside + 1)
                lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
            break;
        }
    }
}

static int decode(lua_State *L)
{
    char why[XML_WHY_ROOM];
    size_t length, replaced;
    const char *bytes = luaL_checklstring(L, 1, &length);
    const char *charset = luaL_optstring(L, 2, NULL);
    struct buffer *text = module_buffer(L), *tokens = module_buffer(L);
    if (xml_decode(text, charset, bytes, length, &replaced, why) != 0 ||
        xml_read(tokens, text->length > 0 ? text->bytes : "", text->length, why) != 0)
        return module_fail(L, "%s", why);
    push_tree(L, tokens);
    lua_pushinteger(L, (lua_Integer)replaced);
    return 2;
}

/* The text in a GB charset: lua/xml.lua writes what GB28181 wants. */
static int encode(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    struct buffer *bytes = module_buffer(L);
    charset_write_gb(bytes, text, length, false);
    lua_pushlstring(L, bytes->bytes, bytes->length);
    return 1;
}

int module_xml(lua_State *L)
{
    static const luaL_Reg FUNCTIONS[] = {
        {"decode", decode}, {"to_gb", encode}, {NULL, NULL}};
    luaL_newlib(L, FUNCTIONS);
    return 1;
}
