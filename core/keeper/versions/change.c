/* change - see change.h.
 *
 * Invariant: `ended` of the child is ours from CHANGE_STOPS until the change is over, and `look` runs
 * in CHANGE_TRIES only. */
#include "keeper/versions/change.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"
#include "base/now.h"
#include "keeper/self.h"

enum { SHORT_ID = 12 }; /* so much of a version's name is said */

/* ---- What is said and kept */

static void print_head(struct buffer *data, const struct version *from,
                       const struct version *to)
{
    const struct config_plugin *plugin = to ? &to->plugin : &from->plugin;
    buffer_printf(data,
                  "{\"instance\":\"%s\",\"plugin\":\"%s\",\"from\":\"%.*s\",\"to\":"
                  "\"%.*s\"",
                  plugin->instance, plugin->plugin, SHORT_ID, from ? from->id : "",
                  SHORT_ID, to ? to->id : "");
}

static void record_update(const struct change *change)
{
    struct buffer data = {0};
    print_head(&data, change->from, change->to);
    buffer_append_text(&data, "}");
    self_record(change->shared->group, "plugin.updated", buffer_text(&data));
    buffer_free(&data);
}

void change_record_return(struct group *group, const struct version *from,
                          const struct version *to, enum trial_fault fault,
                          const char *last_exit)
{
    struct buffer data = {0};
    print_head(&data, from, to);
    buffer_printf(&data, ",\"why\":\"%s\"", trial_fault_name(fault));
    if (last_exit[0] != '\0')
        buffer_printf(&data, ",\"exit\":\"%s\"", last_exit);
    if (from != NULL && from->state != to->state)
        buffer_printf(&data, ",\"state\":{\"from\":%" PRId64 ",\"to\":%" PRId64 "}",
                      from->state, to->state);
    buffer_append_text(&data, "}");
    self_record(group, "plugin.returned", buffer_text(&data));
    buffer_free(&data);
}

static int save(const struct change *change)
{
    int err = accepted_save(change->shared->accepted, change->shared->config);
    if (err)
        log_error("%s: config.good cannot be written: %s", change->instance,
                  strerror(-err));
    return err;
}

static void move(struct change *change, enum change_state state)
{
    change->state = state;
    change->shared->moved(change->shared->owner, change);
}

/* ---- The return */

static void finish_return(struct change *change)
{
    log_error("%s: %s: %s", change->instance,
              change->from ? "the old version runs on" : "does not run", change->why);
    accepted_mark(change->shared->accepted, change->to, false);
    save(change);
    change_record_return(change->shared->group, change->from, change->to, change->fault,
                         change->last_exit);
    move(change, CHANGE_RETURNED);
}

/* The new one's process is over. */
static void put_back(struct change *change)
{
    struct child *child = change->child;
    loop_timer_stop(&change->look);
    if (child != NULL)
        child->ended = NULL;
    if (child != NULL && change->from != NULL)
        supervisor_restore(child, change->from, &change->former);
    else if (child != NULL)
        supervisor_drop(child);
    finish_return(change);
}

static void name_end(struct change *change, const struct child *child)
{
    const char *complaint = child->peer.complaint;
    change->fault = TRIAL_ENDED;
    strcpy(change->last_exit, child->last_exit);
    snprintf(change->why, sizeof(change->why), "%s (%s)%s%.300s",
             trial_fault_words(TRIAL_ENDED), child->last_exit, complaint[0] ? ": " : "",
             complaint);
}

static void new_ended(struct child *child)
{
    struct change *change = child->owner;
    char again[sizeof(child->last_exit)];
    snprintf(again, sizeof(again), "exit %d", SUPERVISOR_EXIT_AGAIN);
    if (change->state == CHANGE_TRIES && strcmp(child->last_exit, again) == 0 &&
        change->again++ < CHANGE_AGAIN_MAX) {
        supervisor_renew(child, NULL);
        return;
    }
    if (change->state == CHANGE_TRIES)
        name_end(change, child);
    put_back(change);
}

static void leave(struct change *change, enum trial_fault fault)
{
    change->fault = fault;
    snprintf(change->why, sizeof(change->why), "%s", trial_fault_words(fault));
    loop_timer_stop(&change->look);
    move(change, CHANGE_LEAVES);
    if (fault == TRIAL_SILENT)
        supervisor_kill(change->child);
    else
        supervisor_halt(change->child);
}

/* ---- The trial */

static void accept(struct change *change, const struct trial_sign *sign)
{
    if (trial_has_asked_nobody(&change->trial, sign))
        strcpy(change->why, "but none of its devices was asked in the time of its trial");
    loop_timer_stop(&change->look);
    change->child->ended = NULL;
    change->child->former = (struct pulse_rate){0};
    accepted_put(change->shared->accepted, change->to);
    save(change);
    record_update(change);
    log_info("%s: the new version is accepted", change->instance);
    move(change, CHANGE_ACCEPTED);
}

