/* keeper - see keeper.h.
 *
 * Order of the end: hosts and courier (no more events), the last event and checkpoint, the uplink (it may still
 * hand them on), the store, the signed statement that all ended well. */
#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/log.h"
#include "base/now.h"
#include "keeper/blobs/adoption.h"
#include "keeper/control/report.h"
#include "keeper/self.h"

enum { LOCK_TRIES = 20, LOCK_WAIT_US = 100 * 1000, EXIT_DAMAGED = 3 };

static int state_path(const struct keeper *keeper, char path[JOURNAL_PATH_MAX],
                      const char *name)
{
    return file_join(path, JOURNAL_PATH_MAX, keeper->state, name);
}

/* One keeper a state folder. The one before may be dying still: it is given two seconds. */
static int take_lock(struct keeper *keeper)
{
    char path[JOURNAL_PATH_MAX];
    int err = file_make_folders(keeper->state);
    if (!err)
        err = state_path(keeper, path, "lock");
    if (err)
        return err;
    keeper->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (keeper->lock < 0)
        return -errno;
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(keeper->lock, LOCK_EX | LOCK_NB) == 0)
            return 0;
        usleep(LOCK_WAIT_US);
    }
    return -EBUSY;
}

static void record_start(struct keeper *keeper, bool closed)
{
    char data[256];
    snprintf(data, sizeof(data), "{\"version\":\"%s\",\"log\":\"%s\",\"after\":\"%s\"}",
             OUTPOST_VERSION, keeper->journal->log.log,
             closed                  ? "stop"
             : keeper->journal->size ? "crash"
                                     : "install");
    self_record(&keeper->group, "box.started", data);
}

/* `outpost run` says so when it had to use the last good configuration. */
static void record_refused(struct keeper *keeper)
{
    const struct json *refused = json_get(keeper->config->json, "refused");
    struct buffer told = {0};
    if (!json_is_object(refused))
        return;
    json_print(&told, refused);
    self_record(&keeper->group, "config.refused", buffer_text(&told));
    buffer_free(&told);
}

/* What cannot be read back is looked at now: then it is mended, or known to be lost. */
static void look_at_broken(void *owner, int64_t seq)
{
    struct keeper *keeper = owner;
    scrub_look(&keeper->scrub, seq);
}

static void committed(void *owner, int err, bool had_alarm)
{
    struct keeper *keeper = owner;
    asking_committed(&keeper->asking, err);
    link_committed(&keeper->link, err);
    wallclock_committed(&keeper->wallclock, err);
    blobs_committed(&keeper->blobs, err);
    viewing_committed(&keeper->viewing, err);
    if (err == 0) {
        keeper->failed = 0;
        router_wake(&keeper->router);
        upkeep_committed(&keeper->upkeep, had_alarm);
        return;
    }
    if (err != keeper->failed)
        log_error("journal: nothing of a group was committed: %s", strerror(-err));
    keeper->failed = err;
    if (err == -ENOSPC)
        storage_shortage(&keeper->storage);
    if (err == -ENOSPC || err == -EBUSY)
        return;
    /* After a failed fsync nobody knows what is on disk: start anew and check. */
    keeper->exit_code = EXIT_DAMAGED;
    loop_stop(keeper->loop);
}

static void found_damage(void *owner, int err)
{
    struct keeper *keeper = owner;
    log_error("journal: %s; the keeper starts anew to check it", strerror(-err));
    keeper->exit_code = EXIT_DAMAGED;
    loop_stop(keeper->loop);
}

static void send_note(void *owner, const struct buffer *note)
{
    struct keeper *keeper = owner;
    children_send_note(&keeper->children, note);
}

static void print_uplink_start(const struct keeper *keeper, struct buffer *out)
{
    const struct journal *journal = keeper->journal;
    struct buffer verifier = {0};
    key_print_verifier(keeper->key, &verifier);
    buffer_printf(out,
                  "{\"office\":\"%s\",\"log\":\"%s\",\"version\":\"%s\",\"boot\":\"%s\","
                  "\"size\":%" PRId64 ",\"floor_us\":%" PRId64 ",\"verifier_office\":",
                  journal->log.office, journal->log.log, OUTPOST_VERSION, now_boot(),
                  journal->size, now_floor_us());
    json_put_text(out, buffer_text(&verifier));
    buffer_append_text(out, ",\"city\":");
    json_print(out, json_get(keeper->config->json, "city"));
    buffer_append_text(out, "}");
    buffer_free(&verifier);
}

