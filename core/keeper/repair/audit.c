/* audit - see audit.h. */
#include "keeper/repair/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "keeper/journal/journal.h"
#include "keeper/repair/mend.h"
#include "keeper/repair/wal.h"
#include "proof/note.h"
#include "proof/receipt.h"

enum { ROWS_MAX = 1 << 30 };

/* A root that the tree must have had at a size. */
struct claim {
    const char *who;
    bool made;
    bool met;
    uint64_t size;
    struct digest root;
};

struct audit {
    struct journal *journal;
    const struct key *city;
    struct buffer *why;
    struct claim checkpoint;
    struct claim receipt;
};

/* Whether a file that cannot be read is damage; a lack of rights or memory is not. */
static bool is_damage(int err)
{
    return err == -ENOENT || err == -EFBIG || err == -EBADMSG || err == -EINVAL ||
           err == -EIO;
}

static int refuse(struct audit *audit, int64_t seq, const char *what)
{
    buffer_printf(audit->why, "event %" PRId64 " %s", seq, what);
    return -EBADMSG;
}

static int meet_claim(struct audit *audit, struct claim *claim)
{
    struct digest root;
    if (!claim->made || claim->met || audit->journal->tree.size != claim->size)
        return 0;
    tree_root(&audit->journal->tree, &root);
    claim->met = digest_equal(&root, &claim->root);
    if (claim->met)
        return 0;
    buffer_printf(audit->why,
                  "the first %" PRIu64 " events do not have the root of the %s",
                  claim->size, claim->who);
    return -EBADMSG;
}

static int meet_claims(struct audit *audit)
{
    int err = meet_claim(audit, &audit->checkpoint);
    return err ? err : meet_claim(audit, &audit->receipt);
}

/* A claim about sealed events is met by the hash tiles. */
static int meet_sealed_claim(struct audit *audit, struct claim *claim)
{
    struct journal *journal = audit->journal;
    struct digest root;
    if (!claim->made || claim->size >= journal->sealed.size)
        return 0;
    int err = journal_root(journal, &root, claim->size);
    if (err) {
        buffer_printf(audit->why, "the hash tiles cannot be read");
        return is_damage(err) ? -EBADMSG : err;
    }
    claim->met = digest_equal(&root, &claim->root);
    if (claim->met)
        return 0;
    buffer_printf(audit->why, "the hash tiles do not have the root of the %s",
                  claim->who);
    return -EBADMSG;
}

static int read_row(void *owner, const struct store_event *event)
{
    struct audit *audit = owner;
    struct journal *journal = audit->journal;
    struct digest leaf;
    int64_t expected = (int64_t)journal->tree.size;
    if (event->seq != expected)
        return refuse(audit, expected, "is missing");
    suite_leaf(journal->suite, &leaf, event->body, event->length);
    if (!digest_equal(&leaf, &event->leaf))
        return refuse(audit, expected, "has been changed");
    struct event_stamp stamp = {journal->log.office, journal->log.log, expected};
    if (!event_is(&stamp, event->lane, event->body, event->length))
        return refuse(audit, expected, "is not in its place");
    tree_append(&journal->tree, &leaf);
    tail_push(&journal->tail, event->lane, &leaf);
    journal->lane_last[event->lane] = event->seq;
    return meet_claims(audit);
}

/* Without one that our key has signed the log goes on, when all else agrees. */
static int lose_checkpoint(struct audit *audit)
{
    audit->journal->damage |= AUDIT_CHECKPOINT;
    return 0;
}

/* There has been one when somebody else or the end in good order speaks of it. */
static int miss_checkpoint(struct audit *audit)
{
    const struct journal *journal = audit->journal;
    bool was_there = journal->log.closed || audit->receipt.made;
    return was_there ? lose_checkpoint(audit) : 0;
}

static int read_checkpoint(struct audit *audit)
{
    struct journal *journal = audit->journal;
    struct checkpoint checkpoint;
    struct buffer note = {0};
    char path[JOURNAL_PATH_MAX];
    int err = journal_path(journal, path, "checkpoint");
    if (!err)
        err = file_read(&note, path, NOTE_MAX);
    bool is_read = !err;
    if (!err)
        err = checkpoint_read(&checkpoint, note.bytes, note.length, journal->key);
    buffer_free(&note);
    if (err == -ENOENT)
        return miss_checkpoint(audit);
    if (err && !is_read && !is_damage(err))
        return err;
    if (err)
        return lose_checkpoint(audit);
    if (strcmp(checkpoint.origin, journal->origin) != 0) {
        buffer_append_text(audit->why, "the checkpoint is not one of this log");
        return -EBADMSG;
    }
    journal->signed_size = checkpoint.size;
    audit->checkpoint = (struct claim){"newest checkpoint", true, false, checkpoint.size,
                                       checkpoint.root};
    return 0;
}

