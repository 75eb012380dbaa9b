/* papers - see papers.h.
 *
 * Rule of this file: a note has exactly the one signature line that its writer made, and a file
 * exactly the bytes that its writer wrote; slack would be room for bytes that nobody vouches for. */
#include "cli/journal/papers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/now.h"
#include "proof/note.h"

enum { DATABASE_MAX = 1 << 30 };

struct desk {
    struct papers *papers;
    const struct archive *archive;
    const struct papers_trust *trust;
    struct finding *finding;
};

static const char *reason(int err)
{
    switch (err) {
    case -EBADMSG:
        return "the signature is wrong";
    case -ENOKEY:
        return "not signed by that key";
    default:
        return "not a signed note of its kind";
    }
}

static bool same_verifier(const struct key *a, const struct key *b)
{
    struct buffer texts[2] = {{0}, {0}};
    key_print_verifier(a, &texts[0]);
    key_print_verifier(b, &texts[1]);
    bool same = strcmp(buffer_text(&texts[0]), buffer_text(&texts[1])) == 0;
    buffer_free(&texts[0]);
    buffer_free(&texts[1]);
    return same;
}

static bool is_one_line(const struct buffer *file, const struct key *key)
{
    struct buffer line = {0};
    key_print_verifier(key, &line);
    buffer_append(&line, "\n", 1);
    bool same =
        line.length == file->length && memcmp(line.bytes, file->bytes, file->length) == 0;
    buffer_free(&line);
    return same;
}

static int read_verifier(struct desk *desk)
{
    struct papers *papers = desk->papers;
    const struct tail *tail = &desk->archive->tail;
    struct buffer text = {0};
    char expected[KEY_NAME_MAX + 1];
    if (!desk->archive->verifier.is_there)
        return finding_put(desk->finding, "key.pub", "missing");
    buffer_append(&text, desk->archive->verifier.bytes.bytes,
                  desk->archive->verifier.bytes.length);
    int err = key_read_verifier(&papers->office, buffer_text(&text));
    buffer_free(&text);
    if (err || !is_one_line(&desk->archive->verifier.bytes, papers->office))
        return finding_put(desk->finding, "key.pub",
                           "not a public key (one line NAME+ID+KEY)");
    snprintf(expected, sizeof(expected), "outpost/%s", tail->office);
    if (strcmp(key_name(papers->office), expected) != 0)
        return finding_put(desk->finding, "key.pub", "is named %s, expected %s",
                           key_name(papers->office), expected);
    if (key_suite(papers->office) != tail->suite)
        return finding_put(desk->finding, "key.pub", "is of suite %s, the log of %s",
                           suite_name(key_suite(papers->office)),
                           suite_name(tail->suite));
    if (desk->trust->office != NULL &&
        !same_verifier(papers->office, desk->trust->office))
        return finding_put(desk->finding, "key.pub", "is not the key given with --key");
    return 0;
}

static bool has_one_signature(const struct buffer *note)
{
    size_t split;
    if (note_split(note->bytes, note->length, &split) != 0)
        return false;
    const char *line = note->bytes + split + 1;
    size_t left = note->length - split - 1;
    return memchr(line, '\n', left) == line + left - 1;
}

static int check_checkpoint(struct desk *desk, const struct checkpoint *checkpoint)
{
    const struct tail *tail = &desk->archive->tail;
    uint64_t size = archive_size(desk->archive);
    char origin[CHECKPOINT_ORIGIN_MAX + 1], place[FINDING_PLACE_MAX];
    if (checkpoint_origin(origin, tail->office, tail->log) != 0 ||
        strcmp(origin, checkpoint->origin) != 0)
        return finding_put(desk->finding, "checkpoint", "is of %s, expected %s",
                           checkpoint->origin, origin);
    if (checkpoint->suite != tail->suite)
        return finding_put(desk->finding, "checkpoint", "is of suite %s, the log of %s",
                           suite_name(checkpoint->suite), suite_name(tail->suite));
    if (checkpoint->size <= size)
        return 0;
    snprintf(place, sizeof(place), "event %" PRIu64, size);
    return finding_put(desk->finding, place,
                       "missing: the checkpoint covers %" PRIu64
                       " events, the journal holds %" PRIu64,
                       checkpoint->size, size);
}

static int read_checkpoint(struct desk *desk)
{
    struct papers *papers = desk->papers;
    const struct archive_file *file = &desk->archive->checkpoint;
    const struct tail *tail = &desk->archive->tail;
    if (!file->is_there && (tail->is_closed || tail->sealed > 0))
        return finding_put(desk->finding, "checkpoint", "missing");
    if (!file->is_there)
        return 0;
    int err = checkpoint_read(&papers->checkpoint, file->bytes.bytes, file->bytes.length,
                              papers->office);
    if (err)
        return finding_put(desk->finding, "checkpoint", "%s (key %s)", reason(err),
                           key_name(papers->office));
    if (!has_one_signature(&file->bytes))
        return finding_put(desk->finding, "checkpoint", "more than one signature");
    papers->has_checkpoint = true;
    return check_checkpoint(desk, &papers->checkpoint);
}

/* A receipt may not know more than the journal. */
static int check_reach(struct desk *desk, const struct receipt *receipt, const char *path)
{
    uint64_t size = archive_size(desk->archive);
    char place[FINDING_PLACE_MAX];
    snprintf(place, sizeof(place), "event %" PRIu64, size);
    for (int lane = 0; lane < LANES; lane++)
        if (receipt->lane[lane] >= 0 && (uint64_t)receipt->lane[lane] >= size)
            return finding_put(desk->finding, place,
                               "missing: by %s the city has event %" PRId64
                               " (%s), the journal holds %" PRIu64,
                               path, receipt->lane[lane],
                               talk_lane_name((enum talk_lane)lane), size);
    if (receipt->has_checkpoint && receipt->size > size)
        return finding_put(desk->finding, place,
                           "missing: by %s the city has verified %" PRIu64
                           " events, the journal holds %" PRIu64,
                           path, receipt->size, size);
    return 0;
}

