/* Lua values as JSON and back. */
#include "host/bind/value.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/buffer.h"

static int new_state(void **state)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    *state = L;
    return 0;
}

static int close_state(void **state)
{
    lua_close(*state);
    return 0;
}

/* The JSON of a Lua expression, or why there is none. */
static const char *json_of(lua_State *L, const char *expression)
{
    static struct buffer out;
    lua_settop(L, 0);
    lua_pushfstring(L, "return %s", expression);
    assert_int_equal(luaL_dostring(L, lua_tostring(L, -1)), LUA_OK);
    buffer_free(&out);
    const char *why = value_encode(L, -1, &out, 4096);
    const char *text = lua_pushstring(L, why != NULL ? why : buffer_text(&out));
    buffer_free(&out);
    return text;
}

/* The JSON text decoded and encoded again, or why it is none. */
static const char *again(lua_State *L, const char *json)
{
    struct buffer out = {0};
    lua_settop(L, 0);
    const char *why = value_decode(L, json, strlen(json));
    if (why != NULL) {
        assert_int_equal(lua_gettop(L), 0);
        return why;
    }
    assert_int_equal(lua_gettop(L), 1);
    why = value_encode(L, -1, &out, 4096);
    const char *text = lua_pushstring(L, why != NULL ? why : buffer_text(&out));
    buffer_free(&out);
    return text;
}

static void values_keep_their_kind(void **state)
{
    static const char *const SAME[] = {
        "0",
        "-1",
        "9007199254740993",
        "-9223372036854775808",
        "1.5",
        "3.0",
        "1e+100",
        "true",
        "false",
        "\"\"",
        "[]",
        "{}",
        "[1,2,3]",
        "[[[]]]",
        "{\"a\":{\"b\":[]}}",
        "\"\\n\"",
        "[null,1]",
        "0.1",
    };
    for (size_t i = 0; i < countof(SAME); i++)
        assert_string_equal(again(*state, SAME[i]), SAME[i]);
}

static void texts_are_unescaped_and_escaped(void **state)
{
    assert_string_equal(again(*state, "\"\\u0041\\t\\/\\\"\""), "\"A\\u0009/\\\"\"");
    assert_string_equal(again(*state, "\"\\ud83d\\ude00\""), "\"\xf0\x9f\x98\x80\"");
    assert_string_equal(json_of(*state, "'\\xff'"), "\"\xef\xbf\xbd\"");
}

static void null_is_absent_in_an_object(void **state)
{
    assert_string_equal(again(*state, "{\"a\":null}"), "{}");
}

static void what_is_no_json_is_refused(void **state)
{
    static const char *const BAD[] = {
        "",    "{",         "[1,]",        "{\"a\"}",     "{\"a\":}", "{a:1}",
        "01",  "1.",        ".5",          "+1",          "1e",       "nul",
        "\"",  "\"\\u12\"", "\"\\x\"",     "[1 2]",       "{}{}",     "\"\n\"",
        "--1", "1 1",       "\"\\ud800\"", "\"\\udc00\"", "[",        "\"\\",
    };
    for (size_t i = 0; i < countof(BAD); i++)
        assert_string_equal(again(*state, BAD[i]), "no JSON");
}

static void depth_is_bounded_both_ways(void **state)
{
    char deep[2 * VALUE_DEPTH_MAX + 3] = "";
    for (int i = 0; i < VALUE_DEPTH_MAX; i++)
        strcat(deep, "[");
    for (int i = 0; i < VALUE_DEPTH_MAX; i++)
        strcat(deep, "]");
    assert_string_equal(again(*state, deep), deep);
    memmove(deep + 1, deep, strlen(deep) + 1);
    strcat(deep, "]");
    assert_string_equal(again(*state, deep), "no JSON");
    assert_string_equal(
        json_of(*state, "(function() local t = {} t.t = t return t end)()"),
        "tables nested too deep, or in a circle");
}

static void what_json_cannot_say_is_named(void **state)
{
    assert_string_equal(json_of(*state, "1/0"), "a number that is infinite or none");
    assert_string_equal(json_of(*state, "print"), "a function, thread or userdata");
    assert_string_equal(json_of(*state, "{ a = 1, [2] = 2 }"),
                        "a table with names and numbers as keys");
    assert_string_equal(json_of(*state, "{ 1, a = 2 }"),
                        "a table with names and numbers as keys");
    assert_string_equal(json_of(*state, "{ 1, nil, 3, [9] = 7 }"), "a list with holes");
    assert_string_equal(json_of(*state, "('x'):rep(5000)"), "too long");
    assert_string_equal(json_of(*state, "{[('x'):rep(5000)] = 1}"), "too long");
}

static void an_empty_array_cannot_be_given_a_finaliser(void **state)
{
    lua_State *L = *state;
    assert_null(value_decode(L, "[]", 2));
    assert_int_equal(luaL_getmetafield(L, -1, "__metatable"), LUA_TBOOLEAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_keep_their_kind, new_state, close_state),
        cmocka_unit_test_setup_teardown(texts_are_unescaped_and_escaped, new_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(null_is_absent_in_an_object, new_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(what_is_no_json_is_refused, new_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(depth_is_bounded_both_ways, new_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(what_json_cannot_say_is_named, new_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(an_empty_array_cannot_be_given_a_finaliser,
                                        new_state, close_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
