/* dossier - see dossier.h.
 *
 * The order: the bytes, for which the keeper records evidence.viewed; all events that name the file; the
 * page; the list of all these files, whose hash evidence.exported names (once more, if another event
 * came between); and, when a checkpoint covers that event too, the proofs. */
#include "cli/export/dossier.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/word.h"
#include "cli/export/halfway.h"
#include "cli/export/history.h"
#include "cli/export/page.h"
#include "cli/journal/archive.h"
#include "cli/office/blobline.h"
#include "cli/office/keeperline.h"
#include "cli/office/place.h"
#include "cli/prove.h"
#include "proof/base64.h"

enum { LOOK_MS = 200, CHECKER_MAX = 256 * 1024, TRIES = 20 };

static const char PROOF[] = "c2sp.org/tlog-proof@v1";

/* One export under way. */
struct making {
    struct dossier *dossier;
    struct halfway halfway;
    char name[DOSSIER_NAME_MAX + 1];
    char sm3[2 * DIGEST_BYTES + 1];
    struct history history;
    uint64_t known; /* events of the journal when that was taken */
    size_t written; /* events of the history that have their file */
    struct digest digest;
    struct buffer list; /* SHA256SUMS */
    struct buffer key;
    char office[WORD_ID_MAX + 1], log[WORD_ID_MAX + 1];
};

static int complain(const char *what, int err)
{
    fprintf(stderr, "outpost evidence: %s: %s\n", what, strerror(-err));
    return -ECANCELED;
}

/* ---- Files of the folder */

static int put(const struct making *making, const char *name, const void *bytes,
               size_t length)
{
    char path[ARCHIVE_PATH_MAX];
    int err = file_join(path, sizeof(path), making->halfway.path, name);
    if (!err)
        err = file_put_durably(path, bytes, length, 0640);
    return err ? complain(name, err) : 0;
}

static void add_to_list(struct making *making, const char *name,
                        const struct digest *digest)
{
    char digits[2 * DIGEST_BYTES + 1];
    hex_encode(digits, digest->bytes, DIGEST_BYTES);
    buffer_printf(&making->list, "%s  %s\n", digits, name);
}

/* One that is in the list. */
static int put_listed(struct making *making, const char *name, const void *bytes,
                      size_t length)
{
    struct digest digest;
    suite_hash(suite_named("sha256+ed25519"), &digest, bytes, length);
    add_to_list(making, name, &digest);
    return put(making, name, bytes, length);
}

/* The same of one that never changes and may be there. */
static int put_once(struct making *making, const char *name, const void *bytes,
                    size_t length, bool is_there)
{
    struct digest digest;
    if (!is_there)
        return put_listed(making, name, bytes, length);
    suite_hash(suite_named("sha256+ed25519"), &digest, bytes, length);
    add_to_list(making, name, &digest);
    return 0;
}

static int make_folders(const struct making *making)
{
    char path[ARCHIVE_PATH_MAX];
    if (file_join(path, sizeof(path), making->halfway.path, "events") != 0 ||
        mkdir(path, 0750) != 0 ||
        file_join(path, sizeof(path), making->halfway.path, "file") != 0 ||
        mkdir(path, 0750) != 0)
        return complain(path, -errno);
    return 0;
}

/* ---- The journal */

static int open_archive(const struct making *making, struct archive **archive)
{
    struct finding finding = {.place = ""};
    int err = archive_open(archive, making->dossier->journal, &finding);
    if (!err)
        return 0;
    fprintf(stderr, "outpost evidence: the journal cannot be read: %s: %s\n",
            finding.place[0] ? finding.place : making->dossier->journal,
            finding.place[0] ? finding.what : strerror(-err));
    return -ECANCELED;
}

static void complain_history(int err)
{
    if (err != -E2BIG) {
        complain("its history", err);
        return;
    }
    fprintf(
        stderr,
        "outpost evidence: its history: expected at most %d events and %d MB, there is "
        "more. Each is in outpost evidence show SHA256 --json, and outpost prove SEQ "
        "proves it; outpost blob get SHA256 gives the file\n",
        HISTORY_MAX, HISTORY_BYTES_MAX >> 20);
}

