/* office - see office.h.
 *
 * A process that died may still be on the stack: it runs on to where it would wait, but its devices
 * answer nothing, its line is not read and its log is not heard. Seen from outside it has stopped where
 * fate struck. settle() buries it when the stack is free.
 *
 * Invariant: the plugin and the keeper's line are open exactly while `lives`. */
#include "rehearse/office.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/now.h"
#include "host/bind/annex.h"
#include "host/module/module.h"
#include "rehearse/standins/complaint.h"
#include "rehearse/standins/log.h"
#include "rehearse/standins/loop.h"
#include "rehearse/standins/now_clock.h"
#include "rehearse/standins/random.h"
#include "rehearse/standins/server.h"
#include "wire/line.h"

enum { NEEDS_STACK = 20, METRICS_ROOM = 64 * 1024 };

/* How host.commit() begins what it raises then (bind_emit.c). */
static const char REFUSED[] = "commit: the keeper refused";

static struct office *current;

struct office *office_current(void)
{
    return current;
}

/* ---- What the host says */

static bool is_heard(const struct office *office)
{
    return office->lives && !office->fate.struck;
}

static void take_line(void *owner, const char *level, const char *text)
{
    struct office *office = owner;
    if (!is_heard(office))
        return;
    trace_add(&office->trace, "log %s %s", level, text);
    if (strcmp(level, "error") != 0)
        return;
    mem_free(office->last_error);
    office->last_error = mem_text(text);
}

/* How many errors of handlers the plugin has counted. */
static long count_errors(const struct office *office)
{
    static const char NAME[] = "\"errors\":";
    struct buffer text = {0};
    metrics_print(&office->plugin.metrics, &text, METRICS_ROOM);
    const char *found = strstr(buffer_text(&text), NAME);
    long count = found != NULL ? strtol(found + sizeof(NAME) - 1, NULL, 10) : 0;
    buffer_free(&text);
    return count;
}

/* A complaint is about an error that has been counted just before (plugin_complain), or about somebody
 * else: then the line in the log is enough. */
static void take_raised(void *owner, const char *why)
{
    struct office *office = owner;
    if (!is_heard(office) || count_errors(office) == office->counted_errors)
        return;
    office->counted_errors = count_errors(office);
    trace_add(&office->trace, "raise %s", why);
    office->raised++;
    bool asked_for = strstr(why, REFUSED) != NULL; /* the test has had it refused */
    if (!asked_for && office->error_count < OFFICE_ERRORS_MAX)
        office->errors[office->error_count++] = mem_text(why);
}

/* ---- The process */

/* As the host does it before it is confined (boundary.c). */
static void load_needs(const struct office *office)
{
    struct json *start;
    if (json_parse(&start, office->start.bytes, office->start.length) != 0)
        return; /* START will say so */
    const struct json *needs = json_get(start, "needs");
    const char *why = annex_load_all(needs);
    if (why == NULL && module_load(needs) != 0)
        why = "what it needs cannot be loaded";
    if (why != NULL)
        log_error("%s", why);
    json_free(start);
}

static void begin_process(struct office *office)
{
    int fds[2];
    int err = line_pair(fds);
    ASSERT(err == 0);
    office->lives = true;
    office->gone = false;
    office->counted_errors = 0;
    office->fate.struck = false;
    trace_add(&office->trace, "start");
    load_needs(office);
    err = keeper_greet(&office->keeper, fds[0]);
    ASSERT(err == 0);
    err = plugin_open(&office->plugin, office->loop, fds[1]);
    ASSERT(err == 0);
}

static void bury(struct office *office)
{
    if (!office->lives)
        return;
    plugin_close(&office->plugin);
    keeper_hang_up(&office->keeper);
    blobs_drop(&office->blobs);
    wire_end_all(office);
    post_end_all(office);
    office->lives = false;
}

static void start_again(struct loop_timer *timer)
{
    begin_process(container_of(timer, struct office, again));
}

static void die(struct office *office)
{
    bury(office);
    office->deaths++;
    loop_timer_start(office->loop, &office->again, OFFICE_AGAIN_MS);
}

void office_fail_here(struct office *office, const char *why)
{
    if (office->fault == NULL)
        office->fault = mem_text(why);
    loop_stop(office->loop);
}

void office_missed_here(struct office *office, const char *url)
{
    if (office->is_replay)
        unrecorded_count(&office->unrecorded, url);
}

