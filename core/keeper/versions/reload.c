/* reload - see reload.h.
 *
 * Invariant: `next` is set in RELOAD_KEEPS only; `count` changes are there in RELOAD_WORKS only; a wish
 * that is whole waits only while another reload is under way. */
#include "keeper/versions/reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"

enum { WAITS_WHY_MAX = 300 };

static void go_on(struct reload *reload);
static void begin(struct reload *reload);

/* ---- What the reader is told */

static void tell(const struct reload_call *call, const char *instance, const char *state,
                 const char *why)
{
    struct buffer text = {0}, frame = {0};
    if (call->reader == NULL)
        return;
    buffer_append_text(&text, "{\"instance\":");
    json_put_text(&text, instance);
    buffer_printf(&text, ",\"state\":\"%s\"", state);
    if (why[0] != '\0') {
        buffer_append_text(&text, ",\"why\":");
        json_put_text(&text, why);
    }
    buffer_append_text(&text, "}");
    frame_begin(&frame, TALK_PROGRESS, call->id);
    frame_put(&frame, TAG_TEXT, text.bytes, text.length);
    peer_send(call->reader, &frame);
    buffer_free(&text);
    buffer_free(&frame);
}

static void say(struct reload *reload, const char *instance, const char *state,
                const char *why)
{
    tell(&reload->call, instance, state, why);
}

static void end_call(struct reload_call *call, int err, const char *why)
{
    if (call->reader != NULL)
        peer_done(call->reader, call->id, err, why, -1);
    if (err)
        log_warn("reload: %s", why);
    *call = (struct reload_call){.reader = NULL};
}

/* It is over, well or not; what waits is next. */
static void rest(struct reload *reload, int err, const char *why)
{
    outcome_take(&reload->outcome, reload->change, reload->count, err ? why : "");
    for (size_t i = 0; i < reload->count; i++)
        change_close(&reload->change[i]);
    reload->count = 0;
    end_call(&reload->call, err, why);
    config_close(reload->next);
    reload->next = NULL;
    reload->phase = RELOAD_RESTS;
    if (reload->wish.is_whole)
        loop_rest_start(reload->changes.loop, &reload->rest);
}

/* ---- The changes */

/* The snapshots that config.good on the disk needs stay until another is there. */
static int keep_accepted(struct reload *reload)
{
    int err = accepted_save(&reload->accepted, reload->current);
    if (!err)
        lineup_prune(&reload->accepted);
    return err;
}

static void finish(struct reload *reload)
{
    char why[120];
    size_t returned = 0, count = reload->count;
    for (size_t i = 0; i < count; i++)
        returned += reload->change[i].state == CHANGE_RETURNED;
    int err = keep_accepted(reload);
    if (err)
        snprintf(why, sizeof(why),
                 "config.good cannot be written (%s): the next start does not know it",
                 strerror(-err));
    else
        snprintf(why, sizeof(why), "%zu of %zu changes were not accepted", returned,
                 count);
    bool is_well = !err && returned == 0;
    rest(reload, is_well ? 0 : -ECANCELED, is_well ? "" : why);
}

static void canary_over(void *owner, int err, const char *why)
{
    struct reload *reload = owner;
    struct change *change = &reload->change[reload->loading];
    if (err)
        change_refuse(change, why);
    else
        change_begin(change);
    go_on(reload);
}

static void load_next(struct reload *reload)
{
    size_t i = 0;
    while (i < reload->count && reload->change[i].state != CHANGE_WAITS)
        i++;
    if (i == reload->count || canary_is_out(&reload->canary))
        return;
    struct change *change = &reload->change[i];
    reload->loading = i;
    change->state = CHANGE_LOADS;
    say(reload, change->instance, change_state_name(change), "");
    if (change->child != NULL && change->child->peer.is_ready)
        peer_tell(&change->child->peer,
                  TALK_PING); /* how it reads is judged by the answer */
    int err = canary_start(&reload->canary, change->to, canary_over, reload);
    if (err)
        change_refuse(change, strerror(-err));
}