/* Marks and receipt are written together, so the receipt, which is signed, tells what a mark must
 * be. */
static void mend_marks(struct audit *audit, const struct receipt *receipt)
{
    struct journal *journal = audit->journal;
    for (int lane = 0; lane < LANES; lane++) {
        if (journal->marks[lane] == receipt->lane[lane])
            continue;
        journal->marks[lane] = receipt->lane[lane];
        journal->damage |= AUDIT_MARKS;
    }
}

static void lose_receipt(struct audit *audit)
{
    buffer_clear(&audit->journal->receipt);
    audit->journal->damage |= AUDIT_RECEIPT;
}

/* An old receipt of a city that has another key now is believed as it was when it came. */
static int open_receipt(const struct audit *audit, struct receipt *receipt)
{
    const struct buffer *note = &audit->journal->receipt;
    int err = receipt_read(receipt, note->bytes, note->length, audit->city);
    return err == -ENOKEY ? receipt_read(receipt, note->bytes, note->length, NULL) : err;
}

static int read_receipt(struct audit *audit)
{
    struct journal *journal = audit->journal;
    struct receipt receipt;
    if (journal->receipt.length == 0)
        return 0;
    if (open_receipt(audit, &receipt) != 0) {
        lose_receipt(audit);
        return 0;
    }
    if (strcmp(receipt.log, journal->log.log) != 0) {
        buffer_append_text(audit->why, "the city's receipt is not one of this log");
        return -EBADMSG;
    }
    mend_marks(audit, &receipt);
    if (receipt.has_checkpoint)
        audit->receipt =
            (struct claim){"city's receipt", true, false, receipt.size, receipt.root};
    return 0;
}

/* The hash tiles must have the root of the edge in tail.db, or be made anew until they have. */
static int check_tiles(struct audit *audit)
{
    struct buffer names = {0};
    int err = mend_edge(audit->journal, &names);
    if (err == 1) {
        audit->journal->damage |= AUDIT_TILES;
        log_error("journal: hash tiles were damaged and have been made anew: %s",
                  buffer_text(&names));
    }
    if (err == -EBADMSG)
        buffer_append_text(audit->why, "the hash tiles are not those of tail.db");
    buffer_free(&names);
    return err == 1 ? 0 : err;
}

static int read_tail(struct audit *audit)
{
    struct journal *journal = audit->journal;
    int err = meet_claims(audit);
    if (!err)
        err = store_each_event(journal->store, (int64_t)journal->tree.size, ROWS_MAX,
                               read_row, audit);
    journal->size = (int64_t)journal->tree.size;
    return err;
}

static int check_ends(struct audit *audit)
{
    const struct journal *journal = audit->journal;
    if (audit->checkpoint.made && !audit->checkpoint.met)
        return refuse(audit, journal->size, "is in the newest checkpoint, but missing");
    if (audit->receipt.made && !audit->receipt.met)
        return refuse(audit, journal->size, "is in the city's receipt, but missing");
    for (int lane = 0; lane < LANES; lane++)
        if (journal->marks[lane] > journal->lane_last[lane])
            return refuse(audit, journal->marks[lane],
                          "is at the city, but missing here");
    return 0;
}

/* Without a receipt nobody vouches for a mark: it counts as far as there are events. */
static void cut_marks(struct journal *journal)
{
    if (journal->receipt.length > 0)
        return;
    for (int lane = 0; lane < LANES; lane++) {
        if (journal->marks[lane] <= journal->lane_last[lane])
            continue;
        journal->marks[lane] = journal->lane_last[lane];
        journal->damage |= AUDIT_MARKS;
    }
}

int audit_journal(struct journal *journal, const struct key *city, struct buffer *why)
{
    struct audit audit = {.journal = journal, .city = city, .why = why};
    int err = read_receipt(&audit);
    if (!err)
        err = read_checkpoint(&audit);
    if (!err)
        err = check_tiles(&audit);
    if (!err)
        err = meet_sealed_claim(&audit, &audit.checkpoint);
    if (!err)
        err = meet_sealed_claim(&audit, &audit.receipt);
    if (!err)
        err = read_tail(&audit);
    if (err)
        return err;
    cut_marks(journal);
    return check_ends(&audit);
}