bool office_strikes_here(struct office *office, enum fate_step step, bool after)
{
    if (office->fate.struck)
        return true;
    if (!fate_strikes(&office->fate, step, after))
        return false;
    trace_add(&office->trace, "die %s %s", after ? "after" : "before",
              fate_step_name(step));
    loop_stop(office->loop);
    return true;
}

/* The loop has been stopped: by fate, by the plugin's end, or because the rehearsal cannot go on. */
static void settle(struct office *office)
{
    if (office->keeper.fault != NULL)
        office_fail_here(office, office->keeper.fault);
    if (office->fault != NULL)
        return;
    if (office->fate.struck) {
        die(office);
        return;
    }
    int code = office->plugin.exit_code;
    if (code == PLUGIN_BROKEN) {
        office_fail_here(office, office->last_error ? office->last_error
                                                    : "the plugin cannot start");
        return;
    }
    trace_add(&office->trace, "end %d", code);
    if (code == PLUGIN_AGAIN) {
        die(office);
    } else {
        bury(office);
        office->gone = true;
    }
}

/* ---- Playing */

static const char *look(struct office *office, enum loop_end how)
{
    if (how == LOOP_STOPPED)
        settle(office);
    else if (how == LOOP_STILL)
        office_fail_here(office, "the plugin goes on and on while no time passes: a wait "
                                 "of no length in a loop without an end");
    if (office->trace.full)
        office_fail_here(office, "more happens than a rehearsal can hold");
    return office->fault;
}

/* Plays until then; stops early for `enough` or when the process has ended as asked. */
static const char *play_until(struct office *office, int64_t until_us, const bool *enough)
{
    enum loop_end how;
    const char *why;
    do {
        how = loop_play(office->loop, until_us, enough);
        why = look(office, how);
    } while (why == NULL && how == LOOP_STOPPED && !office->gone);
    return why;
}

static const char *cannot_play(const struct office *office)
{
    if (office->ended || office != current)
        return "this office is over: a new one has begun, or the test has ended";
    if (office->L != NULL)
        return "an office cannot be played from inside a device's answer";
    return office->fault;
}

static const char *play(struct office *office, lua_State *L, int64_t until_us,
                        const bool *enough)
{
    const char *why = cannot_play(office);
    if (why != NULL)
        return why;
    office->L = L;
    why = play_until(office, until_us, enough);
    office->L = NULL;
    return why;
}

const char *office_begin(struct office *office, lua_State *L)
{
    current = office;
    log_divert(take_line, office);
    complaint_divert(take_raised, office);
    begin_process(office);
    return play(office, L, now_mono_us(), NULL);
}

const char *office_play(struct office *office, lua_State *L, int64_t us, bool until_news,
                        int64_t *left_us)
{
    int64_t until_us = now_mono_us() + us;
    office->keeper.news = false;
    const char *why = play(office, L, until_us, until_news ? &office->keeper.news : NULL);
    *left_us = until_us - now_mono_us();
    return why;
}

const char *office_ask(struct office *office, lua_State *L, const char *type,
                       const char *name, const struct buffer *params,
                       const struct buffer *who)
{
    const char *why = cannot_play(office);
    if (why == NULL && !office->lives)
        why = "nobody can be asked: the process does not run";
    if (why != NULL)
        return why;
    keeper_ask(&office->keeper, type, name, params, who);
    return play(office, L, now_mono_us() + OFFICE_ANSWER_MS * 1000LL,
                &office->keeper.question.is_answered);
}

const char *office_restart(struct office *office, lua_State *L, bool in_order)
{
    const char *why = cannot_play(office);
    if (why == NULL && office->lives && in_order) {
        keeper_stop(&office->keeper);
        why = play(office, L, now_mono_us() + OFFICE_STOP_MS * 1000LL, NULL);
    } else if (why == NULL && office->lives) {
        trace_add(&office->trace, "die now");
        office->deaths++;
    }
    if (why != NULL)
        return why;
    office->L = L;
    bury(office);
    office->L = NULL;
    loop_timer_stop(&office->again);
    begin_process(office);
    return play(office, L, now_mono_us(), NULL);
}

/* ---- Devices */

static bool is_bus(const char *url)
{
    return strncmp(url, "modbus-", 7) == 0;
}