/* Loads what waits; ends when all is over. A change that is refused at once wakes this again. */
static void go_on(struct reload *reload)
{
    if (reload->phase != RELOAD_WORKS || reload->is_stopped)
        return;
    load_next(reload);
    for (size_t i = 0; i < reload->count; i++)
        if (!change_is_over(&reload->change[i]))
            return;
    finish(reload);
}

static void rested(struct loop_rest *at)
{
    struct reload *reload = container_of(at, struct reload, rest);
    if (reload->phase == RELOAD_RESTS && reload->wish.is_whole && !reload->is_stopped)
        begin(reload);
    else
        go_on(reload);
}

/* From within a change, which is not done yet with what it does: the rest comes after. */
static void moved(void *owner, struct change *change)
{
    struct reload *reload = owner;
    say(reload, change->instance, change_state_name(change), change->why);
    if (change_is_over(change))
        loop_rest_start(reload->changes.loop, &reload->rest);
}

static void add_change(struct reload *reload, struct child *child, struct version *to)
{
    ASSERT(reload->count < countof(reload->change));
    change_open(&reload->change[reload->count++], &reload->changes, child, to);
}

static void compare(struct reload *reload, const struct lineup *lineup)
{
    struct supervisor *supervisor = reload->changes.supervisor;
    for (size_t i = 0; i < lineup->count; i++) {
        struct version *version = lineup->versions[i];
        const char *instance = version->plugin.instance;
        struct child *child = supervisor_find(supervisor, instance);
        if (child != NULL && version_is(child->version, version)) {
            accepted_put(&reload->accepted, version);
            say(reload, instance, "unchanged", "");
        } else {
            add_change(reload, child, version);
        }
    }
}

static bool is_in(const struct lineup *lineup, const char *instance)
{
    for (size_t i = 0; i < lineup->count; i++)
        if (strcmp(lineup->versions[i]->plugin.instance, instance) == 0)
            return true;
    return false;
}

/* First, so that there is room for those that come. */
static void remove_others(struct reload *reload, const struct lineup *lineup)
{
    struct supervisor *supervisor = reload->changes.supervisor;
    for (size_t i = 0; i < supervisor->count; i++) {
        struct child *child = &supervisor->child[i];
        if (child->version == NULL || is_in(lineup, child->plugin->instance))
            continue;
        add_change(reload, child, NULL);
        change_remove(&reload->change[reload->count - 1]);
    }
}

/* ---- The lines to the city */

static void own_ended(struct child *child)
{
    child->ended = NULL;
    supervisor_renew(child, NULL);
}

static void start_anew(struct reload *reload, enum peer_role role)
{
    struct child *child = supervisor_find_own(reload->changes.supervisor, role);
    if (child == NULL)
        return;
    say(reload, child->peer.name, "started anew", "");
    child->ended = own_ended;
    supervisor_halt(child);
}

static void take_config(struct reload *reload)
{
    bool moves_city = config_moves_city(reload->current, reload->next);
    bool moves_courier = config_moves_courier(reload->current, reload->next);
    struct config *old = reload->taken;
    reload->current = reload->taken = reload->next;
    reload->next = NULL;
    reload->changes.config = reload->current;
    reload->took(reload->owner, reload->current);
    config_close(old);
    if (moves_city)
        start_anew(reload, PEER_UPLINK);
    if (moves_courier)
        start_anew(reload, PEER_COURIER);
}

/* ---- Beginning */

static int take_snapshots(void *owner, struct buffer *names)
{
    struct reload *reload = owner;
    return lineup_snapshot(reload->next, reload->state, names);
}

/* What is new is marked before anything is touched: whatever ends the keeper from here on, its next
 * start does not take it for accepted. */
static int mark_all(struct reload *reload, const struct lineup *lineup)
{
    struct accepted *accepted = &reload->accepted;
    bool has_marked = false;
    int err = 0;
    for (size_t i = 0; i < lineup->count && !err; i++) {
        struct version *version = lineup->versions[i];
        const struct child *child =
            supervisor_find(reload->changes.supervisor, version->plugin.instance);
        if (child != NULL && version_is(child->version, version))
            continue;
        err = accepted_mark(accepted, version, true);
        has_marked = true;
    }
    return !err && has_marked ? accepted_save(accepted, reload->current) : err;
}

