/* value - see value.h.
 *
 * A JSON library between would build a tree first, or turn 64-bit numbers into doubles: here the
 * text becomes Lua tables at once, and tables become text in the frame that will carry it.
 *
 * Invariant while reading: `at` <= `end`, and each value read has pushed exactly one Lua value. */
#include "host/bind/value.h"

#include <lauxlib.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { NUMBER_ROOM = 40, STACK_PER_LEVEL = 6 };

static const char EMPTY_ARRAY[] =
    "outpost.array"; /* registry: the mark of an empty array */

/* ---- Writing */

struct writer {
    lua_State *L;
    struct buffer *out;
    size_t most; /* the length that `out` may reach */
    int depth;
};

static const char *write_value(struct writer *writer, int index);

static const char *write_number(struct writer *writer, int index)
{
    char text[NUMBER_ROOM];
    if (lua_isinteger(writer->L, index)) {
        snprintf(text, sizeof(text), LUA_INTEGER_FMT, lua_tointeger(writer->L, index));
        buffer_append_text(writer->out, text);
        return NULL;
    }
    double number = lua_tonumber(writer->L, index);
    if (!isfinite(number))
        return "a number that is infinite or none";
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    if (strpbrk(text, ".e") == NULL)
        strcat(text, ".0");
    buffer_append_text(writer->out, text);
    return NULL;
}

/* A text grows up to sixfold when it is written: one that cannot fit is not even begun. */
static const char *write_text(struct writer *writer, int index)
{
    size_t length;
    const char *text = lua_tolstring(writer->L, index, &length);
    if (length > writer->most)
        return "too long";
    json_put_bytes(writer->out, text, length);
    return NULL;
}

/* What an array would leave out without a word. */
static const char *beside_array(lua_State *L, int index, lua_Integer count)
{
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        bool is_whole = lua_isinteger(L, -1);
        if (is_whole && lua_tointeger(L, -1) >= 1 && lua_tointeger(L, -1) <= count)
            continue;
        lua_pop(L, 1);
        return is_whole ? "a list with holes" : "a table with names and numbers as keys";
    }
    return NULL;
}

static const char *write_array(struct writer *writer, int index, lua_Integer count)
{
    const char *beside = beside_array(writer->L, index, count);
    if (beside != NULL)
        return beside;
    for (lua_Integer i = 1; i <= count; i++) {
        buffer_append(writer->out, i == 1 ? "[" : ",", 1);
        lua_rawgeti(writer->L, index, i);
        const char *why = write_value(writer, lua_gettop(writer->L));
        if (why != NULL)
            return why;
        lua_pop(writer->L, 1);
    }
    buffer_append(writer->out, "]", 1);
    return NULL;
}

static bool is_empty_array(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, EMPTY_ARRAY);
    bool is = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is;
}

static const char *write_object(struct writer *writer, int index)
{
    lua_State *L = writer->L;
    bool first = true;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            return "a table with names and numbers as keys";
        buffer_append(writer->out, first ? "{" : ",", 1);
        first = false;
        const char *why = write_text(writer, lua_gettop(L) - 1);
        buffer_append(writer->out, ":", 1);
        if (why == NULL)
            why = write_value(writer, lua_gettop(L));
        if (why != NULL)
            return why;
        lua_pop(L, 1);
    }
    if (!first)
        buffer_append(writer->out, "}", 1);
    else
        buffer_append_text(writer->out, is_empty_array(L, index) ? "[]" : "{}");
    return NULL;
}

static const char *write_table(struct writer *writer, int index)
{
    if (writer->depth == VALUE_DEPTH_MAX)
        return "tables nested too deep, or in a circle";
    luaL_checkstack(writer->L, STACK_PER_LEVEL, "JSON");
    writer->depth++;
    lua_Integer count = (lua_Integer)lua_rawlen(writer->L, index);
    const char *why =
        count > 0 ? write_array(writer, index, count) : write_object(writer, index);
    writer->depth--;
    return why;
}