static bool is_line(const char *url)
{
    static const char *const BEGINS[] = {"http://",   "https://", "tcp://",   "udp://",
                                         "serial://", "ftp://",   "ftpes://", "ftps://",
                                         "sftp://",   "/"};
    for (size_t i = 0; i < countof(BEGINS); i++)
        if (strncmp(url, BEGINS[i], strlen(BEGINS[i])) == 0)
            return true;
    return false;
}

int office_add_device(struct office *office, const char *url, int ref, char *why,
                      size_t room)
{
    struct office_device *device = &office->devices[office->device_count];
    if (office->device_count == OFFICE_DEVICES_MAX || strlen(url) >= OFFICE_URL_ROOM)
        return -E2BIG;
    *device = (struct office_device){.ref = ref};
    int err = is_bus(url) ? busurl_parse(&device->bus, url, why, room) : 0;
    if (err)
        return err;
    if (!is_bus(url) && !is_line(url)) {
        snprintf(why, room,
                 "expected modbus-tcp://, modbus-rtu://, http://, ftp://, tcp://, "
                 "udp://, serial:// or an absolute path");
        return -EINVAL;
    }
    strcpy(device->url, url);
    office->device_count++;
    return 0;
}

const struct office_device *office_device_on(const struct office *office,
                                             const struct busurl *bus)
{
    for (int i = 0; i < office->device_count; i++) {
        const struct office_device *device = &office->devices[i];
        if (is_bus(device->url) && device->bus.tcp == bus->tcp &&
            strcmp(device->bus.place, bus->place) == 0 &&
            (!bus->tcp || strcmp(device->bus.port, bus->port) == 0))
            return device;
    }
    return NULL;
}

const struct office_device *office_device_named(const struct office *office,
                                                const char *name)
{
    for (int i = 0; i < office->device_count; i++) {
        const char *url = office->devices[i].url;
        size_t length = strcspn(url, "?");
        if (strncmp(url, name, length) == 0 && name[length] == '\0')
            return &office->devices[i];
    }
    return NULL;
}

const struct office_device *office_device_at(const struct office *office, const char *url)
{
    for (int i = 0; i < office->device_count; i++) {
        const struct office_device *device = &office->devices[i];
        size_t length = strlen(device->url);
        if (strncmp(device->url, url, length) == 0 && strchr("/?", url[length]) != NULL)
            return device;
    }
    return NULL;
}

bool office_ask_here(struct office *office, lua_CFunction converse, void *exchange)
{
    lua_State *L = office->L;
    if (!lua_checkstack(L, NEEDS_STACK)) {
        office_fail_here(office, "the test's Lua has no stack left");
        return false;
    }
    lua_pushcfunction(L, converse);
    lua_pushlightuserdata(L, exchange);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK)
        return true;
    const char *why = lua_tostring(L, -1);
    office_fail_here(office, why != NULL ? why : "a device raised what is no text");
    lua_pop(L, 1);
    return false;
}

/* ---- Life */

static void drain(void *owner)
{
    wire_drain(owner);
    post_drain(owner);
}

void office_open(struct office **out, int64_t utc_us)
{
    struct office *office = mem_new(struct office);
    int err = loop_open(&office->loop);
    ASSERT(err == 0);
    if (current != NULL)
        office_end(current);
    now_clock_begin(utc_us);
    random_begin();
    office->again.fire = start_again;
    office->keeper.loop = office->loop;
    office->keeper.ledger = &office->ledger;
    office->keeper.blobs = office->ledger.blobs = &office->blobs;
    office->blobs.loop = office->loop;
    office->keeper.fate = &office->fate;
    office->keeper.trace = &office->trace;
    office->keeper.start = &office->start;
    office->keeper.before_commit = drain;
    office->keeper.owner = office;
    *out = office;
}

void office_end(struct office *office)
{
    if (office == current) {
        current = NULL;
        log_divert(NULL, NULL);
        complaint_divert(NULL, NULL);
    }
    loop_timer_stop(&office->again);
    bury(office);
    if (!office->ended)
        server_forget_all();
    office->ended = true;
}

void office_close(struct office *office)
{
    if (office == NULL)
        return;
    office_end(office);
    blobs_free(&office->blobs);
    post_free(office);
    loop_close(office->loop);
    ledger_free(&office->ledger);
    trace_free(&office->trace);
    buffer_free(&office->start);
    for (int i = 0; i < office->error_count; i++)
        mem_free(office->errors[i]);
    mem_free(office->keeper.fault);
    buffer_free(&office->keeper.question.answer);
    mem_free(office->last_error);
    mem_free(office->fault);
    mem_free(office);
}
