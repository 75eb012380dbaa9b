/* link - see link.h. */
#include "keeper/children/link.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/now.h"
#include "keeper/self.h"
#include "proof/note.h"

void link_open(struct link *link, struct journal *journal, struct group *group,
               const char *verifier_path)
{
    *link = (struct link){.journal = journal, .group = group};
    if (verifier_path == NULL)
        return;
    int err = key_load_verifier(&link->verifier, verifier_path);
    if (err)
        log_error(
            "city: verifier: cannot read a public key from %s: %s; receipts are refused "
            "and nothing counts as synced",
            verifier_path, strerror(-err));
}

void link_close(struct link *link)
{
    key_free(link->verifier);
    buffer_free(&link->note);
}

/* Whether event `seq` was committed and is of that lane; its body may be erased by now. */
static bool is_of_lane(struct journal *journal, int64_t seq, int lane)
{
    struct store_tile tile;
    if (seq < 0 || seq >= journal->size)
        return seq == -1;
    if (seq >= journal->tail.base)
        return (int)tail_lane(&journal->tail, seq) == lane;
    return store_get_tile(journal->store, seq / TILE_WIDTH, &tile) == 0 &&
           (tile.lanes[seq % TILE_WIDTH] & ~STORE_ERASED) == lane;
}

/* A root that is not ours must not be stored: the next start would take the journal for the one
 * that is wrong. The city says the same one again and again; the last that was met is known. */
static int check_root(struct link *link, const struct receipt *receipt)
{
    struct digest root;
    if (!receipt->has_checkpoint ||
        (link->met_size == receipt->size && digest_equal(&link->met, &receipt->root)))
        return 0;
    int err = journal_root(link->journal, &root, receipt->size);
    if (!err && !digest_equal(&root, &receipt->root))
        err = -EBADMSG;
    if (err && link->is_contradicted)
        return err;
    if (err) {
        log_error("city: a receipt's checkpoint of %" PRIu64
                  " events is not of this journal, which has %" PRId64 ": %s",
                  receipt->size, link->journal->size, strerror(-err));
        return err;
    }
    link->met_size = receipt->size;
    link->met = root;
    return 0;
}

static int check_receipt(struct link *link, const struct receipt *receipt)
{
    struct journal *journal = link->journal;
    if (strcmp(receipt->office, journal->log.office) != 0)
        return -EXDEV;
    if (strcmp(receipt->log, journal->log.log) != 0)
        return -ESTALE; /* of the log before this one: kept at the broker, harmless */
    for (int lane = 0; lane < LANES; lane++)
        if (!is_of_lane(journal, receipt->lane[lane], lane)) {
            if (!link->is_contradicted)
                log_error("city: a receipt names event %" PRId64
                          " as %s, which it is not",
                          receipt->lane[lane], talk_lane_name((enum talk_lane)lane));
            return -EBADMSG;
        }
    return check_root(link, receipt);
}

/* Writes all marks: those in the store may be of another receipt in this group. */
static int store_receipt(struct link *link, const struct field *note)
{
    struct store *store = link->journal->store;
    int err = 0;
    for (int lane = 0; lane < LANES && !err; lane++)
        err = store_put_mark(store, (enum talk_lane)lane, link->receipt.lane[lane]);
    if (!err)
        err = store_put_receipt(store, note->bytes, note->length);
    return err;
}

/* The city has signed for events that are not ours: this journal is an older copy, or somebody has
 * two. Nothing more counts as synced until a person has looked. Told once. */
static void record_contradiction(struct link *link, const struct receipt *receipt)
{
    char data[200];
    if (link->is_contradicted)
        return;
    link->is_contradicted = true;
    snprintf(data, sizeof(data),
             "{\"events\":%" PRId64 ",\"city\":{\"alarm\":%" PRId64 ",\"record\":%" PRId64
             ",\"telemetry\":%" PRId64 "}}",
             link->journal->size, receipt->lane[LANE_ALARM], receipt->lane[LANE_RECORD],
             receipt->lane[LANE_TELEMETRY]);
    self_record(link->group, "journal.contradicted", data);
}