static void print_courier_start(const struct keeper *keeper, struct buffer *out)
{
    const struct journal *journal = keeper->journal;
    const struct json *json = keeper->config->json;
    const char *timezone = json_text(json_get(json, "office"), "timezone");
    buffer_printf(out, "{\"office\":\"%s\",\"log\":\"%s\",\"floor_us\":%" PRId64 ",",
                  journal->log.office, journal->log.log, now_floor_us());
    if (timezone != NULL) {
        buffer_append_text(out, "\"timezone\":");
        json_put_text(out, timezone);
        buffer_append_text(out, ",");
    }
    buffer_append_text(out, "\"courier\":");
    json_print(out, json_get(json, "courier"));
    buffer_append_text(out, "}");
}

static void print_start(void *owner, const struct peer *peer, struct buffer *out)
{
    struct keeper *keeper = owner;
    if (peer->role == PEER_UPLINK)
        print_uplink_start(keeper, out);
    else if (peer->role == PEER_COURIER)
        print_courier_start(keeper, out);
    else
        json_print(out, peer->plugin->json);
}

static void greeted(void *owner, struct peer *peer)
{
    struct keeper *keeper = owner;
    if (peer->role != PEER_UPLINK)
        return;
    link_greet(&keeper->link, peer);
    if (keeper->upkeep.note.length > 0)
        children_send_note(&keeper->children, &keeper->upkeep.note);
}

static void wake_readers(void *owner)
{
    struct keeper *keeper = owner;
    router_wake(&keeper->router);
}

static void wake_upkeep(void *owner)
{
    struct keeper *keeper = owner;
    upkeep_wake(&keeper->upkeep);
}

static int hear_reload(void *owner, struct peer *peer, const struct frame *frame)
{
    struct keeper *keeper = owner;
    return reload_hear(&keeper->reload, peer, frame);
}

static void forget_peer(void *owner, const struct peer *peer)
{
    struct keeper *keeper = owner;
    reload_forget(&keeper->reload, peer);
}

static void took_config(void *owner, const struct config *config)
{
    struct keeper *keeper = owner;
    keeper->config = config;
    keeper->children.rate = &config->rate;
    keeper->asking.config = config;
    keeper->parcels.config = config;
    blobs_send(&keeper->blobs, config->has_courier ? config->sends : 0);
}

static void print_report(void *owner, struct buffer *out)
{
    report_print(owner, out);
}

static void sign_end(struct keeper *keeper)
{
    group_commit(&keeper->group);
    int err = upkeep_finish(&keeper->upkeep);
    if (err)
        log_error("journal: the last checkpoint cannot be written: %s", strerror(-err));
}

/* The uplink may have brought one more receipt. */
static void end_loop(void *owner)
{
    struct keeper *keeper = owner;
    if (keeper->journal->is_open)
        sign_end(keeper);
    loop_stop(keeper->loop);
}

static void hosts_stopped(void *owner)
{
    struct keeper *keeper = owner;
    freezer_close(&keeper->freezer);
    storage_close(&keeper->storage); /* it says nothing more */
    blobs_stop(&keeper->blobs);
    recheck_close(&keeper->recheck);
    scrub_close(&keeper->scrub);
    self_record(&keeper->group, "box.stopped", "{}");
    sign_end(keeper);
    asking_close(&keeper->asking); /* who waited has been answered by now */
    supervisor_stop(&keeper->supervisor, PEER_UPLINK, end_loop, keeper);
}

/* Asked again, it goes on stopping: the end takes as long as its order needs. */
static void stop(struct keeper *keeper)
{
    if (keeper->is_stopping)
        return;
    keeper->is_stopping = true;
    log_info("stopping");
    reload_stop(&keeper->reload);
    supervisor_stop(&keeper->supervisor, PEER_HOST | PEER_COURIER, hosts_stopped, keeper);
}

static void on_terminate(struct loop_signal *signal)
{
    stop(container_of(signal, struct keeper, terminate));
}

static void on_interrupt(struct loop_signal *signal)
{
    stop(container_of(signal, struct keeper, interrupt));
}