bool audit_is_ours(const char *folder, const struct key *key, const char *office)
{
    struct checkpoint checkpoint;
    struct buffer note = {0};
    char path[JOURNAL_PATH_MAX], origin[CHECKPOINT_ORIGIN_MAX + 1];
    int err = file_join(path, sizeof(path), folder, "checkpoint");
    if (!err)
        err = file_read(&note, path, NOTE_MAX);
    if (!err)
        err = checkpoint_read(&checkpoint, note.bytes, note.length, key);
    if (!err)
        err = checkpoint_origin(origin, office, "");
    buffer_free(&note);
    return !err && strncmp(checkpoint.origin, origin, strlen(origin)) == 0;
}

bool audit_has_history(const char *folder)
{
    static const char *const LEFT[] = {"checkpoint", "closed", "receipt", "tile"};
    char path[JOURNAL_PATH_MAX];
    for (size_t i = 0; i < countof(LEFT); i++)
        if (file_join(path, sizeof(path), folder, LEFT[i]) == 0 && file_exists(path))
            return true;
    return false;
}

/* "<origin>/closed\n<size>\n<hex of SHA-256>\n" */
static bool read_statement(struct audit_end *end, const struct buffer *note,
                           size_t length, struct digest *digest)
{
    char origin[CHECKPOINT_ORIGIN_MAX + 8], hex[2 * DIGEST_BYTES + 1];
    char text[512];
    if (length >= sizeof(text))
        return false;
    memcpy(text, note->bytes, length);
    text[length] = '\0';
    return sscanf(text, "%167[^\n]\n%" SCNd64 "\n%64[0-9a-f]\n", origin, &end->size,
                  hex) == 3 &&
           hex_decode(digest->bytes, DIGEST_BYTES, hex) == 0;
}

static bool is_tail(const char *folder, const struct digest *digest)
{
    char path[JOURNAL_PATH_MAX];
    struct digest found;
    int err = file_join(path, sizeof(path), folder, "tail.db");
    if (!err)
        err = suite_hash_file(suite_named("sha256+ed25519"), &found, path);
    return !err && digest_equal(&found, digest);
}

bool audit_has_wal(const char *folder)
{
    char path[JOURNAL_PATH_MAX];
    struct stat wal;
    return file_join(path, sizeof(path), folder, "tail.db-wal") != 0 ||
           (stat(path, &wal) == 0 && wal.st_size > 0);
}

/* The first transaction after a good end says that the journal is open, and nobody is answered
 * before it is on disk. So a log whose only transaction is not whole is that of a keeper which was
 * cut at its very beginning, and nothing is lost with it; one that is whole changes what was
 * signed; and of several that are not, the later ones may have been answered. */
static bool is_only_begun(const char *folder)
{
    char path[JOURNAL_PATH_MAX];
    struct wal wal;
    return file_join(path, sizeof(path), folder, "tail.db-wal") == 0 &&
           wal_look(&wal, path) == 0 && wal.whole == 0 && wal.claimed <= 1;
}

void audit_read_end(struct audit_end *end, const char *folder, const struct key *key)
{
    char path[JOURNAL_PATH_MAX];
    struct buffer note = {0};
    struct digest digest;
    size_t length;
    *end = (struct audit_end){.is_there = false};
    int err = file_join(path, sizeof(path), folder, "closed");
    if (!err)
        err = file_read(&note, path, NOTE_MAX);
    end->is_there = !err;
    end->is_true = !err && note_open(note.bytes, note.length, key, &length) == 0 &&
                   read_statement(end, &note, length, &digest) && is_only_begun(folder) &&
                   is_tail(folder, &digest);
    buffer_free(&note);
}

int audit_check_end(const struct journal *journal, const struct audit_end *end,
                    struct buffer *why)
{
    if (!journal->log.closed || !end->is_there)
        return 0; /* it crashed, also between the mark and the statement */
    bool is_signed = journal->signed_size == (uint64_t)journal->size ||
                     (journal->damage & AUDIT_CHECKPOINT);
    if (end->is_true && end->size == journal->size && is_signed)
        return 0;
    buffer_append_text(why, end->is_true ? "the checkpoint is not the last one"
                                         : "tail.db is not the one that was closed");
    return -EBADMSG;
}