static const char *write_value(struct writer *writer, int index)
{
    if (writer->out->length > writer->most)
        return "too long";
    switch (lua_type(writer->L, index)) {
    case LUA_TTABLE:
        return write_table(writer, index);
    case LUA_TSTRING:
        return write_text(writer, index);
    case LUA_TNUMBER:
        return write_number(writer, index);
    case LUA_TBOOLEAN:
        buffer_append_text(writer->out,
                           lua_toboolean(writer->L, index) ? "true" : "false");
        return NULL;
    case LUA_TNIL:
        buffer_append_text(writer->out, "null");
        return NULL;
    case LUA_TLIGHTUSERDATA:
        buffer_append_text(writer->out, "null");
        return lua_touserdata(writer->L, index) == NULL ? NULL : "a pointer";
    default:
        return "a function, thread or userdata";
    }
}

const char *value_encode(lua_State *L, int index, struct buffer *out, size_t most)
{
    struct writer writer = {.L = L, .out = out, .most = out->length + most};
    int top = lua_gettop(L);
    const char *why = write_value(&writer, lua_absindex(L, index));
    lua_settop(L, top);
    if (why == NULL && out->length > writer.most)
        return "too long";
    return why;
}

/* ---- Reading */

struct reader {
    lua_State *L;
    const char *at;
    const char *end;
    int depth;
};

static bool read_value(struct reader *reader);

static char skip_space(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' ||
                                        *reader->at == '\t' || *reader->at == '\r'))
        reader->at++;
    return reader->at < reader->end ? *reader->at : '\0';
}

static bool take(struct reader *reader, char wanted)
{
    if (skip_space(reader) != wanted)
        return false;
    reader->at++;
    return true;
}

static bool read_word(struct reader *reader, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(reader->end - reader->at) < length ||
        memcmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    return true;
}

static bool read_digits(struct reader *reader)
{
    const char *start = reader->at;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    return reader->at > start;
}

/* Walks over a number as RFC 8259 writes it; says whether it has a fraction or an exponent. */
static bool scan_number(struct reader *reader, bool *is_fraction)
{
    read_word(reader, "-");
    bool zero = reader->at < reader->end && *reader->at == '0';
    const char *start = reader->at;
    if (!read_digits(reader) || (zero && reader->at - start > 1))
        return false;
    *is_fraction = false;
    if (read_word(reader, ".")) {
        *is_fraction = true;
        if (!read_digits(reader))
            return false;
    }
    if (!read_word(reader, "e") && !read_word(reader, "E"))
        return true;
    *is_fraction = true;
    if (!read_word(reader, "+"))
        read_word(reader, "-");
    return read_digits(reader);
}

/* At most 18 digits cannot overflow; longer ones become floats. */
static lua_Integer whole_number(const char *at, const char *end)
{
    bool negative = *at == '-';
    lua_Integer number = 0;
    for (at += negative; at < end; at++)
        number = number * 10 + (*at - '0');
    return negative ? -number : number;
}

static bool read_number(struct reader *reader)
{
    const char *start = reader->at;
    bool is_fraction;
    if (!scan_number(reader, &is_fraction))
        return false;
    size_t length = (size_t)(reader->at - start);
    if (!is_fraction && length <= 18) {
        lua_pushinteger(reader->L, whole_number(start, reader->at));
        return true;
    }
    char text[64];
    if (length >= sizeof(text))
        return false;
    memcpy(text, start, length);
    text[length] = '\0';
    /* Lua's own reading of a numeral: whole when it fits into 64 bits, else a float */
    return lua_stringtonumber(reader->L, text) == length + 1;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_unit(struct reader *reader, uint32_t *unit)
{
    if (reader->end - reader->at < 4)
        return false;
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(*reader->at++);
        if (digit < 0)
            return false;
        *unit = *unit << 4 | (uint32_t)digit;
    }
    return true;
}

