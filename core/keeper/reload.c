/* reload - see reload.h.
 *
 * Invariant: `next` is set in RELOAD_KEEPS only; `count` changes are there in RELOAD_WORKS only. */
#include "keeper/reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"

static void go_on(struct reload *reload);

/* ---- What the reader is told */

static void say(struct reload *reload, const char *instance, const char *state,
                const char *why)
{
    struct buffer text = {0}, frame = {0};
    if (reload->reader == NULL)
        return;
    buffer_append_text(&text, "{\"instance\":");
    json_put_text(&text, instance);
    buffer_printf(&text, ",\"state\":\"%s\"", state);
    if (why[0] != '\0') {
        buffer_append_text(&text, ",\"why\":");
        json_put_text(&text, why);
    }
    buffer_append_text(&text, "}");
    frame_begin(&frame, TALK_PROGRESS, reload->id);
    frame_put(&frame, TAG_TEXT, text.bytes, text.length);
    peer_send(reload->reader, &frame);
    buffer_free(&text);
    buffer_free(&frame);
}

/* It is over, well or not. */
static void rest(struct reload *reload, int err, const char *why)
{
    struct peer *reader = reload->reader;
    if (reader != NULL)
        peer_done(reader, reload->id, err, why, -1);
    if (err)
        log_warn("reload: %s", why);
    config_close(reload->next);
    reload->next = NULL;
    buffer_free(&reload->parts);
    reload->reader = NULL;
    reload->phase = RELOAD_RESTS;
}

/* ---- The changes */

static void forget_changes(struct reload *reload)
{
    for (size_t i = 0; i < reload->count; i++)
        change_close(&reload->change[i]);
    reload->count = 0;
}

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
    forget_changes(reload);
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
    go_on(container_of(at, struct reload, rest));
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

static void work(struct reload *reload, struct lineup *lineup)
{
    reload->phase = RELOAD_WORKS;
    take_config(reload);
    remove_others(reload, lineup);
    compare(reload, lineup);
    for (size_t i = 0; i < reload->count; i++)
        if (reload->change[i].state == CHANGE_WAITS)
            say(reload, reload->change[i].instance, "waiting", "");
    go_on(reload);
}

static void snapshots_taken(void *owner, int err, const struct buffer *names)
{
    struct reload *reload = owner;
    struct lineup lineup;
    char why[600];
    if (err) {
        snprintf(why, sizeof(why),
                 "nothing is changed: the code in %.*s cannot be kept: %s",
                 (int)names->length, names->length ? names->bytes : "", strerror(-err));
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

static void begin(struct reload *reload)
{
    char why[200];
    int err = config_open(&reload->next, reload->parts.bytes, reload->parts.length);
    buffer_free(&reload->parts);
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

static int take_part(struct reload *reload, const struct frame *frame)
{
    struct field text, more;
    if (fields_find(&frame->fields, TAG_TEXT, &text) != 0)
        return -EPROTO;
    if (reload->parts.length + text.length > CONFIG_MAX) {
        rest(reload, -EFBIG, "nothing is changed: the configuration is too long");
        return 0;
    }
    buffer_append(&reload->parts, text.bytes, text.length);
    if (fields_find(&frame->fields, TAG_MORE, &more) != 0)
        begin(reload);
    return 0;
}

int reload_hear(struct reload *reload, struct peer *peer, const struct frame *frame)
{
    if (reload->phase == RELOAD_RESTS && !reload->is_stopped) {
        reload->phase = RELOAD_HEARS;
        reload->reader = peer;
        reload->id = frame->id;
    }
    if (reload->phase == RELOAD_HEARS && reload->reader == peer && !reload->is_stopped)
        return take_part(reload, frame);
    peer_done(peer, frame->id, -EBUSY,
              reload->is_stopped ? "nothing is changed: the box stops"
                                 : "nothing is changed: another reload is under way",
              -1);
    return 0;
}

void reload_forget(struct reload *reload, const struct peer *peer)
{
    if (reload->reader != peer)
        return;
    reload->reader = NULL;
    if (reload->phase == RELOAD_HEARS)
        rest(reload, 0, "");
}

/* ---- Life */

void reload_open(struct reload *reload, struct supervisor *supervisor,
                 const struct config *config, const char *state)
{
    *reload = (struct reload){.state = state, .current = config, .rest.fire = rested};
    reload->changes = (struct changes){.loop = supervisor->loop,
                                       .supervisor = supervisor,
                                       .group = supervisor->group,
                                       .accepted = &reload->accepted,
                                       .config = config,
                                       .moved = moved,
                                       .owner = reload};
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
    forget_changes(reload);
    loop_rest_stop(&reload->rest);
    if (reload->phase != RELOAD_RESTS)
        rest(reload, -ECANCELED, "the box stops; what was on trial is not accepted");
}

void reload_close(struct reload *reload)
{
    if (reload->state == NULL)
        return;
    reload_stop(reload);
    accepted_close(&reload->accepted);
    config_close(reload->taken);
    reload->taken = NULL;
}
