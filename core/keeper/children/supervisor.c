/* supervisor - see supervisor.h.
 *
 * Invariant: a child with a pid has been started and not been reaped; `again` runs only while it
 * has none. */
#include "keeper/children/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/base.h"
#include "base/log.h"
#include "base/now.h"
#include "keeper/children/spawn.h"
#include "keeper/self.h"

static void start_child(struct child *child);

static int spawn(struct child *child, int *fd)
{
    struct spawn spawn = {.libexec = child->supervisor->libexec,
                          .program = child->plugin ? "host" : child->peer.name,
                          .mode = child->plugin ? "run" : NULL,
                          .instance = child->plugin ? child->plugin->instance : NULL,
                          .plugin = child->plugin ? child->plugin->plugin : NULL,
                          .loop = child->supervisor->loop,
                          .hearsay = child->plugin ? &child->hearsay : NULL,
                          .last_processor = child->plugin == NULL,
                          .ring = child->reel.ring};
    return spawn_start(&spawn, &child->pid, fd);
}

static void end_child(struct child *child)
{
    child->killed = true;
    kill(child->pid, SIGKILL);
}

static void lingers(struct loop_timer *timer)
{
    struct child *child = container_of(timer, struct child, linger);
    if (child->pid > 0)
        end_child(child);
}

/* The line is over: the process has ended, or will be ended if it does not soon. */
static void child_gone(struct peer *peer, int why)
{
    struct child *child = container_of(peer, struct child, peer);
    if (why)
        log_warn("%s: line broken: %s", peer->name, strerror(-why));
    loop_timer_start(child->supervisor->loop, &child->linger, SUPERVISOR_LINGER_MS);
}

static void name_exit(struct child *child, int status)
{
    if (WIFSIGNALED(status))
        snprintf(child->last_exit, sizeof(child->last_exit), "signal %d",
                 WTERMSIG(status));
    else
        snprintf(child->last_exit, sizeof(child->last_exit), "exit %d",
                 WEXITSTATUS(status));
}

static void record_death(struct child *child)
{
    char data[512];
    const char *type =
        child->restart.in_quarantine ? "plugin.quarantined" : "plugin.restarted";
    snprintf(data, sizeof(data),
             "{\"instance\":\"%s\",\"plugin\":\"%s\",\"exit\":\"%s\",\"deaths\":%d}",
             child->peer.name, child->plugin ? child->plugin->plugin : child->peer.name,
             child->last_exit, child->restart.count);
    self_record(child->supervisor->group, type, data);
}

static int64_t restart_wait_ms(struct child *child, int status)
{
    int64_t now_us = now_mono_us(), life_us = now_us - child->started_us;
    if (WIFEXITED(status) && WEXITSTATUS(status) == SUPERVISOR_EXIT_AGAIN)
        return restart_after_refusal(&child->restart, life_us);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !child->killed)
        return restart_after_kill(&child->restart);
    if (child->plugin == NULL)
        return restart_needed(&child->restart, life_us);
    return restart_after_death(&child->restart, now_us, life_us);
}

static void plan_restart(struct child *child, int status)
{
    const struct supervisor *supervisor = child->supervisor;
    int64_t wait_ms = restart_wait_ms(child, status);
    if (child->restart.in_quarantine && supervisor->quarantines != NULL &&
        supervisor->quarantines(supervisor->quarantines_owner, child))
        return;
    if (child->restart.in_quarantine)
        log_error(
            "%s: died %d times within 10 minutes (%s); quarantined, next try in 1 h",
            child->peer.name, RESTART_DEATHS, child->last_exit);
    else
        log_warn("%s: died (%s); started again in %d ms", child->peer.name,
                 child->last_exit, (int)wait_ms);
    record_death(child);
    loop_timer_start(child->supervisor->loop, &child->again, wait_ms);
}

