/* children - see children.h. */
#include "keeper/children/children.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/now.h"
#include "keeper/blobs/blobs.h"
#include "keeper/blobs/custody.h"
#include "keeper/blobs/parcels.h"
#include "keeper/blobs/viewing.h"
#include "keeper/captures/capture.h"
#include "keeper/captures/reel.h"
#include "keeper/children/commit.h"
#include "keeper/control/asking.h"

enum {
    HEALTH_MAX = 4096,
    TAIL_MAX = 1024 * 1024,
    ANSWERS_MAX = 64 * 1024, /* that a host has not taken while it asks on */
    ANSWERS_MS = 50,
    COST_LOOK = 8,      /* messages that a question costs which reads much */
    COST_SPOOL = 40,    /* and one that starts a process */
    COST_REFUSED = 200, /* and a commit that is refused: it is a line in the log */
    HELD_SAID_US = 60 * 1000 * 1000
};

/* Hosts that flood are told of once a minute. What a host cannot say is no silence of its own. */
static void charge(struct children *children, struct peer *peer, int64_t messages,
                   size_t bytes)
{
    int64_t now_us = now_mono_us();
    if (children->rate == NULL || peer->role != PEER_HOST || peer->line == NULL)
        return;
    int64_t ms = allowance_take(&peer->allowance, children->rate, now_us, messages,
                                (int64_t)bytes);
    if (ms == 0 && line_queued(peer->line) > ANSWERS_MAX)
        line_pause(peer->line, ANSWERS_MS); /* and that is a silence of its own */
    if (ms == 0)
        return;
    line_pause(peer->line, ms);
    int64_t from_us = peer->heard_us > now_us ? peer->heard_us : now_us;
    peer->heard_us = now_us + ms * 1000;
    peer->held_ms += (peer->heard_us - from_us) / 1000;
    if (peer->held_told_us != 0 && now_us - peer->held_told_us < HELD_SAID_US)
        return;
    peer->held_told_us = now_us;
    log_warn("%s: says more than %lld messages or %lld KiB a second; it has to wait "
             "(%lld ms up to now)",
             peer->name, (long long)children->rate->messages,
             (long long)children->rate->bytes / 1024, (long long)peer->held_ms);
}

/* Of a commit each effect is one. */
static int64_t messages_in(const struct frame *frame)
{
    struct fields rest = frame->fields;
    struct field field;
    int64_t messages = 0;
    if (frame->type == TALK_RANGE || frame->type == TALK_FETCH)
        return COST_LOOK;
    if (frame->type == TALK_SPOOL)
        return COST_SPOOL;
    while (frame->type == TALK_COMMIT && fields_next(&rest, &field) > 0)
        messages++;
    return messages > 0 ? messages : 1;
}

static int hear_hello(struct children *children, struct peer *peer,
                      const struct frame *frame)
{
    struct buffer config = {0}, start = {0};
    if (peer->is_ready)
        return -EPROTO;
    peer->is_ready = true;
    peer->heard_us = now_mono_us();
    if (peer->role == PEER_READER)
        return 0;
    children->print_start(children->owner, peer, &config);
    frame_begin(&start, TALK_START, frame->id);
    frame_put(&start, TAG_CONFIG, config.bytes, config.length);
    peer_send(peer, &start);
    buffer_free(&config);
    buffer_free(&start);
    children->greeted(children->owner, peer);
    return 0;
}

/* Where room is scarce, telemetry that comes with neither alarm nor record is left out, and the gap
 * is told: refused, the plugin would be started anew, and alarms would wait for it. A tail that
 * cannot be sealed is a disk that fails: alarms still go in, the rest is refused. */
static int check_room(const struct children *children, struct commit *commit)
{
    bool only_telemetry =
        commit->has_telemetry && !commit->has_alarm && !commit->has_record;
    commit->skips_telemetry = children->storage != NULL && only_telemetry &&
                              storage_admit(children->storage) != 0;
    if (children->journal->tail.count < TAIL_MAX || commit->has_alarm)
        return 0;
    return -ENOSPC;
}

