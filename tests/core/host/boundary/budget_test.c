/* A plugin that runs away or eats memory is stopped, whatever it catches. */
#include "host/boundary/budget.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"

enum { SLICE_MS = 60, BYTES = 4 * 1024 * 1024 };

static struct budget budget;

static lua_State *new_state(void)
{
    budget = (struct budget){.most_bytes = BYTES, .slice_ms = SLICE_MS};
    lua_State *L = budget_new_state(&budget);
    assert_non_null(L);
    luaL_openlibs(L);
    budget_start(&budget);
    return L;
}

static void close_state(lua_State *L)
{
    budget_stop(&budget);
    lua_close(L);
    assert_int_equal(budget.used_bytes, 0);
}

static double cpu_ms(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec * 1000 + (double)at.tv_nsec / 1e6;
}

static int run(lua_State *L, const char *chunk)
{
    assert_int_equal(luaL_loadstring(L, chunk), LUA_OK);
    budget_begin(L);
    int status = lua_pcall(L, 0, 0, 0);
    budget_end();
    return status;
}

static void a_runaway_is_stopped_whatever_it_catches(void **state)
{
    static const char *const RUNAWAYS[] = {
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local function f() pcall(f) while true do pcall(f) end end f()",
        "local t = setmetatable({}, {__index = function() while true do end end}) "
        "while true do pcall(function() return t.x end) end",
        "while true do local a <close> = setmetatable({}, {__close = function() "
        "while true do end end}) end",
        "while true do pcall(error) end",
        "while true do pcall(string.rep, 'x', 100) end",
        "local n = 0 while true do n = n + #tostring(n) end",
        "table.sort({1,2,3,4,5,6,7,8}, function() while true do end end)",
        "string.gsub('aaa', 'a', function() while true do end end)",
    };
    (void)state;
    for (size_t i = 0; i < countof(RUNAWAYS); i++) {
        lua_State *L = new_state();
        double began = cpu_ms();
        assert_int_equal(run(L, RUNAWAYS[i]), LUA_ERRRUN);
        double took = cpu_ms() - began;
        assert_non_null(strstr(lua_tostring(L, -1), "ran for more than 60 ms"));
        assert_true(took < SLICE_MS * 3);
        close_state(L);
    }
}

/* What comes after the refusal is not reached, whatever caught it. */
static void want_of_memory_is_not_swallowed(void **state)
{
    static const char *const GREEDY[] = {
        "t = {} while true do pcall(function() while true do t[#t + 1] = ('x'):rep(1000) "
        ".. #t "
        "end end) end",
        "while true do pcall(string.rep, 'x', 1 << 30) end",
        "pcall(function() local a <close> = setmetatable({}, {__close = function() "
        "went_on = 1 "
        "end}) local t = {} while true do t[#t + 1] = {} end end) went_on = 2",
    };
    (void)state;
    for (size_t i = 0; i < countof(GREEDY); i++) {
        lua_State *L = new_state();
        assert_int_not_equal(run(L, GREEDY[i]), LUA_OK);
        assert_true(budget.was_short);
        assert_int_equal(lua_getglobal(L, "went_on"), LUA_TNIL);
        close_state(L);
    }
}

static void garbage_does_not_count(void **state)
{
    lua_State *L = new_state();
    (void)state;
    assert_int_equal(
        run(L, "for i = 1, 40 do local t = {} for j = 1, 10000 do t[j] = j end end"),
        LUA_OK);
    assert_false(budget.was_short);
    close_state(L);
}

static void the_next_slice_is_free_again(void **state)
{
    lua_State *L = new_state();
    (void)state;
    assert_int_equal(run(L, "while true do end"), LUA_ERRRUN);
    assert_int_equal(run(L, "local n = 0 for i = 1, 1000 do n = n + i end"), LUA_OK);
    assert_null(lua_gethook(L));
    close_state(L);
}

static void memory_is_bounded_and_can_be_used_again(void **state)
{
    lua_State *L = new_state();
    (void)state;
    assert_int_equal(run(L, "local t = {} while true do t[#t + 1] = {} end"), LUA_ERRMEM);
    assert_int_equal(run(L, "return ('x'):rep(1 << 30)"), LUA_ERRMEM);
    assert_true(budget.used_bytes <= BYTES);
    assert_int_equal(
        run(L, "collectgarbage() local t = {} for i = 1, 1000 do t[i] = {} end"), LUA_OK);
    close_state(L);
}

/* Every budget from nothing to enough: each allocation on the way is the first to fail once. */
static void any_allocation_may_fail(void **state)
{
    (void)state;
    size_t most = 0;
    for (bool done = false; !done; most += 512) {
        struct budget small = {.most_bytes = most, .slice_ms = SLICE_MS};
        lua_State *L = budget_new_state(&small);
        if (L == NULL)
            continue;
        lua_pushcfunction(L, luaopen_base);
        done = lua_pcall(L, 0, 0, 0) == LUA_OK &&
               luaL_loadstring(L, "local t = {} for i = 1, 50 do t[i] = 'n' .. i end") ==
                   LUA_OK &&
               lua_pcall(L, 0, 0, 0) == LUA_OK;
        lua_close(L);
        assert_int_equal(small.used_bytes, 0);
        assert_true(most < 1024 * 1024);
    }
}

static double cpu_of_children(void)
{
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

/* Backtracking runs inside C, where no instruction is ever reached. */
static void what_never_comes_to_an_instruction_ends_the_process(void **state)
{
    int status;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        if (close(STDERR_FILENO) != 0)
            _exit(1);
        lua_State *L = new_state();
        run(L, "return (('a'):rep(20000)):find('.-.-.-.-.-b')");
        _exit(0);
    }
    double began = cpu_of_children();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(cpu_of_children() - began < SLICE_MS + BUDGET_HARD_MS + 300);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 70);
}

static int finalise(lua_State *L)
{
    (void)L;
    return 0;
}

/* As a handler that waits in a loop for ever: Lua's own pace lets the garbage grow with each cycle. */
static void what_is_finalised_does_not_pile_up(void **state)
{
    lua_State *L = new_state();
    (void)state;
    luaL_newmetatable(L, "wait");
    lua_pushcfunction(L, finalise);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    for (int i = 0; i < 300000; i++) {
        budget_collect(&budget, L);
        lua_newuserdatauv(L, 24, 0);
        luaL_setmetatable(L, "wait");
        lua_pop(L, 1);
        assert_true(budget.used_bytes < BYTES / 4 * 3);
    }
    close_state(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_runaway_is_stopped_whatever_it_catches),
        cmocka_unit_test(want_of_memory_is_not_swallowed),
        cmocka_unit_test(garbage_does_not_count),
        cmocka_unit_test(the_next_slice_is_free_again),
        cmocka_unit_test(memory_is_bounded_and_can_be_used_again),
        cmocka_unit_test(what_is_finalised_does_not_pile_up),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(what_never_comes_to_an_instruction_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