static void unmark_all(struct reload *reload, const struct lineup *lineup)
{
    for (size_t i = 0; i < lineup->count; i++) {
        const char *instance = lineup->versions[i]->plugin.instance;
        struct version *kept = accepted_find(&reload->accepted, instance);
        if (kept != NULL)
            accepted_put(&reload->accepted, kept);
        else
            accepted_remove(&reload->accepted, instance);
    }
}

static void work(struct reload *reload, struct lineup *lineup)
{
    int err = mark_all(reload, lineup);
    if (err) {
        unmark_all(reload, lineup);
        rest(reload, err,
             "nothing is changed: what is on trial cannot be marked on the disk");
        return;
    }
    reload->phase = RELOAD_WORKS;
    take_config(reload);
    remove_others(reload, lineup);
    compare(reload, lineup);
    for (size_t i = 0; i < reload->count; i++)
        if (reload->change[i].state == CHANGE_WAITS)
            say(reload, reload->change[i].instance, "waiting", "");
    go_on(reload);
}

static void name_unkept(char *why, size_t room, int err, const struct buffer *folder)
{
    int at = snprintf(why, room, "nothing is changed: the code in %.*s cannot be kept: ",
                      (int)folder->length, folder->length ? folder->bytes : "");
    if (err == -EFBIG)
        snprintf(why + at, room - (size_t)at,
                 "expected at most %d files of Lua, %d KiB, %d folders deep",
                 SNAPSHOT_FILES_MAX, SNAPSHOT_BYTES_MAX / 1024, SNAPSHOT_DEPTH_MAX);
    else
        snprintf(why + at, room - (size_t)at, "%s", strerror(-err));
}

static void snapshots_taken(void *owner, int err, const struct buffer *names)
{
    struct reload *reload = owner;
    struct lineup lineup;
    char why[600];
    if (err) {
        name_unkept(why, sizeof(why), err, names);
        rest(reload, err, why);
        return;
    }
    err = lineup_open(&lineup, reload->next, reload->state, names);
    if (err) {
        rest(reload, err, "nothing is changed: the configuration is not as agreed");
        return;
    }
    work(reload, &lineup);
    lineup_close(&lineup);
}

static void forget_wish(struct reload *reload)
{
    loop_timer_stop(&reload->patience);
    buffer_free(&reload->wish.parts);
    reload->wish = (struct reload_wish){.is_there = false};
}

static void begin(struct reload *reload)
{
    char why[200];
    struct reload_wish *wish = &reload->wish;
    int err = config_open(&reload->next, wish->parts.bytes, wish->parts.length);
    reload->call = wish->call;
    reload->changes.may_be_silent = wish->call.may_be_silent;
    forget_wish(reload);
    if (err) {
        rest(reload, -EINVAL, "nothing is changed: the configuration is not as agreed");
        return;
    }
    const char *part = config_needs_restart(reload->current, reload->next);
    if (part != NULL) {
        snprintf(
            why, sizeof(why),
            "nothing is changed: another \"%s\" takes hold only when `outpost run` is "
            "started anew",
            part);
        rest(reload, -ENOTSUP, why);
        return;
    }
    reload->phase = RELOAD_KEEPS;
    err = errand_start(&reload->errand, reload->changes.loop, take_snapshots,
                       snapshots_taken, reload);
    if (err)
        rest(reload, err, "nothing is changed: no process for the snapshots");
}

/* ---- Hearing what is wished */

static void refuse_wish(struct reload *reload, int err, const char *why)
{
    end_call(&reload->wish.call, err, why);
    forget_wish(reload);
}

static void lost_patience(struct loop_timer *timer)
{
    refuse_wish(container_of(timer, struct reload, patience), -ETIMEDOUT,
                "nothing is changed: the rest of the configuration has not come");
}

