/* budget - see budget.h.
 *
 * A hook that counts instructions would make every instruction dearer. So there is none until the
 * signal of a processor-time timer finds the slice too old; then it sets the hook, as lua.c does
 * for Ctrl-C.
 *
 * Invariant: `running` is the thread of the slice or NULL; the signal touches Lua only while it is
 * set, and then only through lua_sethook(), which is made for that. */
#include "host/boundary/budget.h"

#include <lauxlib.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/base.h"

/* Garbage is collected when the memory has doubled, or grown by so much. */
enum { GROWS_LEAST = 512 * 1024, GROWS_FREELY = 2 * 1024 * 1024 };

enum over { WITHIN, OVER_TIME, OVER_BYTES };

static struct {
    lua_State *volatile running;
    volatile sig_atomic_t ticks; /* of this slice */
    volatile sig_atomic_t over;  /* enum over; not WITHIN: the hook is set */
    int slice_ms;
    size_t most_bytes;
} slice;

/* Everything is raised from here, again at each instruction, until the slice is over. */
static void stop_slice(lua_State *L, lua_Debug *where)
{
    lua_getinfo(L, "Sl", where);
    if (slice.over == OVER_BYTES)
        lua_pushfstring(L, "%s:%d: needed more than %d KiB of memory", where->short_src,
                        where->currentline, (int)(slice.most_bytes / 1024));
    else
        lua_pushfstring(L, "%s:%d: ran for more than %d ms without waiting",
                        where->short_src, where->currentline, slice.slice_ms);
    lua_error(L);
}

/* Fine in a signal's handler and in the allocator. */
static void begin_to_stop(lua_State *L, enum over why)
{
    slice.over = (sig_atomic_t)why;
    lua_sethook(L, stop_slice, LUA_MASKCOUNT, 1);
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
    if (ms > slice.slice_ms + BUDGET_HARD_MS)
        end_process();
    if (ms > slice.slice_ms)
        begin_to_stop(L, OVER_TIME);
}

static void run_short(struct budget *budget)
{
    budget->was_short = true;
    if (slice.running != NULL)
        begin_to_stop(slice.running, OVER_BYTES);
}

/* A first refusal may be for the garbage that is still there: Lua collects it and asks for the same
 * again. Refused twice, or asking for something else, it has given up the first. */
static void *give(struct budget *budget, void *block, size_t old_size, size_t new_size)
{
    uintptr_t asked = (uintptr_t)block;
    bool has_room = new_size - old_size <= budget->most_bytes - budget->used_bytes;
    bool is_again = budget->refused_block == asked && budget->refused_size == new_size;
    void *moved = has_room ? realloc(block, new_size) : NULL;
    if (budget->refused_size > 0 && (!is_again || moved == NULL))
        run_short(budget);
    budget->refused_block = asked;
    budget->refused_size = moved == NULL ? new_size : 0;
    if (moved != NULL)
        budget->used_bytes += new_size - old_size;
    return moved;
}

static void *allocate(void *owner, void *block, size_t old_size, size_t new_size)
{
    struct budget *budget = owner;
    if (block == NULL)
        old_size = 0; /* Lua says the kind of object there */
    if (new_size > old_size)
        return give(budget, block, old_size, new_size);
    budget->used_bytes -= old_size - new_size;
    if (new_size > 0)
        return realloc(block, new_size);
    free(block);
    return NULL;
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

/* Once finalises, and once more frees what was finalised. */
void budget_collect_now(struct budget *budget, lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT);
    lua_gc(L, LUA_GCCOLLECT);
    size_t used = budget->used_bytes;
    size_t left = used < budget->most_bytes ? (budget->most_bytes - used) / 2 : 0;
    size_t grows = used > GROWS_FREELY ? used : GROWS_FREELY;
    if (grows > left)
        grows = left;
    budget->collect_at = used + (grows > GROWS_LEAST ? grows : GROWS_LEAST);
}

void budget_collect(struct budget *budget, lua_State *L)
{
    if (budget->used_bytes > budget->collect_at)
        budget_collect_now(budget, L);
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
    slice.most_bytes = budget->most_bytes;
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
    slice.over = WITHIN;
    slice.running = L;
}

bool budget_is_over(void)
{
    return slice.over != WITHIN;
}

void budget_end(void)
{
    lua_State *L = slice.running;
    slice.running = NULL;
    if (slice.over != WITHIN)
        lua_sethook(L, NULL, 0, 0);
}