static int apply_commit(struct children *children, struct peer *peer,
                        const struct frame *frame, const struct commit *commit)
{
    int64_t first;
    int err = group_enter(children->group);
    if (err) {
        peer_done(peer, frame->id, err, strerror(-err), -1);
        return 0;
    }
    err = commit_apply(commit, children->journal, &first);
    if (!err && commit->blobs > 0)
        err = blobs_apply(children->blobs, peer, &commit->fields, first);
    if (err) {
        peer_done(peer, frame->id, err, strerror(-err), -1);
        group_fail(children->group, err);
        return 0;
    }
    children->group->has_alarm |= commit->has_alarm;
    if (commit->has_alarm && peer->reel != NULL)
        reel_freeze(peer->reel, "alarm", NULL);
    group_answer(children->group, peer, frame->id, first);
    group_ask(children->group, 1 + commit->events, commit->has_alarm);
    return 0;
}

static int check_blobs(struct children *children, struct peer *peer,
                       const struct fields *fields, struct buffer *why)
{
    if (children->blobs == NULL) {
        buffer_append_text(why, "blob: there is no place for any");
        return -EINVAL;
    }
    return blobs_check(children->blobs, peer, fields, why);
}

/* Whether the instance may keep so much. */
static int check_holding(struct children *children, const struct peer *peer,
                         struct commit *commit, struct buffer *why)
{
    struct store *store = children->journal->store;
    int err = holding_find(&children->group->holdings, store, peer->plugin->instance,
                           &commit->holding);
    if (!err)
        err = holding_check(commit->holding, store, &commit->fields, why);
    if (err && why->length == 0)
        buffer_printf(why, "the store cannot be read: %s", strerror(-err));
    return err;
}

static int hear_commit(struct children *children, struct peer *peer,
                       const struct frame *frame)
{
    struct commit commit;
    struct buffer why = {0};
    int err = commit_check(&commit, peer->plugin, children->journal->size, &frame->fields,
                           &why);
    if (!err && commit.blobs > 0)
        err = check_blobs(children, peer, &frame->fields, &why);
    if (!err)
        err = check_holding(children, peer, &commit, &why);
    if (!err && (err = check_room(children, &commit)) != 0)
        buffer_append_text(&why, "the journal has no room");
    if (err) {
        log_warn("%s: a commit is refused: %s", peer->name, buffer_text(&why));
        charge(children, peer, COST_REFUSED, 0);
        peer_done(peer, frame->id, err, buffer_text(&why), -1);
    } else {
        err = apply_commit(children, peer, frame, &commit);
    }
    buffer_free(&why);
    return err == -EPROTO ? err : 0;
}

struct values {
    struct buffer frame;
    int64_t left;
    bool cut;
};

static int put_value(void *owner, const char *key, const void *value, size_t length)
{
    struct values *values = owner;
    size_t room = strlen(key) + length + 64;
    if (values->left-- <= 0 || values->frame.length + room > FRAME_MAX) {
        values->cut = true;
        return 1;
    }
    size_t mark = frame_open(&values->frame, TAG_PUT);
    frame_put_text(&values->frame, TAG_KEY, key);
    frame_put(&values->frame, TAG_VALUE, value, length);
    frame_close(&values->frame, mark);
    return 0;
}

static int read_text(const struct frame *frame, enum talk_tag tag, char *text,
                     size_t room)
{
    struct field field;
    int err = fields_find(&frame->fields, tag, &field);
    return err ? err : field_text(&field, text, room);
}

/* A failed read ends the peer: it must not take "cannot be read" for "is not there". */
static int hear_get(struct children *children, struct peer *peer,
                    const struct frame *frame)
{
    char key[TALK_KEY_MAX + 1];
    struct values values = {.left = 1};
    struct buffer value = {0};
    int err = read_text(frame, TAG_KEY, key, sizeof(key));
    if (err)
        return -EPROTO;
    err = store_get(children->journal->store, peer->plugin->instance, key, &value);
    frame_begin(&values.frame, TALK_VALUES, frame->id);
    if (!err)
        put_value(&values, key, value.bytes, value.length);
    if (!err || err == -ENOENT)
        peer_send(peer, &values.frame);
    buffer_free(&values.frame);
    buffer_free(&value);
    return err == -ENOENT ? 0 : err;
}