/* Undoes what is not decided of the one under way. */
static void withdraw(struct reload *reload)
{
    if (reload->phase == RELOAD_KEEPS) {
        errand_stop(&reload->errand);
        rest(reload, -ECANCELED, "nothing is changed: another reload came instead");
        return;
    }
    canary_close(&reload->canary);
    for (size_t i = 0; i < reload->count; i++)
        change_withdraw(&reload->change[i]);
    loop_rest_start(reload->changes.loop, &reload->rest);
}

static void wait_turn(struct reload *reload, bool instead)
{
    struct buffer why = {0};
    buffer_append_text(&why, instead ? "another reload is ended for it"
                                     : "another reload is under way");
    for (size_t i = 0; i < reload->count && why.length < WAITS_WHY_MAX; i++)
        if (!change_is_over(&reload->change[i]))
            buffer_printf(&why, "; %s: %s", reload->change[i].instance,
                          change_state_name(&reload->change[i]));
    tell(&reload->wish.call, "*", "queued", buffer_text(&why));
    buffer_free(&why);
    if (instead)
        withdraw(reload);
}

static int take_part(struct reload *reload, const struct frame *frame)
{
    struct reload_wish *wish = &reload->wish;
    struct field text, flag;
    if (fields_find(&frame->fields, TAG_TEXT, &text) != 0)
        return -EPROTO;
    if (wish->parts.length + text.length > CONFIG_MAX) {
        refuse_wish(reload, -EFBIG, "nothing is changed: the configuration is too long");
        return 0;
    }
    buffer_append(&wish->parts, text.bytes, text.length);
    if (fields_find(&frame->fields, TAG_MORE, &flag) == 0)
        return 0;
    loop_timer_stop(&reload->patience);
    wish->is_whole = true;
    wish->call.may_be_silent = fields_find(&frame->fields, TAG_SILENT, &flag) == 0;
    if (reload->phase == RELOAD_RESTS)
        begin(reload);
    else
        wait_turn(reload, fields_find(&frame->fields, TAG_INSTEAD, &flag) == 0);
    return 0;
}

/* 0, or -EBUSY: who speaks is not interrupted, and not waited for without an end. */
static int begin_wish(struct reload *reload, struct peer *peer, uint32_t id)
{
    struct reload_wish *wish = &reload->wish;
    if (wish->is_there && !wish->is_whole) {
        peer_done(peer, id, -EBUSY,
                  "nothing is changed: another reload is just being asked for", -1);
        return -EBUSY;
    }
    if (wish->is_there)
        refuse_wish(reload, -EBUSY,
                    "nothing is changed: another reload came after this one");
    wish->is_there = true;
    wish->call = (struct reload_call){.reader = peer, .id = id};
    loop_timer_start(reload->changes.loop, &reload->patience, RELOAD_HEAR_MS);
    return 0;
}

int reload_hear(struct reload *reload, struct peer *peer, const struct frame *frame)
{
    const struct reload_wish *wish = &reload->wish;
    struct field offset;
    int64_t from;
    if (fields_find(&frame->fields, TAG_OFFSET, &offset) != 0 ||
        field_number(&offset, &from) != 0)
        return -EPROTO;
    if (reload->is_stopped) {
        peer_done(peer, frame->id, -EBUSY, "nothing is changed: the box stops", -1);
        return 0;
    }
    if (from == 0 && begin_wish(reload, peer, frame->id) != 0)
        return 0;
    if (!wish->is_there || wish->is_whole || wish->call.reader != peer)
        return 0; /* the rest of one that was refused */
    return from == (int64_t)wish->parts.length ? take_part(reload, frame) : -EPROTO;
}

void reload_forget(struct reload *reload, const struct peer *peer)
{
    if (reload->call.reader == peer)
        reload->call.reader = NULL;
    if (reload->wish.call.reader != peer)
        return;
    reload->wish.call.reader = NULL;
    if (!reload->wish.is_whole)
        forget_wish(reload);
}

void reload_print(const struct reload *reload, struct buffer *out)
{
    buffer_printf(out, "{\"under_way\":%s,\"queued\":%s,\"changes\":[",
                  reload->phase != RELOAD_RESTS ? "true" : "false",
                  reload->wish.is_whole ? "true" : "false");
    outcome_print_changes(reload->change, reload->count, out);
    buffer_append_text(out, "],\"last\":");
    outcome_print(&reload->outcome, out);
    buffer_append_text(out, "}");
}