static char *put_point(char *to, uint32_t point)
{
    if (point < 0x80) {
        *to++ = (char)point;
        return to;
    }
    int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const unsigned char LEADS[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (char)(LEADS[more] | point >> (6 * more));
    while (more-- > 0)
        *to++ = (char)(0x80 | (point >> (6 * more) & 0x3f));
    return to;
}

/* What follows "\u": one code unit, or two that make a pair. Half a pair is refused. */
static bool read_point(struct reader *reader, uint32_t *point)
{
    uint32_t low;
    if (!read_unit(reader, point))
        return false;
    if (*point < 0xd800 || *point > 0xdfff)
        return true;
    if (*point > 0xdbff || !read_word(reader, "\\u") || !read_unit(reader, &low) ||
        low < 0xdc00 || low > 0xdfff)
        return false;
    *point = 0x10000 + ((*point - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static bool read_escape(struct reader *reader, char **to)
{
    static const char FROM[] = "\"\\/bfnrt", INTO[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end)
        return false;
    char c = *reader->at++;
    uint32_t point;
    const char *plain = c == '\0' ? NULL : strchr(FROM, c);
    if (plain != NULL) {
        *(*to)++ = INTO[plain - FROM];
        return true;
    }
    if (c != 'u' || !read_point(reader, &point))
        return false;
    *to = put_point(*to, point);
    return true;
}

/* A text is never longer than its quoted form, so that much room is enough. */
static bool read_escaped(struct reader *reader, const char *close)
{
    luaL_Buffer room;
    char *start = luaL_buffinitsize(reader->L, &room, (size_t)(close - reader->at));
    char *to = start;
    while (*reader->at != '"') {
        if ((unsigned char)*reader->at < ' ')
            return false;
        if (*reader->at != '\\') {
            *to++ = *reader->at++;
            continue;
        }
        reader->at++;
        if (!read_escape(reader, &to))
            return false;
    }
    reader->at++;
    luaL_pushresultsize(&room, (size_t)(to - start));
    return true;
}

/* `at` is behind the opening quote. */
static bool read_text(struct reader *reader)
{
    const char *at = reader->at;
    bool escaped = false;
    while (at < reader->end && *at != '"') {
        if ((unsigned char)*at < ' ')
            return false;
        if (*at == '\\') {
            escaped = true;
            at++;
        }
        at++;
    }
    if (at >= reader->end)
        return false;
    if (escaped)
        return read_escaped(reader, at);
    lua_pushlstring(reader->L, reader->at, (size_t)(at - reader->at));
    reader->at = at + 1;
    return true;
}

static void mark_empty_array(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, EMPTY_ARRAY) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 1);
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable"); /* so that nobody plants a finaliser */
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, EMPTY_ARRAY);
    }
    lua_setmetatable(L, -2);
}

static bool read_array(struct reader *reader)
{
    lua_createtable(reader->L, 0, 0);
    if (take(reader, ']')) {
        mark_empty_array(reader->L);
        return true;
    }
    lua_Integer count = 0;
    do {
        if (!read_value(reader))
            return false;
        if (lua_isnil(reader->L, -1)) {
            lua_pop(reader->L, 1);
            lua_pushlightuserdata(reader->L, NULL);
        }
        lua_rawseti(reader->L, -2, ++count);
    } while (take(reader, ','));
    return take(reader, ']');
}

static bool read_object(struct reader *reader)
{
    lua_createtable(reader->L, 0, 4);
    if (take(reader, '}'))
        return true;
    do {
        if (!take(reader, '"') || !read_text(reader) || !take(reader, ':') ||
            !read_value(reader))
            return false;
        lua_rawset(reader->L, -3);
    } while (take(reader, ','));
    return take(reader, '}');
}

static bool read_nested(struct reader *reader, bool (*read)(struct reader *))
{
    if (reader->depth == VALUE_DEPTH_MAX)
        return false;
    luaL_checkstack(reader->L, STACK_PER_LEVEL, "JSON");
    reader->depth++;
    reader->at++;
    bool good = read(reader);
    reader->depth--;
    return good;
}

static bool read_constant(struct reader *reader)
{
    if (read_word(reader, "true"))
        lua_pushboolean(reader->L, 1);
    else if (read_word(reader, "false"))
        lua_pushboolean(reader->L, 0);
    else if (read_word(reader, "null"))
        lua_pushnil(reader->L);
    else
        return false;
    return true;
}

static bool read_value(struct reader *reader)
{
    switch (skip_space(reader)) {
    case '{':
        return read_nested(reader, read_object);
    case '[':
        return read_nested(reader, read_array);
    case '"':
        reader->at++;
        return read_text(reader);
    case 't':
    case 'f':
    case 'n':
        return read_constant(reader);
    default:
        return read_number(reader);
    }
}

const char *value_decode(lua_State *L, const char *text, size_t length)
{
    struct reader reader = {.L = L, .at = text, .end = text + length};
    int top = lua_gettop(L);
    luaL_checkstack(L, STACK_PER_LEVEL, "JSON");
    bool good = read_value(&reader);
    if (good) {
        skip_space(&reader);
        good = reader.at == reader.end;
    }
    if (good)
        return NULL;
    lua_settop(L, top);
    return "no JSON";
}