static void check_stopped(struct supervisor *supervisor)
{
    void (*stopped)(void *owner) = supervisor->stopped;
    for (size_t i = 0; i < supervisor->count; i++)
        if (((int)supervisor->child[i].peer.role & supervisor->stopping) &&
            supervisor->child[i].pid != 0)
            return;
    loop_timer_stop(&supervisor->deadline);
    supervisor->stopped = NULL;
    if (stopped != NULL)
        stopped(supervisor->owner);
}

/* What its devices said before it died may tell why. */
static void freeze_after(struct child *child, int status)
{
    bool as_told = WIFEXITED(status) && (WEXITSTATUS(status) == 0 ||
                                         WEXITSTATUS(status) == SUPERVISOR_EXIT_AGAIN);
    if (!as_told)
        reel_freeze(&child->reel, "crash", NULL);
}

static void child_died(struct child *child, int status)
{
    child->pid = 0;
    loop_timer_stop(&child->linger);
    loop_timer_stop(&child->halt);
    hearsay_end(&child->hearsay);
    name_exit(child, status);
    if (child->peer.line != NULL)
        children_remove(child->supervisor->children, &child->peer);
    if ((int)child->peer.role & child->supervisor->stopping)
        return;
    freeze_after(child, status);
    if (child->ended != NULL)
        child->ended(child);
    else
        plan_restart(child, status);
}

static void reap(struct loop_signal *signal)
{
    struct supervisor *supervisor = container_of(signal, struct supervisor, died);
    for (size_t i = 0; i < supervisor->count; i++) {
        struct child *child = &supervisor->child[i];
        int status;
        if (child->pid > 0 && waitpid(child->pid, &status, WNOHANG) == child->pid)
            child_died(child, status);
    }
    if (supervisor->stopped != NULL)
        check_stopped(supervisor);
}

static void try_again(struct loop_timer *timer)
{
    start_child(container_of(timer, struct child, again));
}

/* A device that is read seldom may not have been asked in the last minute: whether it answered when it
 * was is known all the same. */
static struct pulse_rate rate_of(const struct child *child)
{
    struct pulse_rate rate = pulse_rate(&child->pulse);
    rate.answered = child->peer.reads > 0 && child->peer.unheard < SUPERVISOR_UNHEARD;
    rate.started = child->peer.has_started;
    return rate;
}

static void begin_pulse(struct child *child)
{
    struct pulse_rate rate = rate_of(child);
    if (rate.reads > 0 || rate.answered)
        child->former = rate;
    child->peer.reads = child->peer.errors = child->peer.unheard = 0;
    child->peer.has_started = false;
    child->peer.complaint[0] = '\0';
    pulse_begin(&child->pulse, child->started_us);
}

static void start_child(struct child *child)
{
    int fd = -1;
    child->killed = false;
    child->starts++;
    child->started_us = now_mono_us();
    child->peer.heard_us = child->started_us;
    begin_pulse(child);
    reel_renew(&child->reel);
    int err = spawn(child, &fd);
    if (!err)
        err = children_add(child->supervisor->children, &child->peer, fd);
    if (!err)
        return;
    log_error("%s: cannot be started: %s", child->peer.name, strerror(-err));
    if (child->pid > 0)
        end_child(child); /* and is planned anew when it is reaped */
    else
        loop_timer_start(child->supervisor->loop, &child->again, RESTART_MOST_MS);
}

static void ping_all(struct loop_timer *timer)
{
    struct supervisor *supervisor = container_of(timer, struct supervisor, ping);
    int64_t now_us = now_mono_us();
    for (size_t i = 0; i < supervisor->count; i++) {
        struct child *child = &supervisor->child[i];
        int64_t most_ms =
            child->plugin ? SUPERVISOR_HOST_SILENCE_MS : SUPERVISOR_OWN_SILENCE_MS;
        if (child->pid == 0)
            continue;
        pulse_add(&child->pulse, now_us, child->peer.reads, child->peer.errors);
        if (now_us - child->peer.heard_us <= most_ms * 1000)
            continue;
        log_error("%s: has not answered for %d s; killed", child->peer.name,
                  (int)(most_ms / 1000));
        end_child(child);
    }
    children_tell(supervisor->children, PEER_HOST | PEER_UPLINK | PEER_COURIER,
                  TALK_PING);
    loop_timer_start(supervisor->loop, &supervisor->ping, SUPERVISOR_PING_MS);
}

