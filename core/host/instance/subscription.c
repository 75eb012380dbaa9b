/* subscription - see subscription.h.
 *
 * Events come in batches; while handlers run through one batch the next is fetched. What handlers
 * that ended well have gathered is joined in `gathered`; it goes off as one commit, followed by
 * the mark of the last event done, when the batch is empty, the turn was long, or it is full.
 *
 * Invariant: `gathered` holds exactly the effects of the events up to `done_seq` that are not sent
 * yet, and at most one commit is under way: the keeper never sees a mark beyond a refused one. */
#include "host/instance/subscription.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/word.h"
#include "host/bind/value.h"
#include "host/instance/plugin.h"
#include "wire/talk.h"

enum {
    FETCH_BYTES = 128 * 1024,
    TURN_MS = 20,
    RETRY_MS = 1000,
    RETRY_MOST_MS = 60000,
    LABEL_ROOM = WORD_TYPE_MAX + 16
};

struct subscription {
    struct task task;
    struct effects gathered;
    struct commit commit;
    struct question fetch;
    struct loop_timer again; /* the next turn, or the next try */
    struct complaint complaint;
    struct subscription *next;
    int function_ref;
    struct buffer batch; /* the fields of an EVENTS frame */
    size_t batch_at;     /* up to here they are done */
    struct field event;  /* the event in work */
    int64_t event_seq;
    int64_t done_seq;  /* -1: nothing to mark */
    int64_t fetch_seq; /* -1: from the durable cursor */
    int failures;      /* of the event in work */
    bool holds_event;  /* the event in work is to be tried (again) */
    bool ended_well;   /* its effects are still to be joined */
    bool in_turn;
    char pattern[WORD_TYPE_MAX + 1];
    char label[LABEL_ROOM];
};

static void turn(struct subscription *subscription);

/* ---- Events in */

static bool number_inside(const struct field *entry, enum talk_tag tag, int64_t *number)
{
    struct fields inside = field_inside(entry);
    struct field field;
    return fields_find(&inside, (uint8_t)tag, &field) == 0 &&
           field_number(&field, number) == 0;
}

static void fetched(struct question *question, const struct frame *frame)
{
    struct subscription *subscription =
        container_of(question, struct subscription, fetch);
    struct field field;
    if (frame->type != TALK_EVENTS || fields_find(&frame->fields, TAG_SEQ, &field) != 0 ||
        field_number(&field, &subscription->fetch_seq) != 0) {
        log_error("%s: the keeper's answer to a fetch makes no sense",
                  subscription->label);
        plugin_end(subscription->task.plugin, PLUGIN_AGAIN);
        return;
    }
    bool empty = fields_find(&frame->fields, TAG_ENTRY, &field) != 0;
    if (empty && subscription->fetch_seq > 0)
        subscription->done_seq =
            subscription->fetch_seq - 1; /* looked at, none of ours */
    buffer_append(&subscription->batch, frame->fields.next,
                  (size_t)(frame->fields.end - frame->fields.next));
    turn(subscription);
}

static void fetch(struct subscription *subscription)
{
    struct plugin *plugin = subscription->task.plugin;
    struct buffer frame = {0};
    frame_begin(&frame, TALK_FETCH, 0);
    frame_put_text(&frame, TAG_PATTERN, subscription->pattern);
    if (subscription->fetch_seq < 0)
        frame_put_text(&frame, TAG_NAME, subscription->pattern);
    else
        frame_put_number(&frame, TAG_SEQ, subscription->fetch_seq);
    frame_put_number(&frame, TAG_LIMIT, FETCH_BYTES);
    if (keeperline_ask(plugin->line, &subscription->fetch, &frame) != 0)
        plugin_refuse(plugin, subscription->label, "the keeper takes no fetch");
    buffer_free(&frame);
}