static int hear_range(struct children *children, struct peer *peer,
                      const struct frame *frame)
{
    char from[TALK_KEY_MAX + 1] = "", until[TALK_KEY_MAX + 1];
    struct values values = {.left = INT64_MAX};
    struct field limit;
    int err = read_text(frame, TAG_KEY, from, sizeof(from));
    if (err && err != -ENOENT)
        return -EPROTO;
    err = read_text(frame, TAG_UNTIL, until, sizeof(until));
    if (err && err != -ENOENT)
        return -EPROTO;
    bool open_end = err == -ENOENT;
    if (fields_find(&frame->fields, TAG_LIMIT, &limit) == 0 &&
        (field_number(&limit, &values.left) != 0 || values.left < 0))
        return -EPROTO;
    frame_begin(&values.frame, TALK_VALUES, frame->id);
    err = store_each_key(children->journal->store, peer->plugin->instance, from,
                         open_end ? NULL : until, put_value, &values);
    if (values.cut)
        frame_put(&values.frame, TAG_MORE, "", 0);
    if (err >= 0)
        peer_send(peer, &values.frame);
    buffer_free(&values.frame);
    return err < 0 ? err : 0;
}

static int hear_fetch(struct children *children, struct peer *peer,
                      const struct frame *frame)
{
    return router_fetch(children->router, peer, frame);
}

static int hear_cancel(struct children *children, struct peer *peer,
                       const struct frame *frame)
{
    router_cancel(children->router, peer, frame->id);
    return 0;
}

static int hear_receipt(struct children *children, struct peer *peer,
                        const struct frame *frame)
{
    return link_receipt(children->link, peer, frame);
}

static int hear_stalled(struct children *children, struct peer *peer,
                        const struct frame *frame)
{
    (void)peer;
    return link_stalled(children->link, frame);
}

static int hear_health(struct children *children, struct peer *peer,
                       const struct frame *frame)
{
    struct field text;
    struct json *health;
    (void)children;
    if (fields_find(&frame->fields, TAG_TEXT, &text) != 0 || text.length > HEALTH_MAX ||
        json_parse(&health, text.bytes, text.length) != 0)
        return -EPROTO;
    json_free(peer->health);
    peer->health = health;
    const char *complaint = json_text(health, "cannot_start");
    if (complaint != NULL)
        snprintf(peer->complaint, sizeof(peer->complaint), "%s", complaint);
    return 0;
}

static int64_t read_count(const struct frame *frame, enum talk_tag tag)
{
    struct field field;
    int64_t count = 0;
    if (fields_find(&frame->fields, (uint8_t)tag, &field) != 0 ||
        field_number(&field, &count) != 0 || count < 0)
        return 0;
    return count;
}

static int hear_pong(struct children *children, struct peer *peer,
                     const struct frame *frame)
{
    struct field started;
    (void)children;
    peer->heard_us = now_mono_us();
    peer->reads = read_count(frame, TAG_READS);
    peer->unheard = read_count(frame, TAG_UNHEARD);
    peer->errors = read_count(frame, TAG_ERRORS);
    peer->has_started = fields_find(&frame->fields, TAG_STARTED, &started) == 0;
    return 0;
}

static int hear_reload(struct children *children, struct peer *peer,
                       const struct frame *frame)
{
    if (children->reload == NULL)
        return -EPROTO;
    return children->reload(children->owner, peer, frame);
}

static int hear_status(struct children *children, struct peer *peer,
                       const struct frame *frame)
{
    struct buffer text = {0}, report = {0};
    children->print_report(children->owner, &text);
    frame_begin(&report, TALK_REPORT, frame->id);
    frame_put(&report, TAG_TEXT, text.bytes, text.length);
    peer_send(peer, &report);
    buffer_free(&text);
    buffer_free(&report);
    return 0;
}