/* What is new of the file, and who signs for it. */
static int take_history(struct making *making)
{
    struct archive *archive = NULL;
    uint64_t from = making->known;
    buffer_clear(&making->key);
    int err = open_archive(making, &archive);
    if (!err) {
        strcpy(making->office, archive->tail.office);
        strcpy(making->log, archive->tail.log);
        making->known = archive_size(archive);
        buffer_append(&making->key, archive->verifier.bytes.bytes,
                      archive->verifier.bytes.length);
        err = history_gather(&making->history, archive, making->dossier->sha256, from);
        if (err)
            complain_history(err);
    }
    archive_close(archive);
    return err ? -ECANCELED : 0;
}

/* Whether an event that names the file came between the history and the event of its export: somebody
 * looked, the city has it. Then the history is not all of it. */
static int look_between(const struct making *making, bool *between)
{
    struct archive *archive = NULL;
    struct history news = {.unread = 0};
    int err = open_archive(making, &archive);
    if (!err)
        err = history_gather(&news, archive, making->dossier->sha256, making->known);
    *between = !err && history_count(&news) > 0 &&
               history_at(&news, 0)->seq < (uint64_t)making->dossier->seq;
    history_free(&news);
    archive_close(archive);
    return err ? -ECANCELED : 0;
}

/* ---- The evidence itself */

static bool is_harmless(const char *name)
{
    size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789._-");
    return length > 0 && length <= DOSSIER_NAME_MAX && name[length] == '\0' &&
           name[0] != '.' && name[0] != '-';
}

void dossier_name(char name[DOSSIER_NAME_MAX + 1], const struct json *data,
                  const char *sha256)
{
    const char *path = json_text(data, "path");
    const char *last = path != NULL ? strrchr(path, '/') : NULL;
    const char *best = last != NULL ? last + 1 : path;
    if (best != NULL && is_harmless(best))
        strcpy(name, best);
    else
        snprintf(name, DOSSIER_NAME_MAX + 1, "%.64s.bin", sha256);
}

/* As it was called first. */
static void find_name(struct making *making)
{
    const struct history *history = &making->history;
    const char *sha256 = making->dossier->sha256;
    dossier_name(making->name, NULL, sha256);
    for (size_t i = 0; i < history_count(history); i++) {
        const struct history_event *event = history_at(history, i);
        struct json *json = NULL;
        if (json_parse(&json, history_body(history, event), event->length) != 0)
            continue;
        const struct json *data = json_get(json, "data");
        const char *digest = json_text(data, "sha256");
        const char *sm3 = json_text(data, "sm3");
        bool is_it = digest != NULL && strcmp(digest, sha256) == 0;
        bool is_named = is_it && json_text(data, "path") != NULL;
        if (is_it && sm3 != NULL && strlen(sm3) == 2 * DIGEST_BYTES)
            strcpy(making->sm3, sm3);
        if (is_named)
            dossier_name(making->name, data, sha256);
        json_free(json);
        if (is_named)
            return;
    }
}

static int fetch(const struct making *making, FILE *out)
{
    const struct dossier *dossier = making->dossier;
    int fd;
    int err = keeperline_open(&fd, dossier->state);
    if (err)
        return -ECANCELED;
    err = blobline_view(fd, "evidence", dossier->sha256, dossier->reason, out);
    if (!err && fsync(fileno(out)) != 0)
        err = -errno;
    close(fd);
    if (err && err != -ECANCELED)
        complain("it was not given to its end", err);
    return err ? -ECANCELED : 0;
}

/* The bytes come first, under a name of their own: what the file is called, the events tell. */
static int put_file(struct making *making)
{
    char path[ARCHIVE_PATH_MAX];
    int err = file_join(path, sizeof(path), making->halfway.path, "file/part");
    FILE *out = err ? NULL : fopen(path, "wbxe");
    if (out == NULL)
        return complain("file/part", err ? err : -errno);
    err = fetch(making, out);
    if (fclose(out) != 0 && !err)
        err = complain("file/part", -EIO);
    return err;
}

