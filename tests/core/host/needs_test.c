/* Each word that a manifest may need brings something, and the one who reads manifests knows it. */
#include "host/needs.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "host/bind/capability.h"
#include "host/module/module.h"

/* Shared objects: not loaded here. */
static bool is_annex(const char *word)
{
    static const char *const ANNEXES[] = {"http", "ftp", "serve"};
    for (size_t i = 0; i < countof(ANNEXES); i++)
        if (strcmp(ANNEXES[i], word) == 0)
            return true;
    return false;
}

static void each_word_brings_something(void **state)
{
    lua_State *L = luaL_newstate();
    (void)state;
    needs_push(L);
    lua_Integer count = luaL_len(L, -1);
    assert_true(count > 0);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, 1, i);
        const char *word = lua_tostring(L, -1);
        if (!is_annex(word) && !module_is_need(word) && capability_find(word) == NULL)
            fail_msg("%s: expected a capability or a module", word);
        lua_pop(L, 1);
    }
    lua_close(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_brings_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