static void kill_stopping(struct loop_timer *timer)
{
    struct supervisor *supervisor = container_of(timer, struct supervisor, deadline);
    for (size_t i = 0; i < supervisor->count; i++) {
        struct child *child = &supervisor->child[i];
        if (!((int)child->peer.role & supervisor->stopping) || child->pid == 0)
            continue;
        log_warn("%s: did not stop in %d ms; killed", child->peer.name,
                 SUPERVISOR_STOP_MS);
        end_child(child);
    }
}

void supervisor_open(struct supervisor *supervisor, struct loop *loop,
                     struct children *children, struct group *group, const char *libexec)
{
    *supervisor = (struct supervisor){.loop = loop,
                                      .children = children,
                                      .group = group,
                                      .died.fire = reap,
                                      .ping.fire = ping_all,
                                      .deadline.fire = kill_stopping};
    snprintf(supervisor->libexec, sizeof(supervisor->libexec), "%s", libexec);
    loop_signal_start(loop, &supervisor->died, SIGCHLD);
}

static void stop_timers(struct child *child)
{
    loop_timer_stop(&child->again);
    loop_timer_stop(&child->linger);
    loop_timer_stop(&child->halt);
}

void supervisor_close(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->count; i++) {
        struct child *child = &supervisor->child[i];
        stop_timers(child);
        reel_close(&child->reel);
        if (child->pid > 0) {
            kill(child->pid, SIGKILL);
            waitpid(child->pid, NULL, 0);
        }
        hearsay_end(&child->hearsay);
        version_drop(child->version);
        child->version = NULL;
    }
    loop_signal_stop(&supervisor->died);
    loop_timer_stop(&supervisor->ping);
    loop_timer_stop(&supervisor->deadline);
}

static void halt_is_over(struct loop_timer *timer)
{
    struct child *child = container_of(timer, struct child, halt);
    log_warn("%s: did not stop in %d ms; killed", child->peer.name, SUPERVISOR_STOP_MS);
    end_child(child);
}

static struct child *free_place(struct supervisor *supervisor)
{
    size_t i = 0;
    while (i < supervisor->count && supervisor->child[i].supervisor != NULL)
        i++;
    if (i == countof(supervisor->child))
        return NULL;
    if (i == supervisor->count)
        supervisor->count++;
    return &supervisor->child[i];
}

static void take_version(struct child *child, struct version *version)
{
    version_hold(version);
    version_drop(child->version);
    child->version = version;
    child->plugin = version ? &version->plugin : NULL;
    child->peer.plugin = child->plugin;
    if (version != NULL)
        child->peer.name = version->plugin.instance;
}

static struct child *add(struct supervisor *supervisor, enum peer_role role,
                         const char *name, struct version *version)
{
    struct child *child = free_place(supervisor);
    if (child == NULL)
        return NULL;
    *child = (struct child){.supervisor = supervisor,
                            .again.fire = try_again,
                            .linger.fire = lingers,
                            .halt.fire = halt_is_over};
    child->peer =
        (struct peer){.role = role, .name = name, .owner = child, .gone = child_gone};
    take_version(child, version);
    if (version != NULL && supervisor->freezer != NULL) {
        reel_open(&child->reel, supervisor->freezer, version->plugin.plugin,
                  version->plugin.instance);
        child->peer.reel = &child->reel;
    }
    start_child(child);
    return child;
}

struct child *supervisor_add(struct supervisor *supervisor, struct version *version)
{
    return add(supervisor, PEER_HOST, NULL, version);
}