static void open_parts(struct keeper *keeper, const char *libexec)
{
    const struct config *config = keeper->config;
    group_open(&keeper->group, keeper->loop, keeper->journal, committed, keeper);
    router_open(&keeper->router, keeper->journal);
    keeper->router.unreadable = look_at_broken;
    keeper->router.owner = keeper;
    link_open(&keeper->link, keeper->journal, &keeper->group,
              config->has_city ? config->verifier : NULL);
    storage_open(&keeper->storage, keeper->loop, &keeper->group, config);
    keeper->storage.wanted = wake_upkeep;
    keeper->storage.owner = keeper;
    upkeep_open(&keeper->upkeep, keeper->loop, keeper->journal, &keeper->group);
    keeper->upkeep.storage = &keeper->storage;
    keeper->upkeep.blobs = &keeper->blobs;
    scrub_open(&keeper->scrub, keeper->loop, &keeper->group);
    keeper->scrub.wanted = wake_upkeep;
    keeper->scrub.mended = wake_readers;
    keeper->scrub.owner = keeper;
    keeper->upkeep.scrub = &keeper->scrub;
    keeper->upkeep.signed_note = send_note;
    keeper->upkeep.damaged = found_damage;
    keeper->upkeep.owner = keeper;
    viewing_open(&keeper->viewing, keeper->loop, &keeper->group, &keeper->blobs);
    recheck_open(&keeper->recheck, keeper->loop, &keeper->blobs);
    salvage_open(&keeper->salvage, keeper->loop, &keeper->group, keeper->state,
                 keeper->opening.city);
    wallclock_open(&keeper->wallclock, keeper->loop, &keeper->group);
    children_open(&keeper->children, keeper->loop, &keeper->group, &keeper->router,
                  &keeper->link);
    keeper->children.storage = &keeper->storage;
    keeper->children.blobs = &keeper->blobs;
    keeper->children.viewing = &keeper->viewing;
    parcels_open(&keeper->parcels, &keeper->blobs, &keeper->link, config);
    keeper->children.parcels = &keeper->parcels;
    keeper->children.rate = &config->rate;
    asking_open(&keeper->asking, keeper->loop, &keeper->children, config);
    keeper->children.asking = &keeper->asking;
    keeper->children.print_start = print_start;
    keeper->children.greeted = greeted;
    keeper->children.print_report = print_report;
    keeper->children.reload = hear_reload;
    keeper->children.forget = forget_peer;
    keeper->children.owner = keeper;
    supervisor_open(&keeper->supervisor, keeper->loop, &keeper->children, &keeper->group,
                    libexec);
    freezer_open(&keeper->freezer, keeper->loop, &keeper->children,
                 keeper->supervisor.libexec);
    keeper->supervisor.freezer = &keeper->freezer;
    reload_open(&keeper->reload, &keeper->supervisor, config, keeper->folder);
    keeper->reload.took = took_config;
    keeper->reload.owner = keeper;
}

/* The statement of a good end goes first, and durably: beside it the beginning of a write-ahead log
 * would look like a tail.db that somebody has changed. */
static void drop_closed(struct keeper *keeper)
{
    char path[JOURNAL_PATH_MAX];
    int err = journal_path(keeper->journal, path, "closed");
    if (err || (unlink(path) != 0 && errno == ENOENT))
        return;
    err = file_sync_name(path);
    if (err)
        log_warn("%s: cannot be removed for good: %s", path, strerror(-err));
}

/* From here on tail.db is in use: what is said of its end holds no more. */
static int reopen_log(struct keeper *keeper, bool *was_closed)
{
    *was_closed = keeper->journal->log.closed;
    drop_closed(keeper);
    int err = group_enter(&keeper->group);
    if (!err)
        err = store_migrate(keeper->journal->store);
    return err ? err : store_put_closed(keeper->journal->store, false);
}

static int first_group(struct keeper *keeper)
{
    struct opening *opening = &keeper->opening;
    bool was_closed;
    int err = reopen_log(keeper, &was_closed);
    if (!err)
        err = salvage_admit(&keeper->salvage, opening->aside, buffer_text(&opening->why));
    if (!err)
        err = opening_record(opening, &keeper->group);
    if (!err)
        err = adoption_run(&keeper->blobs, keeper->folder);
    if (err)
        return err;
    record_start(keeper, was_closed);
    record_refused(keeper);
    group_commit(&keeper->group);
    if (keeper->exit_code)
        return -EIO;
    adoption_end(&keeper->blobs);
    return 0;
}

static int open_house(struct keeper *keeper)
{
    int err = opening_run(&keeper->opening, keeper->config, keeper->state);
    keeper->key = keeper->opening.key;
    keeper->journal = keeper->opening.journal;
    return err;
}