static int read_receipt(struct link *link, const struct frame *frame,
                        struct receipt *receipt, struct field *note)
{
    int err = fields_find(&frame->fields, TAG_TEXT, note);
    if (err)
        return err;
    if (link->verifier == NULL)
        return -ENOKEY;
    err = receipt_read(receipt, note->bytes, note->length, link->verifier);
    if (err)
        return err;
    err = check_receipt(link, receipt);
    if (err == -EBADMSG)
        record_contradiction(link, receipt);
    return err;
}

int link_receipt(struct link *link, struct peer *peer, const struct frame *frame)
{
    struct receipt receipt;
    struct field note;
    int err = read_receipt(link, frame, &receipt, &note);
    if (err) {
        if (err != -ESTALE && link->refused++ == 0)
            log_warn("city: a receipt is refused: %s", strerror(-err));
        peer_done(peer, frame->id, err, "this receipt is refused", -1);
        return 0;
    }
    err = group_enter(link->group);
    if (err)
        return err;
    link->receipt = receipt;
    link->is_pending = true;
    buffer_clear(&link->note);
    buffer_append(&link->note, note.bytes, note.length);
    group_answer(link->group, peer, frame->id, -1);
    err = store_receipt(link, &note);
    if (err)
        group_fail(link->group,
                   err); /* which answers, or the uplink would wait for ever */
    else
        group_ask(link->group, 1, false);
    return 0;
}

static void record_stall(struct link *link, const char *type, int lane)
{
    struct buffer data = {0};
    buffer_printf(&data,
                  "{\"lane\":\"%s\",\"reason\":", talk_lane_name((enum talk_lane)lane));
    json_put_text(&data, link->stall);
    buffer_append_text(&data, "}");
    self_record(link->group, type, buffer_text(&data));
    buffer_free(&data);
}

static void end_stall(struct link *link, int lane)
{
    record_stall(link, "sync.resumed", lane);
    link->stall[0] = '\0';
    link->is_stall_old = false;
}

int link_stalled(struct link *link, const struct frame *frame)
{
    char why[TALK_STALL_MAX + 1];
    struct field field;
    int64_t lane, now_us = now_mono_us();
    int err = fields_find(&frame->fields, TAG_TEXT, &field);
    if (!err)
        err = field_text(&field, why, sizeof(why));
    if (!err)
        err = fields_find(&frame->fields, TAG_LANE, &field);
    if (!err)
        err = field_number(&field, &lane);
    if (err || lane < 0 || lane >= LANES)
        return -EPROTO;
    link->is_stall_old = false;
    if ((why[0] == '\0') == (link->stall[0] == '\0'))
        return 0;
    if (why[0] == '\0') {
        end_stall(link, (int)lane);
    } else if (link->stalled_us == 0 ||
               now_us - link->stalled_us >= (int64_t)LINK_STALL_MS * 1000) {
        link->stalled_us = now_us;
        link->stalled_lane = (int)lane;
        strcpy(link->stall, why);
        record_stall(link, "sync.stalled", (int)lane);
    }
    return 0;
}

static void send_mark(struct link *link, int lane)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_MARK, 0);
    frame_put_number(&frame, TAG_LANE, lane);
    frame_put_number(&frame, TAG_SEQ, link->journal->marks[lane]);
    peer_send(link->uplink, &frame);
    buffer_free(&frame);
}

void link_greet(struct link *link, struct peer *uplink)
{
    link->uplink = uplink;
    for (int lane = 0; lane < LANES; lane++)
        send_mark(link, lane);
}

void link_forget(struct link *link, const struct peer *peer)
{
    if (link->uplink != peer)
        return;
    link->uplink = NULL;
    link->is_stall_old = link->stall[0] != '\0';
}

void link_committed(struct link *link, int err)
{
    struct journal *journal = link->journal;
    if (!link->is_pending)
        return;
    link->is_pending = false;
    if (err)
        return;
    now_lift_floor(link->receipt.time_us);
    buffer_clear(&journal->receipt);
    buffer_append(&journal->receipt, link->note.bytes, link->note.length);
    bool rises = false;
    for (int lane = 0; lane < LANES; lane++) {
        if (journal->marks[lane] == link->receipt.lane[lane])
            continue;
        rises |= link->receipt.lane[lane] > journal->marks[lane];
        journal->marks[lane] = link->receipt.lane[lane];
        if (link->uplink != NULL)
            send_mark(link, lane);
    }
    if (rises && link->is_stall_old)
        end_stall(link, link->stalled_lane);
}