struct child *supervisor_add_own(struct supervisor *supervisor, enum peer_role role)
{
    ASSERT(role == PEER_UPLINK || role == PEER_COURIER);
    return add(supervisor, role, role == PEER_UPLINK ? "uplink" : "courier", NULL);
}

static struct child *find(struct supervisor *supervisor, enum peer_role role,
                          const char *name)
{
    for (size_t i = 0; i < supervisor->count; i++) {
        struct child *child = &supervisor->child[i];
        if (child->supervisor != NULL && child->peer.role == role &&
            (name == NULL || strcmp(child->peer.name, name) == 0))
            return child;
    }
    return NULL;
}

struct child *supervisor_find(struct supervisor *supervisor, const char *instance)
{
    return find(supervisor, PEER_HOST, instance);
}

struct child *supervisor_find_own(struct supervisor *supervisor, enum peer_role role)
{
    return find(supervisor, role, NULL);
}

struct pulse_rate supervisor_rate(struct child *child)
{
    if (child->pid == 0)
        return child->former;
    pulse_add(&child->pulse, now_mono_us(), child->peer.reads, child->peer.errors);
    struct pulse_rate rate = rate_of(child);
    if (rate.ms >= SUPERVISOR_YOUNG_MS || (rate.reads > 0 && child->former.reads == 0))
        return rate;
    bool started = rate.started;
    rate = child->former;
    rate.started |= started;
    return rate;
}

void supervisor_watch(struct supervisor *supervisor)
{
    loop_timer_start(supervisor->loop, &supervisor->ping, SUPERVISOR_PING_MS);
}

void supervisor_halt(struct child *child)
{
    ASSERT(child->ended != NULL);
    loop_timer_stop(&child->again);
    if (child->pid == 0) {
        child->ended(child);
        return;
    }
    if (child->peer.is_ready) {
        peer_tell(&child->peer, TALK_STOP);
        loop_timer_start(child->supervisor->loop, &child->halt, SUPERVISOR_STOP_MS);
    } else {
        end_child(child); /* it cannot hear STOP yet */
    }
}

void supervisor_kill(struct child *child)
{
    ASSERT(child->ended != NULL);
    if (child->pid > 0)
        end_child(child);
    else
        supervisor_halt(child);
}

void supervisor_renew(struct child *child, struct version *version)
{
    ASSERT(child->pid == 0);
    if (version != NULL)
        take_version(child, version);
    child->restart = (struct restart){0};
    start_child(child);
}

void supervisor_restore(struct child *child, struct version *version,
                        const struct pulse_rate *former)
{
    supervisor_renew(child, version);
    child->former = *former;
}

void supervisor_drop(struct child *child)
{
    ASSERT(child->pid == 0);
    stop_timers(child);
    reel_close(&child->reel);
    version_drop(child->version);
    *child = (struct child){.supervisor = NULL};
}

void supervisor_stop(struct supervisor *supervisor, int roles,
                     void (*stopped)(void *owner), void *owner)
{
    supervisor->stopping |= roles;
    supervisor->stopped = stopped;
    supervisor->owner = owner;
    children_tell(supervisor->children, roles, TALK_STOP);
    for (size_t i = 0; i < supervisor->count; i++) {
        struct child *child = &supervisor->child[i];
        if (!((int)child->peer.role & roles))
            continue;
        loop_timer_stop(&child->again);
        if (child->pid > 0 && !child->peer.is_ready)
            end_child(child); /* it cannot hear STOP yet */
    }
    loop_timer_start(supervisor->loop, &supervisor->deadline, SUPERVISOR_STOP_MS);
    check_stopped(supervisor);
}

const char *supervisor_state(const struct child *child)
{
    if ((int)child->peer.role & child->supervisor->stopping)
        return "stopped";
    if (child->pid > 0)
        return child->peer.is_ready ? "running" : "starting";
    return child->restart.in_quarantine ? "quarantined" : "waiting";
}
