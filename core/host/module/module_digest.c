/* module_digest - require "digest": what names bytes (digest.h), and bytes as base64. */
#include <lauxlib.h>

#include "base/hex.h"
#include "host/module/digest.h"
#include "host/module/module.h"
#include "proof/base64.h"

/* As much as an HTTP answer may have, plain and as base64. */
enum { BYTES_MAX = 8 * 1024 * 1024, TEXT_BYTES_MAX = (BYTES_MAX + 2) / 3 * 4 };

static int push_hex(lua_State *L, const unsigned char *digest, size_t length)
{
    char text[2 * DIGEST_BYTES_MAX + 1];
    hex_encode(text, digest, length);
    lua_pushstring(L, text);
    return 1;
}

static int take(lua_State *L, enum digest_kind kind)
{
    unsigned char digest[DIGEST_BYTES_MAX];
    size_t length;
    const char *bytes = luaL_checklstring(L, 1, &length);
    return push_hex(L, digest, digest_take(digest, kind, bytes, length));
}

static int sha256(lua_State *L)
{
    return take(L, DIGEST_SHA256);
}

static int sm3(lua_State *L)
{
    return take(L, DIGEST_SM3);
}

static int md5(lua_State *L)
{
    return take(L, DIGEST_MD5);
}

static int hmac_sha256(lua_State *L)
{
    unsigned char digest[DIGEST_BYTES_MAX];
    size_t key_length, length;
    const char *key = luaL_checklstring(L, 1, &key_length);
    const char *bytes = luaL_checklstring(L, 2, &length);
    return push_hex(L, digest,
                    digest_hmac_sha256(digest, key, key_length, bytes, length));
}

static int encode(lua_State *L)
{
    size_t length;
    const char *bytes = luaL_checklstring(L, 1, &length);
    luaL_argcheck(L, length <= BYTES_MAX, 1, "expected at most 8 MiB");
    struct buffer *text = module_buffer(L);
    base64_encode(text, bytes, length);
    lua_pushlstring(L, text->bytes, text->length);
    return 1;
}

static int decode(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    if (length > TEXT_BYTES_MAX)
        return module_fail(L, "expected base64 of at most 8 MiB, got %zu letters",
                           length);
    struct buffer *bytes = module_buffer(L);
    if (base64_decode(bytes, text, length) != 0)
        return module_fail(L, "expected base64, padded and without white space, got "
                              "something else");
    lua_pushlstring(L, bytes->bytes, bytes->length);
    return 1;
}

int module_digest(lua_State *L)
{
    static const luaL_Reg FUNCTIONS[] = {{"sha256", sha256}, {"sm3", sm3},
                                         {"md5", md5},       {"hmac_sha256", hmac_sha256},
                                         {"base64", encode}, {"unbase64", decode},
                                         {NULL, NULL}};
    luaL_newlib(L, FUNCTIONS);
    return 1;
}
