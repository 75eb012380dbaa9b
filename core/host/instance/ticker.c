/* ticker - see ticker.h.
 *
 * Invariant: the timer runs, or the ticker waits for start, its task or its commit. */
#include "host/instance/ticker.h"

#include <lauxlib.h>
#include <stdio.h>

#include "base/base.h"
#include "base/mem.h"
#include "host/instance/plugin.h"

enum { PLACE_ROOM = 80 };

struct ticker {
    struct task task;
    struct commit commit;
    struct loop_timer timer;
    struct complaint complaint;
    struct ticker *next;
    int64_t period_ms;
    int64_t due_ms;
    int function_ref;
    bool once;
    char place[PLACE_ROOM]; /* where the function is, for logs */
};

static void ticker_close(struct ticker *ticker)
{
    struct plugin *plugin = ticker->task.plugin;
    struct ticker **link = &plugin->tickers;
    while (*link != ticker)
        link = &(*link)->next;
    *link = ticker->next;
    plugin->slots--;
    loop_timer_stop(&ticker->timer);
    commit_forget(&ticker->commit);
    luaL_unref(plugin->L, LUA_REGISTRYINDEX, ticker->function_ref);
    task_close(&ticker->task, plugin->L);
    mem_free(ticker);
}

/* The next beat that is not over yet. */
static void wait_for_beat(struct ticker *ticker)
{
    struct plugin *plugin = ticker->task.plugin;
    int64_t now_ms = plugin_now_ms();
    int64_t late = now_ms - ticker->due_ms;
    ticker->due_ms += ticker->period_ms;
    if (late >= ticker->period_ms) {
        int64_t skipped = late / ticker->period_ms;
        ticker->due_ms += skipped * ticker->period_ms;
        metrics_count(&plugin->metrics, "ticks_skipped", (double)skipped);
    }
    loop_timer_start(plugin->loop, &ticker->timer, ticker->due_ms - now_ms);
}

static void rest(struct ticker *ticker)
{
    if (ticker->once)
        ticker_close(ticker);
    else
        wait_for_beat(ticker);
}

static void committed(struct commit *commit, int err, const char *text, int64_t seq)
{
    struct ticker *ticker = container_of(commit, struct ticker, commit);
    (void)seq;
    if (err)
        plugin_refuse(ticker->task.plugin, ticker->place, text);
    else
        rest(ticker);
}

static void handler_over(struct task *task, const char *why)
{
    struct ticker *ticker = container_of(task, struct ticker, task);
    if (why != NULL) {
        effects_clear(&task->effects);
        plugin_complain(task->plugin, &ticker->complaint, ticker->place, why);
    }
    if (effects_is_empty(&task->effects)) {
        rest(ticker);
        return;
    }
    if (commit_send(&task->plugin->commits, &ticker->commit, &task->effects) != 0)
        plugin_refuse(task->plugin, ticker->place, "the keeper does not take it");
}

static int handler_returned(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 0;
}

static int call_handler(lua_State *L)
{
    const struct ticker *ticker = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, ticker->function_ref);
    lua_callk(L, 0, 0, 0, handler_returned);
    return 0;
}

static void beat(struct loop_timer *timer)
{
    struct ticker *ticker = container_of(timer, struct ticker, timer);
    if (!ticker->task.plugin->stopping)
        task_run(&ticker->task, call_handler, ticker);
}

static void ticker_start(struct ticker *ticker)
{
    ticker->due_ms = plugin_now_ms() + ticker->period_ms;
    loop_timer_start(ticker->task.plugin->loop, &ticker->timer, ticker->period_ms);
}

/* Everything that may raise comes before the ticker exists. */
void ticker_new(lua_State *L, struct plugin *plugin, int64_t period_ms, bool once)
{
    lua_Debug where;
    lua_pushvalue(L, -1);
    lua_getinfo(L, ">S", &where);
    int function_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    int thread_ref = task_reserve(L);
    struct ticker *ticker = mem_new(struct ticker);
    task_open(&ticker->task, plugin, plugin->L, thread_ref);
    ticker->task.over = handler_over;
    ticker->commit.done = committed;
    ticker->timer.fire = beat;
    ticker->period_ms = period_ms;
    ticker->function_ref = function_ref;
    ticker->once = once;
    snprintf(ticker->place, sizeof(ticker->place), "%s:%d", where.short_src,
             where.linedefined);
    ticker->next = plugin->tickers;
    plugin->tickers = ticker;
    plugin->slots++;
    if (plugin->started)
        ticker_start(ticker);
}

void ticker_start_all(struct plugin *plugin)
{
    for (struct ticker *ticker = plugin->tickers; ticker; ticker = ticker->next)
        ticker_start(ticker);
}

void ticker_close_all(struct plugin *plugin)
{
    while (plugin->tickers != NULL)
        ticker_close(plugin->tickers);
}