/* Takes the next event of the batch into work; false when there is none. */
static bool take_event(struct subscription *subscription)
{
    struct fields left = fields_of(subscription->batch.bytes, subscription->batch_at,
                                   subscription->batch.length);
    struct field entry;
    while (fields_next(&left, &entry) == 1) {
        struct fields inside = field_inside(&entry);
        subscription->batch_at =
            (size_t)(left.next - (uint8_t *)subscription->batch.bytes);
        if (entry.tag == TAG_ENTRY &&
            number_inside(&entry, TAG_SEQ, &subscription->event_seq) &&
            fields_find(&inside, TAG_BODY, &subscription->event) == 0)
            return true;
    }
    buffer_free(&subscription->batch);
    subscription->batch_at = 0;
    return false;
}

/* ---- Effects out */

static bool has_news(const struct subscription *subscription)
{
    return subscription->done_seq >= 0;
}

static void send_gathered(struct subscription *subscription)
{
    struct plugin *plugin = subscription->task.plugin;
    effects_consumed(&subscription->gathered, subscription->pattern,
                     subscription->done_seq);
    subscription->done_seq = -1;
    if (commit_send(&plugin->commits, &subscription->commit, &subscription->gathered) !=
        0)
        plugin_refuse(plugin, subscription->label, "the keeper does not take it");
}

static void committed(struct commit *commit, int err, const char *text, int64_t seq)
{
    struct subscription *subscription = container_of(commit, struct subscription, commit);
    (void)seq;
    if (err)
        plugin_refuse(subscription->task.plugin, subscription->label, text);
    else
        turn(subscription);
}

/* Before a handler waits, what those before it have done goes off. */
static void handler_waits(struct task *task)
{
    struct subscription *subscription = container_of(task, struct subscription, task);
    if (has_news(subscription) && !commit_is_under_way(&subscription->commit))
        send_gathered(subscription);
}

/* ---- One handler */

static int handler_returned(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 0;
}

static int call_handler(lua_State *L)
{
    const struct subscription *subscription = lua_touserdata(L, 1);
    const struct field *event = &subscription->event;
    lua_rawgeti(L, LUA_REGISTRYINDEX, subscription->function_ref);
    const char *why = value_decode(L, (const char *)event->bytes, event->length);
    if (why != NULL || !lua_istable(L, -1))
        return luaL_error(L, "event %I is no JSON object",
                          (LUAI_UACINT)subscription->event_seq);
    lua_pushinteger(L, subscription->event_seq);
    lua_setfield(L, -2, "seq");
    lua_callk(L, 1, 0, 0, handler_returned);
    return 0;
}

static int64_t retry_ms(int failures)
{
    int64_t ms = RETRY_MS;
    for (int i = 1; i < failures && ms < RETRY_MOST_MS; i++)
        ms *= 2;
    return ms < RETRY_MOST_MS ? ms : RETRY_MOST_MS;
}

static void failed(struct subscription *subscription, const char *why)
{
    struct plugin *plugin = subscription->task.plugin;
    effects_clear(&subscription->task.effects);
    plugin_complain(plugin, &subscription->complaint, subscription->label, why);
    if (++subscription->failures < SUBSCRIPTION_TRIES) {
        loop_timer_start(plugin->loop, &subscription->again,
                         retry_ms(subscription->failures));
        return;
    }
    log_error("%s: %s: event %lld failed %d times and is skipped: %s", plugin->name,
              subscription->label, (long long)subscription->event_seq, SUBSCRIPTION_TRIES,
              why);
    metrics_count(&plugin->metrics, "events_skipped", 1);
    subscription->ended_well = true; /* with nothing gathered */
}

static void handler_over(struct task *task, const char *why)
{
    struct subscription *subscription = container_of(task, struct subscription, task);
    if (why != NULL)
        failed(subscription, why);
    else
        subscription->ended_well = true;
    if (!subscription->in_turn)
        turn(subscription);
}

/* Joins what the handler gathered; false when that has to wait for a commit. */
static bool join(struct subscription *subscription)
{
    if (effects_join(&subscription->gathered, &subscription->task.effects) != 0)
        return false;
    subscription->done_seq = subscription->event_seq;
    subscription->ended_well = false;
    subscription->holds_event = false;
    subscription->failures = 0;
    return true;
}