static int name_file(struct making *making)
{
    char from[ARCHIVE_PATH_MAX], to[ARCHIVE_PATH_MAX], name[DOSSIER_NAME_MAX + 8];
    struct digest wanted;
    find_name(making);
    snprintf(name, sizeof(name), "file/%s", making->name);
    int err = file_join(from, sizeof(from), making->halfway.path, "file/part");
    if (!err)
        err = file_join(to, sizeof(to), making->halfway.path, name);
    if (!err)
        err = suite_hash_file(suite_named("sha256+ed25519"), &making->digest, from);
    if (!err)
        err = hex_decode(wanted.bytes, DIGEST_BYTES, making->dossier->sha256);
    if (!err && !digest_equal(&making->digest, &wanted))
        err = -EBADMSG;
    if (!err && rename(from, to) != 0)
        err = -errno;
    if (err)
        return complain(name, err);
    return file_sync_name(to) == 0 ? 0 : complain(name, -EIO);
}

/* ---- What the list names beside it */

static int put_events(struct making *making)
{
    const struct history *history = &making->history;
    int err = 0;
    for (size_t i = 0; i < history_count(history) && !err; i++) {
        const struct history_event *event = history_at(history, i);
        char name[48];
        snprintf(name, sizeof(name), "events/%" PRIu64 ".json", event->seq);
        err = put_once(making, name, history_body(history, event), event->length,
                       i < making->written);
    }
    making->written = history_count(history);
    return err;
}

static int put_page(struct making *making)
{
    struct buffer page = {0};
    const struct page_facts facts = {.sha256 = making->dossier->sha256,
                                     .sm3 = making->sm3,
                                     .name = making->name,
                                     .office = making->office,
                                     .log = making->log,
                                     .key = buffer_text(&making->key),
                                     .history = &making->history};
    int err = page_print(&page, &facts);
    if (err)
        complain("share/outpost/etc/evidence/page.html", err);
    else
        err = put_listed(making, "index.html", page.bytes, page.length);
    buffer_free(&page);
    return err ? -ECANCELED : 0;
}

static int put_checker(struct making *making, bool is_there)
{
    char path[PLACE_MAX];
    struct buffer text = {0};
    int err = place_beside(path, "../share/outpost/etc/evidence/check.sh");
    if (!err)
        err = file_read(&text, path, CHECKER_MAX);
    if (err)
        complain("share/outpost/etc/evidence/check.sh", err);
    else
        err = put_once(making, "check.sh", text.bytes, text.length, is_there);
    buffer_free(&text);
    return err ? -ECANCELED : 0;
}

/* ---- What the office signs of it */

static int announce(struct making *making)
{
    struct dossier *dossier = making->dossier;
    char manifest[2 * DIGEST_BYTES + 1];
    struct digest digest;
    int fd;
    suite_hash(suite_named("sha256+ed25519"), &digest, making->list.bytes,
               making->list.length);
    hex_encode(manifest, digest.bytes, DIGEST_BYTES);
    const struct blobline_deed deed = {.type = "export",
                                       .digest = dossier->sha256,
                                       .reason = dossier->reason,
                                       .manifest = manifest,
                                       .keep_ms = -1};
    if (keeperline_open(&fd, dossier->state) != 0)
        return -ECANCELED;
    int err = blobline_decide(fd, "evidence", &deed, &dossier->seq);
    close(fd);
    if (err && err != -ECANCELED)
        complain("the export could not be recorded", err);
    return err ? -ECANCELED : 0;
}

static bool is_covered(const struct making *making)
{
    char path[ARCHIVE_PATH_MAX];
    struct buffer note = {0};
    struct checkpoint checkpoint;
    bool covered =
        file_join(path, sizeof(path), making->dossier->journal, "checkpoint") == 0 &&
        file_read(&note, path, CHECKER_MAX) == 0 &&
        checkpoint_read(&checkpoint, note.bytes, note.length, NULL) == 0 &&
        checkpoint.size > (uint64_t)making->dossier->seq;
    buffer_free(&note);
    return covered;
}

static void nap(void)
{
    const struct timespec pause = {0, LOOK_MS * 1000L * 1000L};
    nanosleep(&pause, NULL);
}

static int wait_for_checkpoint(const struct making *making)
{
    for (int waited = 0; waited < DOSSIER_WAIT_MS; waited += LOOK_MS) {
        if (is_covered(making))
            return 0;
        nap();
    }
    return complain("no checkpoint of the journal covers the export yet", -ETIMEDOUT);
}

/* ---- The proofs */

