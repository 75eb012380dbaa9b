/* salvage - see salvage.h.
 *
 * Invariant: `job` is what the store holds of it. A portion is committed in a group of its own, and
 * `job` only follows when that group is on disk. */
#include "keeper/repair/salvage.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/log.h"
#include "base/now.h"
#include "keeper/repair/damage.h"
#include "keeper/repair/opening.h"
#include "keeper/repair/wreck.h"
#include "keeper/self.h"

static const char SALVAGED[] = "journal.salvaged";

/* What the child hands back: a head, then pieces, each followed by its body. */
struct head {
    int64_t next;
    bool is_done;
    char log[WORD_ID_MAX + 1];
};

struct piece {
    int64_t seq;
    struct digest leaf;
    uint32_t length; /* 0: lost, or it cannot be wrapped */
    uint8_t lane;
    bool is_lost, is_proven;
};

static void go_on(struct loop_timer *timer);

void salvage_open(struct salvage *salvage, struct loop *loop, struct group *group,
                  const char *state, const struct key *city)
{
    *salvage = (struct salvage){.loop = loop,
                                .journal = group->journal,
                                .group = group,
                                .state = state,
                                .city = city,
                                .next.fire = go_on};
}

void salvage_close(struct salvage *salvage)
{
    errand_stop(&salvage->errand);
    loop_timer_stop(&salvage->next);
}

/* ---- Jobs */

static int put_job(const struct salvage *salvage, const struct job *job)
{
    struct buffer record = {0};
    job_print(job, &record);
    int err = store_put(salvage->journal->store, OPENING_OWN, job->folder, record.bytes,
                        record.length);
    buffer_free(&record);
    return err;
}

static void record_aside(const struct salvage *salvage, const char *folder,
                         const char *why)
{
    struct buffer told = {0};
    buffer_append_text(&told, "{\"folder\":");
    json_put_text(&told, folder);
    buffer_append_text(&told, ",\"reason\":");
    json_put_text(&told, why);
    buffer_append_text(&told, "}");
    self_record(salvage->group, "journal.damaged", buffer_text(&told));
    buffer_free(&told);
}

static int admit(struct salvage *salvage, const char *folder, const char *aside,
                 const char *why)
{
    struct buffer record = {0};
    struct job job;
    int err = job_begin(&job, folder);
    if (err)
        return 0; /* no name of ours */
    err = store_get(salvage->journal->store, OPENING_OWN, folder, &record);
    buffer_free(&record);
    if (err != -ENOENT)
        return err;
    err = put_job(salvage, &job);
    if (!err)
        record_aside(salvage, folder,
                     strcmp(folder, aside) == 0 ? why : "it was set aside before");
    return err;
}