/* ---- Life */

/* One that was good for the time of its trial, or that nobody has tried, and dies again and again. */
static bool go_back(void *owner, struct child *child)
{
    struct reload *reload = owner;
    struct accepted *accepted = &reload->accepted;
    const char *instance = child->plugin->instance;
    struct version *former = accepted_former(accepted, instance);
    if (former == NULL || reload->is_stopped ||
        !version_is(accepted_find(accepted, instance), child->version) ||
        !lineup_can_run(accepted, former))
        return false;
    struct version *bad = version_hold(child->version);
    log_error("%s: %s (%s): the version that was accepted before runs again", instance,
              trial_fault_words(TRIAL_QUARANTINED), child->last_exit);
    accepted_go_back(accepted, instance);
    former = accepted_find(accepted, instance);
    int err = accepted_save(accepted, reload->current);
    if (err)
        log_error("config.good cannot be written: %s", strerror(-err));
    change_record_return(reload->changes.group, former, bad, TRIAL_QUARANTINED,
                         child->last_exit);
    supervisor_renew(child, former);
    version_drop(bad);
    return true;
}

void reload_open(struct reload *reload, struct supervisor *supervisor,
                 const struct config *config, const char *state)
{
    *reload = (struct reload){.state = state,
                              .current = config,
                              .rest.fire = rested,
                              .patience.fire = lost_patience};
    reload->changes = (struct changes){.loop = supervisor->loop,
                                       .supervisor = supervisor,
                                       .group = supervisor->group,
                                       .accepted = &reload->accepted,
                                       .config = config,
                                       .moved = moved,
                                       .owner = reload};
    supervisor->quarantines = go_back;
    supervisor->quarantines_owner = reload;
    canary_open(&reload->canary, supervisor->loop, supervisor->children,
                supervisor->libexec);
}

static void kept_old(void *owner, const struct version *installed,
                     const struct version *instead, bool was_on_trial)
{
    struct reload *reload = owner;
    log_error("%s: the accepted version runs, not the installed one, which was %s",
              installed->plugin.instance, was_on_trial ? "on trial" : "returned from");
    if (was_on_trial)
        change_record_return(reload->changes.group, instead, installed, TRIAL_KEEPER, "");
}

void reload_start(struct reload *reload)
{
    struct supervisor *supervisor = reload->changes.supervisor;
    struct buffer names = {0};
    struct lineup lineup;
    accepted_open(&reload->accepted, reload->state, reload->current->office);
    lineup_snapshot_start(reload->current, reload->state, &names);
    int err = lineup_open(&lineup, reload->current, reload->state, &names);
    buffer_free(&names);
    if (reload->current->has_city)
        supervisor_add_own(supervisor, PEER_UPLINK);
    if (reload->current->has_courier)
        supervisor_add_own(supervisor, PEER_COURIER);
    if (err) {
        log_error("no plugin can be started: %s", strerror(-err));
        return;
    }
    lineup_prefer(&lineup, &reload->accepted, kept_old, reload);
    err = keep_accepted(reload);
    if (err)
        log_error("config.good cannot be written: %s", strerror(-err));
    for (size_t i = 0; i < lineup.count; i++)
        supervisor_add(supervisor, lineup.versions[i]);
    lineup_close(&lineup);
}

void reload_stop(struct reload *reload)
{
    reload->is_stopped = true;
    canary_close(&reload->canary);
    errand_stop(&reload->errand);
    if (reload->wish.is_there)
        refuse_wish(reload, -ECANCELED, "nothing is changed: the box stops");
    if (reload->phase != RELOAD_RESTS)
        rest(reload, -ECANCELED, "the box stops; what was on trial is not accepted");
    loop_rest_stop(&reload->rest);
}

void reload_close(struct reload *reload)
{
    if (reload->state == NULL)
        return;
    reload_stop(reload);
    outcome_free(&reload->outcome);
    accepted_close(&reload->accepted);
    config_close(reload->taken);
    reload->taken = NULL;
}