static void print_proof(struct buffer *out, const struct statement *statement)
{
    buffer_printf(out, "%s\nindex %" PRIu64 "\n", PROOF, statement->index);
    for (size_t at = 0; at < statement->path.length; at += DIGEST_BYTES) {
        base64_encode(out, statement->path.bytes + at, DIGEST_BYTES);
        buffer_append_text(out, "\n");
    }
    buffer_append_text(out, "\n");
    buffer_append(out, statement->note.bytes, statement->note.length);
}

/* `name` is that of the event's file, or NULL when it is there; -EAGAIN when the journal was changing. */
static int put_proof(const struct making *making, struct archive *archive, uint64_t seq,
                     const char *proof_name, const char *event_name)
{
    struct statement statement = {.index = seq};
    struct finding finding = {.place = ""};
    struct buffer proof = {0};
    int err = prove_statement(&statement, archive, &finding);
    if (err && archive_has_changed(archive))
        err = -EAGAIN;
    else if (err)
        fprintf(stderr, "outpost evidence: %s: %s\n", finding.place, finding.what);
    print_proof(&proof, &statement);
    if (!err)
        err = put(making, proof_name, proof.bytes, proof.length);
    if (!err && event_name != NULL)
        err = put(making, event_name, statement.event.bytes, statement.event.length);
    statement_free(&statement);
    buffer_free(&proof);
    return err;
}

/* All by one checkpoint. */
static int prove_all(const struct making *making, struct archive *archive)
{
    const struct history *history = &making->history;
    const struct buffer *note = &archive->checkpoint.bytes;
    int err = put(making, "checkpoint", note->bytes, note->length);
    for (size_t i = 0; i < history_count(history) && !err; i++) {
        char name[48];
        uint64_t seq = history_at(history, i)->seq;
        snprintf(name, sizeof(name), "events/%" PRIu64 ".proof", seq);
        err = put_proof(making, archive, seq, name, NULL);
    }
    return err ? err
               : put_proof(making, archive, (uint64_t)making->dossier->seq,
                           "exported.proof", "exported.json");
}

/* A keeper at work may exchange files under our hands: then once more. */
static int put_proofs(const struct making *making)
{
    int err = wait_for_checkpoint(making);
    for (int i = 0; i < TRIES && !err; i++) {
        struct archive *archive = NULL;
        err = open_archive(making, &archive);
        if (!err)
            err = prove_all(making, archive);
        archive_close(archive);
        if (err != -EAGAIN)
            return err;
        nap();
        err = 0;
    }
    return err ? err : complain("the journal is never still enough to be read", -EAGAIN);
}

/* ---- All of it, in order */

/* The list of files, with all of them, and the event that names it. */
static int assemble(struct making *making)
{
    char name[DOSSIER_NAME_MAX + 8];
    bool again = making->written > 0;
    snprintf(name, sizeof(name), "file/%s", making->name);
    buffer_clear(&making->list);
    add_to_list(making, name, &making->digest);
    int err = put_events(making);
    if (!err)
        err = put_page(making);
    if (!err)
        err = put_checker(making, again);
    if (!err)
        err = put_once(making, "key.pub", making->key.bytes, making->key.length, again);
    if (!err)
        err = put(making, "SHA256SUMS", making->list.bytes, making->list.length);
    return err ? err : announce(making);
}

/* Until nothing came between. */
static int assemble_all(struct making *making)
{
    bool between = true;
    int err = 0;
    for (int i = 0; i < TRIES && between && !err; i++) {
        if (i > 0)
            err = take_history(making);
        if (!err)
            err = assemble(making);
        if (!err)
            err = look_between(making, &between);
    }
    return !err && between ? complain("the file is never left alone long enough", -EAGAIN)
                           : err;
}

static int make(struct making *making)
{
    int err = make_folders(making);
    if (!err)
        err = put_file(making);
    if (!err)
        err = take_history(making);
    if (!err)
        err = name_file(making);
    if (!err)
        err = assemble_all(making);
    if (!err)
        err = put_proofs(making);
    return err ? err : halfway_finish(&making->halfway, making->dossier->folder);
}

int dossier_make(struct dossier *dossier)
{
    struct making making = {.dossier = dossier};
    dossier->seq = -1;
    int err = halfway_open(&making.halfway, dossier->folder);
    if (err)
        return err;
    err = make(&making);
    halfway_close(&making.halfway);
    history_free(&making.history);
    buffer_free(&making.list);
    buffer_free(&making.key);
    return err ? -ECANCELED : 0;
}