static int is_aside(const struct dirent *entry)
{
    return strncmp(entry->d_name, damage_prefix, strlen(damage_prefix)) == 0;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int salvage_admit(struct salvage *salvage, const char *aside, const char *why)
{
    struct dirent **folders = NULL;
    int err = group_enter(salvage->group);
    int count = err ? 0 : scandir(salvage->state, &folders, is_aside, alphasort);
    if (count < 0)
        return -errno;
    salvage->folders = count;
    for (int i = 0; i < count; i++) {
        bool is_new = count - i <= SALVAGE_FOLDERS_MAX;
        if (!err && is_new)
            err = admit(salvage, folders[i]->d_name, last_part(aside), why);
        free(folders[i]);
    }
    free(folders);
    return err;
}

/* The first that is not done ends the walk. */
static int take_job(void *owner, const char *key, const void *value, size_t length)
{
    struct job *job = owner;
    if (job_begin(job, key) == 0 && job_read(job, value, length) == 0 && !job->is_done)
        return 1;
    *job = (struct job){.folder = ""};
    return 0;
}

static void find_job(struct salvage *salvage)
{
    char until[JOB_FOLDER_MAX];
    snprintf(until, sizeof(until), "%s", damage_prefix);
    until[strlen(until) - 1]++; /* behind every name that begins so */
    salvage->job = (struct job){.folder = ""};
    salvage->failures = 0;
    store_each_key(salvage->journal->store, OPENING_OWN, damage_prefix, until, take_job,
                   &salvage->job);
}

/* ---- Reading, in a child */

/* Whether the body may stand two levels deep in another event. */
static bool can_be_wrapped(const void *body, size_t length)
{
    struct buffer nested = {0};
    struct json *json = NULL;
    if (length > SALVAGE_EVENT_MAX || ((const char *)body)[0] != '{')
        return false;
    buffer_append_text(&nested, "[[");
    buffer_append(&nested, body, length);
    buffer_append_text(&nested, "]]");
    bool fine = json_parse(&json, nested.bytes, nested.length) == 0;
    json_free(fine ? json : NULL);
    buffer_free(&nested);
    return fine;
}

static int put_piece(void *owner, const struct wreck_event *event)
{
    struct buffer *result = owner;
    struct piece piece = {.seq = event->seq,
                          .leaf = event->leaf,
                          .lane = (uint8_t)event->lane,
                          .is_lost = event->is_lost,
                          .is_proven = event->is_proven};
    if (!event->is_lost && can_be_wrapped(event->body, event->length))
        piece.length = (uint32_t)event->length;
    if (result->length + sizeof(piece) + piece.length > ERRAND_RESULT_MAX)
        return 1;
    buffer_append(result, &piece, sizeof(piece));
    buffer_append(result, event->body, piece.length);
    return 0;
}

static int read_pieces(const struct salvage *salvage, struct wreck *wreck,
                       struct buffer *result)
{
    struct head head = {.next = salvage->job.next};
    if (strcmp(wreck_office(wreck), salvage->journal->log.office) != 0)
        return -EBADMSG;
    if (head.next < 0)
        head.next = wreck_first(wreck);
    strcpy(head.log, wreck_log(wreck));
    buffer_append(result, &head, sizeof(head));
    int end = wreck_read(wreck, &head.next, put_piece, result);
    head.is_done = end == 1;
    memcpy(result->bytes, &head, sizeof(head));
    return end < 0 ? end : 0;
}

static int read_portion(void *owner, struct buffer *result)
{
    const struct salvage *salvage = owner;
    char folder[JOURNAL_PATH_MAX];
    struct wreck *wreck;
    int err = file_join(folder, sizeof(folder), salvage->state, salvage->job.folder);
    if (!err)
        err = wreck_open(&wreck, folder, salvage->journal->key, salvage->city);
    if (err)
        return err;
    err = read_pieces(salvage, wreck, result);
    wreck_close(wreck);
    return err;
}

/* ---- Committing */

static void print_wrap(struct buffer *out, const struct job *job,
                       const struct piece *piece, const void *body)
{
    char leaf[2 * DIGEST_BYTES + 1];
    hex_encode(leaf, piece->leaf.bytes, DIGEST_BYTES);
    buffer_printf(out,
                  "{\"log\":\"%s\",\"seq\":%" PRId64
                  ",\"lane\":\"%s\",\"leaf\":\"%s\",\"proven\":%s,",
                  job->log, piece->seq, talk_lane_name((enum talk_lane)piece->lane), leaf,
                  piece->is_proven ? "true" : "false");
    if (piece->length == 0) {
        buffer_printf(out, "\"folder\":\"%s\"}", job->folder);
        return;
    }
    buffer_append_text(out, "\"event\":");
    buffer_append(out, body, piece->length);
    buffer_append_text(out, "}");
}

/* One that was itself salvaged is taken out of its first wrapping: its identity is there. */
static void print_content(struct buffer *out, const struct job *job,
                          const struct piece *piece, const void *body)
{
    char type[WORD_TYPE_MAX + 1];
    const char *inner;
    size_t length;
    if (piece->length > 0 && event_type(type, body, piece->length) == 0 &&
        strcmp(type, SALVAGED) == 0 &&
        event_content(&inner, &length, body, piece->length) == 0)
        buffer_append(out, inner, length);
    else
        print_wrap(out, job, piece, body);
}

static int append_piece(const struct salvage *salvage, const struct job *job,
                        const struct piece *piece, const void *body)
{
    char subject[WORD_SUBJECT_MAX + 1] = "", time[NOW_TEXT_ROOM] = "";
    struct buffer content = {0};
    int64_t seq;
    struct event_draft draft = {
        .source = "keeper/keeper", .type = SALVAGED, .lane = (enum talk_lane)piece->lane};
    print_content(&content, job, piece, body);
    draft.data = content.bytes;
    draft.data_length = content.length;
    if (event_word(subject, sizeof(subject), "subject", body, piece->length) == 0 &&
        word_is_subject(subject))
        draft.subject = subject;
    if (event_word(time, sizeof(time), "time", body, piece->length) != 0 ||
        now_parse(&draft.time_us, time) != 0 || draft.time_us < 0)
        draft.time_us = 0;
    int err = journal_append(salvage->journal, &draft, &seq);
    buffer_free(&content);
    return err;
}

static int append_pieces(const struct salvage *salvage, struct job *job,
                         const struct buffer *result)
{
    struct piece piece;
    int err = 0;
    for (size_t at = sizeof(struct head); at < result->length && !err;
         at += sizeof(piece) + piece.length) {
        memcpy(&piece, result->bytes + at, sizeof(piece));
        if (piece.is_lost) {
            job_lose(job, piece.lane, piece.seq);
            continue;
        }
        err = append_piece(salvage, job, &piece, result->bytes + at + sizeof(piece));
        job_find(job, piece.lane);
    }
    return err;
}

static void record_end(const struct salvage *salvage, const struct job *job)
{
    struct buffer told = {0};
    job_print_end(job, &told);
    self_record(salvage->group, "journal.damaged", buffer_text(&told));
    log_info("%s: salvaged: %" PRId64 " alarms, %" PRId64 " records, %" PRId64
             " telemetry; gone: %" PRId64,
             job->folder, job->found[LANE_ALARM], job->found[LANE_RECORD],
             job->found[LANE_TELEMETRY],
             job->lost[LANE_ALARM] + job->lost[LANE_RECORD] + job->lost[LANE_TELEMETRY] +
                 job->lost[LANES]);
    buffer_free(&told);
}

/* In a group of its own; whether it is on disk. */
static bool commit_portion(struct salvage *salvage, const struct job *job,
                           struct job *after, const struct buffer *result)
{
    struct group *group = salvage->group;
    group_commit(group);
    int64_t commits = group->commits;
    *after = *job;
    int err = group_enter(group);
    if (!err && result != NULL)
        err = append_pieces(salvage, after, result);
    if (!err)
        err = put_job(salvage, after);
    if (!err && after->is_done)
        record_end(salvage, after);
    if (err && salvage->journal->is_open)
        group_fail(group, err);
    else
        group_commit(group);
    return group->commits > commits;
}

static void next_after(struct salvage *salvage, int64_t ms)
{
    loop_timer_start(salvage->loop, &salvage->next, ms);
}

/* What cannot be read at all is left where it is; nothing is said to be salvaged. */
static void fail(struct salvage *salvage, int err)
{
    struct job job = salvage->job, after;
    bool is_over = err == -EBADMSG || ++salvage->failures >= SALVAGE_TRIES;
    log_warn("%s: cannot be salvaged: %s%s", job.folder, strerror(-err),
             is_over ? "; it is left as it is" : "; again later");
    job.is_done = true;
    if (is_over && commit_portion(salvage, &job, &after, NULL))
        find_job(salvage);
    next_after(salvage, SALVAGE_RETRY_MS);
}

static void portion_done(void *owner, int err, const struct buffer *result)
{
    struct salvage *salvage = owner;
    struct job job = salvage->job, after;
    struct head head;
    if (!err && result->length < sizeof(head))
        err = -ECHILD;
    if (err) {
        fail(salvage, err);
        return;
    }
    memcpy(&head, result->bytes, sizeof(head));
    job.next = head.next;
    job.is_done = head.is_done;
    strcpy(job.log, head.log);
    if (!commit_portion(salvage, &job, &after, result)) {
        next_after(salvage, SALVAGE_RETRY_MS); /* no room, for instance */
        return;
    }
    salvage->job = after;
    salvage->failures = 0;
    if (after.is_done)
        find_job(salvage);
    next_after(salvage, SALVAGE_PAUSE_MS);
}

static bool others_come_first(const struct salvage *salvage)
{
    return salvage->group->has_alarm || salvage->journal->tail.count > SALVAGE_BACKLOG;
}

static void go_on(struct loop_timer *timer)
{
    struct salvage *salvage = container_of(timer, struct salvage, next);
    if (salvage->job.folder[0] == '\0')
        return;
    if (others_come_first(salvage)) {
        next_after(salvage, SALVAGE_WAIT_MS);
        return;
    }
    int err = errand_start(&salvage->errand, salvage->loop, read_portion, portion_done,
                           salvage);
    if (err)
        next_after(salvage, SALVAGE_RETRY_MS);
}

void salvage_start(struct salvage *salvage)
{
    find_job(salvage);
    next_after(salvage, SALVAGE_WAIT_MS);
}

void salvage_print(const struct salvage *salvage, struct buffer *out)
{
    const struct job *job = &salvage->job;
    buffer_printf(out, "{\"aside\":%d", salvage->folders);
    if (job->folder[0] != '\0')
        buffer_printf(out, ",\"folder\":\"%s\",\"next\":%" PRId64 ",\"found\":%" PRId64,
                      job->folder, job->next,
                      job->found[LANE_ALARM] + job->found[LANE_RECORD] +
                          job->found[LANE_TELEMETRY]);
    buffer_append_text(out, "}");
}