static int read_receipt(struct desk *desk, struct receipt *receipt,
                        const struct buffer *note, const char *path)
{
    const struct tail *tail = &desk->archive->tail;
    int err = receipt_read(receipt, note->bytes, note->length, desk->trust->city);
    if (err && desk->trust->city != NULL)
        return finding_put(desk->finding, path, "%s (key %s)", reason(err),
                           key_name(desk->trust->city));
    if (err || !has_one_signature(note))
        return finding_put(desk->finding, path, "not a signed receipt");
    if (strcmp(receipt->office, tail->office) != 0 ||
        strcmp(receipt->log, tail->log) != 0)
        return finding_put(desk->finding, path, "is of %s/%s, expected %s/%s",
                           receipt->office, receipt->log, tail->office, tail->log);
    return check_reach(desk, receipt, path);
}

static bool same_bytes(const struct buffer *a, const struct buffer *b)
{
    return a->length == b->length &&
           (a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0);
}

/* The file is written after the table: a keeper that is cut off between leaves an older file. */
static int compare_receipts(struct desk *desk)
{
    const struct tail *tail = &desk->archive->tail;
    const struct archive_file *file = &desk->archive->receipt;
    struct receipt receipt;
    if (file->is_there == (tail->receipt.length > 0) &&
        same_bytes(&tail->receipt, &file->bytes))
        return 0;
    if (tail->is_closed && !file->is_there)
        return finding_put(desk->finding, "receipt", "missing, but tail.db holds one");
    if (tail->is_closed)
        return finding_put(desk->finding, "receipt", "differs from the one in tail.db");
    return file->is_there ? read_receipt(desk, &receipt, &file->bytes, "receipt") : 0;
}

static int check_marks(struct desk *desk)
{
    const struct tail *tail = &desk->archive->tail;
    for (int lane = 0; lane < LANES; lane++) {
        int64_t expected =
            desk->papers->has_receipt ? desk->papers->receipt.lane[lane] : -1;
        if (tail->marks[lane] != expected)
            return finding_put(
                desk->finding, "tail.db",
                "table link: mark of %s is %" PRId64 ", by the receipt %" PRId64,
                talk_lane_name((enum talk_lane)lane), tail->marks[lane], expected);
    }
    return 0;
}

static int read_receipts(struct desk *desk)
{
    struct papers *papers = desk->papers;
    const struct tail *tail = &desk->archive->tail;
    int err = 0;
    if (tail->receipt.length > 0) {
        papers->has_receipt = true;
        err = read_receipt(desk, &papers->receipt, &tail->receipt, "receipt");
    }
    if (!err)
        err = compare_receipts(desk);
    if (!err)
        err = check_marks(desk);
    if (err || desk->trust->receipt == NULL)
        return err;
    papers->has_extra = true;
    return read_receipt(desk, &papers->extra, desk->trust->receipt,
                        desk->trust->receipt_path);
}

int papers_read(struct papers *papers, const struct archive *archive,
                const struct papers_trust *trust, struct finding *finding)
{
    struct desk desk = {papers, archive, trust, finding};
    *papers = (struct papers){.office = NULL};
    int err = read_verifier(&desk);
    if (!err)
        err = read_checkpoint(&desk);
    return err ? err : read_receipts(&desk);
}

void papers_free(struct papers *papers)
{
    key_free(papers->office);
    papers->office = NULL;
}

/* The text that the keeper signed when it stopped, from what is there now. */
static int print_closed(struct buffer *text, const struct archive *archive)
{
    struct buffer file = {0};
    struct digest digest;
    char digits[2 * DIGEST_BYTES + 1];
    int err = archive_read(archive, &file, "tail.db", DATABASE_MAX);
    if (!err) {
        suite_hash(suite_named("sha256+ed25519"), &digest, file.bytes, file.length);
        hex_encode(digits, digest.bytes, DIGEST_BYTES);
        buffer_printf(text, "outpost/%s/%s/closed\n%" PRIu64 "\n%s\n",
                      archive->tail.office, archive->tail.log, archive_size(archive),
                      digits);
    }
    buffer_free(&file);
    return err;
}

static int compare_closed(const struct archive *archive, size_t length,
                          struct finding *finding)
{
    struct buffer text = {0};
    int err = print_closed(&text, archive);
    const char *note = archive->closed.bytes.bytes;
    if (!err && (text.length != length || memcmp(note, text.bytes, length) != 0))
        err = finding_put(finding, "tail.db",
                          "is not, byte for byte, the file that the keeper closed");
    buffer_free(&text);
    return err;
}

int papers_check_closed(const struct papers *papers, const struct archive *archive,
                        struct finding *finding)
{
    const struct archive_file *file = &archive->closed;
    char path[ARCHIVE_PATH_MAX];
    size_t length;
    if (!file->is_there)
        return archive->tail.is_closed ? finding_put(finding, "closed", "missing") : 0;
    if (!archive->tail
             .is_closed) { /* a keeper has begun to work since, and leaves a log of it */
        int err = file_join(path, sizeof(path), archive->folder, "tail.db-wal");
        if (err || file_exists(path))
            return err;
        return finding_put(finding, "tail.db",
                           "says that it is open, the note says closed");
    }
    int err = note_open(file->bytes.bytes, file->bytes.length, papers->office, &length);
    if (err || !has_one_signature(&file->bytes))
        return finding_put(finding, "closed", "%s", reason(err));
    return compare_closed(archive, length, finding);
}