static int hear_ask(struct children *children, struct peer *peer,
                    const struct frame *frame)
{
    struct access_who who;
    if (children->asking == NULL)
        return -EPROTO;
    access_local(&who, json_get(children->asking->config->json, "access"), peer->uid);
    return asking_ask(children->asking, peer, frame, &who);
}

static int hear_answer(struct children *children, struct peer *peer,
                       const struct frame *frame)
{
    return children->asking ? asking_answer(children->asking, peer, frame) : -EPROTO;
}

static int hear_spool(struct children *children, struct peer *peer,
                      const struct frame *frame)
{
    if (children->blobs == NULL)
        return -EPROTO;
    return spools_hear(&children->blobs->spools, peer, frame);
}

static int hear_list(struct children *children, struct peer *peer,
                     const struct frame *frame)
{
    return children->viewing ? viewing_list(children->viewing, peer, frame) : -EPROTO;
}

static int hear_view(struct children *children, struct peer *peer,
                     const struct frame *frame)
{
    struct access_who who;
    if (children->viewing == NULL || children->asking == NULL)
        return -EPROTO;
    access_local(&who, json_get(children->asking->config->json, "access"), peer->uid);
    return viewing_view(children->viewing, peer, frame, &who);
}

static int hear_custody(struct children *children, struct peer *peer,
                        const struct frame *frame)
{
    struct access_who who;
    if (children->asking == NULL)
        return -EPROTO;
    access_local(&who, json_get(children->asking->config->json, "access"), peer->uid);
    return custody_hear(children, peer, frame, &who);
}

static int hear_parcels(struct children *children, struct peer *peer,
                        const struct frame *frame)
{
    if (children->parcels == NULL)
        return -EPROTO;
    return parcels_hear(children->parcels, peer, frame);
}

static int hear_capture(struct children *children, struct peer *peer,
                        const struct frame *frame)
{
    return capture_hear(children, peer, frame);
}

/* Too often is no fault: it is counted. */
static int hear_freeze(struct children *children, struct peer *peer,
                       const struct frame *frame)
{
    (void)children;
    (void)frame;
    if (peer->reel != NULL)
        reel_freeze(peer->reel, "error", NULL);
    return 0;
}

enum { OWN_CHILDREN = PEER_UPLINK | PEER_COURIER };

static const struct {
    int roles;
    int (*hear)(struct children *children, struct peer *peer, const struct frame *frame);
} TALKS[TALK_TYPES] = {
    [TALK_HELLO] = {PEER_HOST | OWN_CHILDREN | PEER_READER | PEER_CANARY | PEER_FREEZER,
                    hear_hello},
    [TALK_COMMIT] = {PEER_HOST | PEER_FREEZER, hear_commit},
    [TALK_GET] = {PEER_HOST, hear_get},
    [TALK_RANGE] = {PEER_HOST, hear_range},
    [TALK_FETCH] = {PEER_HOST | PEER_UPLINK | PEER_READER, hear_fetch},
    [TALK_CANCEL] = {PEER_HOST | PEER_UPLINK | PEER_READER, hear_cancel},
    [TALK_RECEIPT] = {PEER_UPLINK, hear_receipt},
    [TALK_HEALTH] = {PEER_HOST | OWN_CHILDREN | PEER_CANARY, hear_health},
    [TALK_PONG] = {PEER_HOST | OWN_CHILDREN | PEER_CANARY, hear_pong},
    [TALK_STATUS] = {PEER_READER, hear_status},
    [TALK_STALLED] = {PEER_UPLINK, hear_stalled},
    [TALK_RELOAD] = {PEER_READER, hear_reload},
    [TALK_ASK] = {PEER_READER, hear_ask},
    [TALK_ANSWER] = {PEER_HOST, hear_answer},
    [TALK_SPOOL] = {PEER_HOST | PEER_FREEZER, hear_spool},
    [TALK_SEAL] = {PEER_HOST | PEER_FREEZER, hear_spool},
    [TALK_ABANDON] = {PEER_HOST | PEER_FREEZER, hear_spool},
    [TALK_CAPTURE] = {PEER_READER, hear_capture},
    [TALK_FREEZE] = {PEER_HOST, hear_freeze},
    [TALK_LIST] = {PEER_READER, hear_list},
    [TALK_VIEW] = {PEER_READER, hear_view},
    [TALK_CUSTODY] = {PEER_READER, hear_custody},
    [TALK_PARCELS] = {PEER_COURIER, hear_parcels},
    [TALK_NOTE] = {PEER_COURIER, hear_parcels},
    [TALK_DRAW] = {PEER_COURIER, hear_parcels},
    [TALK_HANDOVER] = {PEER_COURIER, hear_parcels},
};