static int start(struct keeper *keeper, const char *libexec)
{
    char socket[JOURNAL_PATH_MAX];
    int err = take_lock(keeper);
    if (err == -EBUSY)
        log_error("%s: another keeper uses this state folder", keeper->state);
    if (!err && realpath(keeper->state, keeper->folder) == NULL)
        err = -errno;
    if (!err)
        err = loop_open(&keeper->loop);
    if (!err)
        err = open_house(keeper);
    if (err)
        return err;
    open_parts(keeper, libexec);
    err = blobs_open(&keeper->blobs, keeper->loop, &keeper->group, keeper->config,
                     keeper->folder);
    keeper->blobs.wanted = wake_upkeep;
    keeper->blobs.owner = keeper;
    if (err)
        log_error("blobs: cannot be opened: %s", strerror(-err));
    err = first_group(keeper); /* which makes it an alarm */
    if (!err)
        err = state_path(keeper, socket, "keeper.sock");
    if (!err)
        err = control_open(&keeper->control, keeper->loop, &keeper->children, socket);
    if (err == -ENAMETOOLONG)
        log_error("--state: expected a path that leaves room for /keeper.sock within 107 "
                  "bytes");
    return err;
}

int keeper_open(struct keeper *keeper, const struct config *config, const char *state,
                const char *libexec)
{
    *keeper =
        (struct keeper){.config = config, .state = state, .lock = -1, .control.fd = -1};
    keeper->started_us = now_mono_us();
    keeper->terminate.fire = on_terminate;
    keeper->interrupt.fire = on_interrupt;
    int err = start(keeper, libexec);
    if (err) {
        log_error("%s: cannot start: %s", state, strerror(-err));
        keeper->exit_code = EXIT_DAMAGED;
        return err;
    }
    loop_signal_start(keeper->loop, &keeper->terminate, SIGTERM);
    loop_signal_start(keeper->loop, &keeper->interrupt, SIGINT);
    storage_start(&keeper->storage);
    blobs_start(&keeper->blobs);
    recheck_start(&keeper->recheck);
    wallclock_start(&keeper->wallclock);
    reload_start(&keeper->reload);
    supervisor_watch(&keeper->supervisor);
    salvage_start(&keeper->salvage);
    scrub_start(&keeper->scrub);
    log_info("office %s, log %s, %" PRId64 " events", config->office,
             keeper->journal->log.log, keeper->journal->size);
    return 0;
}

int keeper_run(struct keeper *keeper)
{
    loop_run(keeper->loop);
    return keeper->exit_code;
}

/* Marks the store closed, closes it, and signs for it. The uplink's last receipt may have been committed
 * after the last checkpoint, by a group of its own: its file is that of the table here at the latest. */
static void close_journal(struct keeper *keeper)
{
    char folder[JOURNAL_PATH_MAX], origin[CHECKPOINT_ORIGIN_MAX + 1];
    struct journal *journal = keeper->journal;
    int64_t size = journal->size;
    bool well = keeper->exit_code == 0 && !journal->is_open &&
                keeper->upkeep.size == (uint64_t)size &&
                notary_put_receipt(journal) == 0 &&
                store_put_closed(journal->store, true) == 0;
    memcpy(folder, journal->folder, sizeof(folder));
    memcpy(origin, journal->origin, sizeof(origin));
    journal_close(journal);
    keeper->journal = NULL;
    if (!well)
        return;
    int err = notary_close(folder, origin, size, keeper->key);
    if (err)
        log_error("journal: its end cannot be signed: %s", strerror(-err));
}

void keeper_close(struct keeper *keeper)
{
    control_close(&keeper->control);
    if (keeper->journal != NULL) {
        reload_close(&keeper->reload);
        supervisor_close(&keeper->supervisor);
        freezer_close(&keeper->freezer);
        asking_close(&keeper->asking);
        children_close(&keeper->children);
        viewing_close(&keeper->viewing);
        recheck_close(&keeper->recheck);
        parcels_close(&keeper->parcels);
        blobs_close(&keeper->blobs);
        wallclock_close(&keeper->wallclock);
        salvage_close(&keeper->salvage);
        scrub_close(&keeper->scrub);
        upkeep_close(&keeper->upkeep);
        storage_close(&keeper->storage);
        link_close(&keeper->link);
        router_close(&keeper->router);
        group_close(&keeper->group);
        close_journal(keeper);
    }
    loop_signal_stop(&keeper->terminate);
    loop_signal_stop(&keeper->interrupt);
    opening_close(&keeper->opening);
    key_free(keeper->key);
    loop_close(keeper->loop);
    if (keeper->lock >= 0)
        close(keeper->lock);
}
