/* budget - see budget.h.
 *
 * A hook that counts instructions would make every instruction dearer. So there is none until the
 * signal of a processor-time timer finds the slice too old; then it sets the hook, as lua.c does
 * for Ctrl-C.
 *
 * Invariant: `running` is the thread of the slice or NULL; the signal touches Lua only while it is
 * set, and then only through lua_sethook(), which is made for that. */
#include "host/budget.h"

#include <lauxlib.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/base.h"

static struct {
    lua_State *volatile running;
    volatile sig_atomic_t ticks; /* of this slice */
    volatile sig_atomic_t over;  /* the hook is set */
    int slice_ms;
} slice;

/* Everything is raised from here, again at each instruction, until the slice is over. */
static void stop_slice(lua_State *L, lua_Debug *where)
{
    (void)where;
    luaL_error(L, "ran for more than %d ms without waiting", slice.slice_ms);
}

static void end_process(void)
{
    static const char LINE[] =
        "host: a plugin cannot be stopped any more; the process ends\n";
    ssize_t written = write(STDERR_FILENO, LINE, sizeof(LINE) - 1);
    (void)written;
    _exit(70);
}

static void tick(int number)
{
    (void)number;
    lua_State *L = slice.running;
    if (L == NULL)
        return;
    int ms = ++slice.ticks * BUDGET_TICK_MS;
    if (ms > slice.slice_ms * SLICE_HARD)
        end_process();
    if (ms <= slice.slice_ms)
        return;
    slice.over = 1;
    lua_sethook(L, stop_slice, LUA_MASKCOUNT, 1);
}

static void *allocate(void *owner, void *block, size_t old_size, size_t new_size)
{
    struct budget *budget = owner;
    if (block == NULL)
        old_size = 0; /* Lua says the kind of object there */
    if (new_size == 0) {
        budget->used_bytes -= old_size;
        free(block);
        return NULL;
    }
    if (new_size > old_size &&
        new_size - old_size > budget->most_bytes - budget->used_bytes)
        return NULL;
    void *moved = realloc(block, new_size);
    if (moved == NULL)
        return NULL;
    budget->used_bytes += new_size - old_size;
    return moved;
}

/* What raises outside every protected call is a mistake of ours. */
static int panic(lua_State *L)
{
    (void)L;
    base_abort("every call of Lua is protected", __FILE__, __LINE__);
}

lua_State *budget_new_state(struct budget *budget)
{
    lua_State *L = lua_newstate(allocate, budget);
    if (L == NULL)
        return NULL;
    lua_atpanic(L, panic);
    *(void **)lua_getextraspace(L) = NULL; /* no task runs on it; see task.c */
    return L;
}

static void set_clock(int ms)
{
    struct itimerval every = {.it_interval.tv_usec = ms * 1000,
                              .it_value.tv_usec = ms * 1000};
    int err = setitimer(ITIMER_PROF, &every, NULL);
    ASSERT(err == 0);
}

void budget_start(struct budget *budget)
{
    struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
    slice.running = NULL;
    slice.slice_ms = budget->slice_ms;
    int err = sigaction(SIGPROF, &action, NULL);
    ASSERT(err == 0);
    set_clock(BUDGET_TICK_MS);
}

void budget_stop(struct budget *budget)
{
    (void)budget;
    slice.running = NULL;
    set_clock(0);
}

void budget_begin(lua_State *L)
{
    ASSERT(slice.running == NULL);
    slice.ticks = 0;
    slice.over = 0;
    slice.running = L;
}

void budget_end(void)
{
    lua_State *L = slice.running;
    slice.running = NULL;
    if (slice.over)
        lua_sethook(L, NULL, 0, 0);
}