static void frame_came(void *owner, struct line *line, const struct frame *frame)
{
    struct peer *peer = owner;
    (void)line;
    struct children *children = peer->children;
    if (peer->is_ended)
        return; /* frames that were on their way */
    bool known = frame->type < TALK_TYPES &&
                 (TALKS[frame->type].roles & (int)peer->role) &&
                 (peer->is_ready || frame->type == TALK_HELLO);
    int err = known ? TALKS[frame->type].hear(children, peer, frame) : -EPROTO;
    if (err == 0) {
        charge(children, peer, messages_in(frame),
               (size_t)(frame->fields.end - frame->fields.next));
        return;
    }
    log_warn("%s: frame of type %d is not as agreed (%s); ended", peer->name, frame->type,
             strerror(-err));
    peer_end(peer);
}

static void line_over(void *owner, struct line *line, int why)
{
    struct peer *peer = owner;
    (void)line;
    children_remove(peer->children, peer);
    peer->gone(peer, why);
}

static const struct line_calls CALLS = {frame_came, line_over};

void children_open(struct children *children, struct loop *loop, struct group *group,
                   struct router *router, struct link *link)
{
    *children = (struct children){.loop = loop,
                                  .journal = group->journal,
                                  .group = group,
                                  .router = router,
                                  .link = link};
}

void children_close(struct children *children)
{
    while (children->peers != NULL)
        children_remove(children, children->peers);
}

int children_add(struct children *children, struct peer *peer, int fd)
{
    peer->children = children;
    int err = line_open(&peer->line, children->loop, fd, &CALLS, peer);
    if (err)
        return err;
    line_refuse_descriptors(peer->line); /* the keeper hands out, and takes none */
    peer->is_ended = false;
    peer->next = children->peers;
    children->peers = peer;
    return 0;
}

void children_remove(struct children *children, struct peer *peer)
{
    struct peer **link = &children->peers;
    while (*link != NULL && *link != peer)
        link = &(*link)->next;
    if (*link == NULL)
        return;
    *link = peer->next;
    router_forget(children->router, peer);
    group_forget(children->group, peer);
    link_forget(children->link, peer);
    if (children->forget != NULL)
        children->forget(children->owner, peer);
    if (children->asking != NULL)
        asking_forget(children->asking, peer);
    if (children->blobs != NULL)
        spools_forget(&children->blobs->spools, peer);
    if (children->viewing != NULL)
        viewing_forget(children->viewing, peer);
    if (children->parcels != NULL && peer->role == PEER_COURIER)
        parcels_forget(children->parcels);
    line_close(peer->line);
    peer->line = NULL;
    peer->is_ready = false;
    json_free(peer->health);
    peer->health = NULL;
}

void children_tell(struct children *children, int roles, enum talk_type type)
{
    struct buffer frame = {0};
    frame_begin(&frame, (uint8_t)type, 0);
    for (struct peer *peer = children->peers; peer != NULL; peer = peer->next)
        if (((int)peer->role & roles) && peer->is_ready)
            peer_send(peer, &frame);
    buffer_free(&frame);
}

void children_send_note(struct children *children, const struct buffer *note)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_CHECKPOINT, 0);
    frame_put(&frame, TAG_TEXT, note->bytes, note->length);
    for (struct peer *peer = children->peers; peer != NULL; peer = peer->next)
        if (peer->role == PEER_UPLINK && peer->is_ready)
            peer_send(peer, &frame);
    buffer_free(&frame);
}