static void look(struct loop_timer *timer)
{
    struct change *change = container_of(timer, struct change, look);
    struct peer *peer = &change->child->peer;
    struct trial_sign sign = {.heard_us = peer->heard_us,
                              .reads = peer->reads,
                              .errors = peer->errors,
                              .unheard = peer->unheard,
                              .started = peer->has_started};
    int64_t now_us = now_mono_us();
    enum trial_fault fault = trial_look(&change->trial, now_us, &sign);
    if (fault) {
        leave(change, fault);
        return;
    }
    if (trial_is_over(&change->trial, now_us, &sign)) {
        accept(change, &sign);
        return;
    }
    if (peer->is_ready)
        peer_tell(peer, TALK_PING);
    loop_timer_start(change->shared->loop, timer, trial_period_ms(change->trial.for_ms));
}

static void try_new(struct change *change)
{
    struct changes *shared = change->shared;
    if (change->child != NULL)
        supervisor_renew(change->child, change->to);
    else
        change->child = supervisor_add(shared->supervisor, change->to);
    if (change->child == NULL) {
        change->fault = TRIAL_LOAD;
        strcpy(change->why, "there is no room for one more instance");
        put_back(change);
        return;
    }
    change->child->ended = new_ended;
    change->child->owner = change;
    trial_begin(&change->trial, now_mono_us(), shared->config->trial_ms, &change->before);
    loop_timer_start(shared->loop, &change->look, trial_period_ms(change->trial.for_ms));
    move(change, CHANGE_TRIES);
}

/* ---- Undone before it was tried */

/* Nothing of it has run: what was accepted is not marked any more. */
static void finish_withdrawal(struct change *change)
{
    struct accepted *accepted = change->shared->accepted;
    change->fault = TRIAL_WITHDRAWN;
    strcpy(change->why, trial_fault_words(TRIAL_WITHDRAWN));
    if (change->from != NULL)
        accepted_put(accepted, change->from);
    else
        accepted_remove(accepted, change->instance);
    save(change);
    move(change, CHANGE_RETURNED);
}

void change_withdraw(struct change *change)
{
    if (change->to == NULL || change_is_over(change))
        return;
    if (change->state == CHANGE_STOPS)
        change->is_withdrawn = true;
    else if (change->state == CHANGE_TRIES)
        leave(change, TRIAL_WITHDRAWN);
    else if (change->state != CHANGE_LEAVES)
        finish_withdrawal(change);
}

/* ---- From the old one to the new */

static void old_ended(struct child *child)
{
    struct change *change = child->owner;
    if (!change->is_withdrawn) {
        try_new(change);
        return;
    }
    child->ended = NULL;
    supervisor_renew(child, change->from);
    finish_withdrawal(change);
}

void change_begin(struct change *change)
{
    if (change->child != NULL)
        change->former = change->before = supervisor_rate(change->child);
    if (change->from != NULL &&
        strcmp(change->from->plugin.plugin, change->to->plugin.plugin) != 0)
        change->before = (struct pulse_rate){.ms = 0}; /* it has other devices */
    if (change->shared->may_be_silent) {
        change->before.reads = 0;
        change->before.answered = false;
    }
    if (change->child == NULL) {
        try_new(change);
        return;
    }
    change->child->ended = old_ended;
    change->child->owner = change;
    move(change, CHANGE_STOPS);
    supervisor_halt(change->child);
}

void change_refuse(struct change *change, const char *why)
{
    change->fault = TRIAL_LOAD;
    snprintf(change->why, sizeof(change->why), "%s: %s", trial_fault_words(TRIAL_LOAD),
             why);
    finish_return(change);
}

/* ---- An instance that goes */

static void removed(struct child *child)
{
    struct change *change = child->owner;
    child->ended = NULL;
    supervisor_drop(child);
    change->child = NULL;
    accepted_remove(change->shared->accepted, change->instance);
    save(change);
    log_info("%s: removed; its store stays", change->instance);
    move(change, CHANGE_REMOVED);
}

void change_remove(struct change *change)
{
    change->child->ended = removed;
    change->child->owner = change;
    move(change, CHANGE_STOPS);
    supervisor_halt(change->child);
}

/* ---- */

void change_open(struct change *change, struct changes *shared, struct child *child,
                 struct version *to)
{
    *change = (struct change){.shared = shared,
                              .child = child,
                              .from = version_hold(child ? child->version : NULL),
                              .to = version_hold(to),
                              .look.fire = look};
    strcpy(change->instance, to ? to->plugin.instance : child->plugin->instance);
}

void change_close(struct change *change)
{
    loop_timer_stop(&change->look);
    if (!change_is_over(change) && change->state > CHANGE_LOADS && change->child != NULL)
        change->child->ended = NULL;
    version_drop(change->from);
    version_drop(change->to);
    change->from = change->to = NULL;
}

bool change_is_over(const struct change *change)
{
    return change->state >= CHANGE_ACCEPTED;
}

const char *change_state_name(const struct change *change)
{
    static const char *const NAMES[CHANGE_STATES] = {
        [CHANGE_WAITS] = "waiting",     [CHANGE_LOADS] = "starting",
        [CHANGE_STOPS] = "starting",    [CHANGE_TRIES] = "on trial",
        [CHANGE_LEAVES] = "returning",  [CHANGE_ACCEPTED] = "accepted",
        [CHANGE_RETURNED] = "returned", [CHANGE_REMOVED] = "removed",
    };
    if (change->to == NULL && !change_is_over(change))
        return "stopping";
    return NAMES[change->state];
}