/* ---- The turn */

/* One step; false when there is nothing to do until something happens. */
static bool step(struct subscription *subscription)
{
    if (subscription->task.running || loop_timer_is_running(&subscription->again))
        return false;
    if (subscription->ended_well)
        return join(subscription);
    if (!subscription->holds_event) {
        if (!take_event(subscription))
            return false;
        subscription->holds_event = true;
    }
    task_run(&subscription->task, call_handler, subscription);
    return true;
}

static void turn(struct subscription *subscription)
{
    struct plugin *plugin = subscription->task.plugin;
    int64_t until_ms = plugin_now_ms() + TURN_MS;
    if (subscription->in_turn || plugin->stopping)
        return;
    subscription->in_turn = true;
    bool more = true;
    while (more && plugin_now_ms() < until_ms)
        more = step(subscription);
    subscription->in_turn = false;
    if (has_news(subscription) && !commit_is_under_way(&subscription->commit))
        send_gathered(subscription);
    if (more && !loop_timer_is_running(&subscription->again))
        loop_timer_start(plugin->loop, &subscription->again, 0);
    if (subscription->batch.length == 0 && subscription->fetch.line == NULL)
        fetch(subscription);
}

static void turn_again(struct loop_timer *timer)
{
    turn(container_of(timer, struct subscription, again));
}

/* ---- Life */

/* The keeper ends who has more. */
static void refuse_one_more(lua_State *L, const struct plugin *plugin,
                            const char *pattern)
{
    const struct subscription *other = plugin->subscriptions;
    int count = 0;
    for (; other != NULL; other = other->next) {
        if (++count == TALK_FETCHES_MAX)
            luaL_error(L, "on: expected at most %d patterns; \"a.*\" is one",
                       TALK_FETCHES_MAX);
        if (strcmp(other->pattern, pattern) == 0)
            luaL_error(L, "on: there is a handler for \"%s\" already", pattern);
    }
}

void subscription_new(lua_State *L, struct plugin *plugin, const char *pattern)
{
    refuse_one_more(L, plugin, pattern);
    int function_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    int thread_ref = task_reserve(L);
    struct subscription *subscription = mem_new(struct subscription);
    task_open(&subscription->task, plugin, plugin->L, thread_ref);
    subscription->task.over = handler_over;
    subscription->task.waits = handler_waits;
    subscription->commit.done = committed;
    subscription->fetch.answered = fetched;
    subscription->again.fire = turn_again;
    subscription->function_ref = function_ref;
    subscription->done_seq = -1;
    subscription->fetch_seq = -1;
    snprintf(subscription->pattern, sizeof(subscription->pattern), "%s", pattern);
    snprintf(subscription->label, sizeof(subscription->label), "on \"%s\"", pattern);
    subscription->next = plugin->subscriptions;
    plugin->subscriptions = subscription;
    plugin->slots++;
    if (plugin->started)
        fetch(subscription);
}

void subscription_start_all(struct plugin *plugin)
{
    struct subscription *subscription = plugin->subscriptions;
    for (; subscription != NULL; subscription = subscription->next)
        fetch(subscription);
}

static void subscription_close(struct subscription *subscription)
{
    struct plugin *plugin = subscription->task.plugin;
    loop_timer_stop(&subscription->again);
    keeperline_forget(&subscription->fetch);
    commit_forget(&subscription->commit);
    luaL_unref(plugin->L, LUA_REGISTRYINDEX, subscription->function_ref);
    task_close(&subscription->task, plugin->L);
    effects_free(&subscription->gathered);
    buffer_free(&subscription->batch);
    mem_free(subscription);
}

void subscription_close_all(struct plugin *plugin)
{
    while (plugin->subscriptions != NULL) {
        struct subscription *subscription = plugin->subscriptions;
        plugin->subscriptions = subscription->next;
        plugin->slots--;
        subscription_close(subscription);
    }
}
