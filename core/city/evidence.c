/* evidence - see evidence.h. */
#include "city/evidence.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/now.h"
#include "proof/handover.h"

enum { FILE_MODE = 0440, RECEIPT_MODE = 0644, TOPIC_ROOM = EVIDENCE_ID_MAX + 16 };

/* FOLDER/one/other, or FOLDER/one when there is no other; and an ending. */
static int join(char path[EVIDENCE_PATH_MAX], const struct evidence *evidence,
                const char *one, const char *other, const char *ending)
{
    int length = snprintf(path, EVIDENCE_PATH_MAX, "%s/%s%s%s%s", evidence->folder, one,
                          other[0] == '\0' ? "" : "/", other, ending);
    return length < 0 || length >= EVIDENCE_PATH_MAX ? -ENAMETOOLONG : 0;
}

static int each_name(const char *folder, int (*each)(const char *path))
{
    char path[EVIDENCE_PATH_MAX];
    const struct dirent *entry;
    int err = 0;
    DIR *names = opendir(folder);
    if (names == NULL)
        return -errno;
    while (!err && (entry = readdir(names)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        err = file_join(path, sizeof(path), folder, entry->d_name);
        if (!err)
            err = each(path);
    }
    closedir(names);
    return err;
}

/* What a collector that was killed has left of a receipt. One that stays does no harm. */
static int sweep_receipt(const char *path)
{
    if (file_is_unfinished(path))
        (void)unlink(path);
    return 0;
}

static int sweep_office(const char *folder)
{
    int err = each_name(folder, sweep_receipt);
    return err == -ENOTDIR ? 0 : err;
}

int evidence_prepare(const struct evidence *evidence)
{
    static const char *const FOLDERS[] = {"evidence", "refused", "receipts"};
    char path[EVIDENCE_PATH_MAX];
    int err = 0;
    for (size_t i = 0; i < countof(FOLDERS) && !err; i++) {
        err = join(path, evidence, FOLDERS[i], "", "");
        if (!err)
            err = file_make_folders(path);
    }
    return err ? err : each_name(path, sweep_office);
}

bool evidence_is_id(const char *id)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-_";
    size_t length = strspn(id, LETTERS);
    return length >= 1 && length <= EVIDENCE_ID_MAX && id[length] == '\0';
}

static int upload_path(const struct evidence *evidence, const char *id,
                       const char *ending, char path[EVIDENCE_PATH_MAX])
{
    return join(path, evidence, id, "", ending);
}

/* evidence/ab, and in it cdef... */
static int kept_path(const struct evidence *evidence, const char *sha256,
                     char folder[EVIDENCE_PATH_MAX], char path[EVIDENCE_PATH_MAX])
{
    char first[3] = {sha256[0], sha256[1], '\0'};
    int err = join(folder, evidence, "evidence", first, "");
    return err ? err : file_join(path, EVIDENCE_PATH_MAX, folder, sha256 + 2);
}

int evidence_find(const struct evidence *evidence, const struct ticket *ticket,
                  const char *id, char path[EVIDENCE_PATH_MAX])
{
    char folder[EVIDENCE_PATH_MAX];
    int err = upload_path(evidence, id, "", path);
    if (!err && !file_exists(path))
        err = kept_path(evidence, ticket->sha256, folder, path);
    if (!err && !file_exists(path))
        err = -ENOENT;
    return err;
}

/* ---- Keeping */

static int sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    int err = fchmod(fd, FILE_MODE) != 0 || fsync(fd) != 0 ? -errno : 0;
    close(fd);
    return err;
}

/* Fine when it is there already. */
static int move_file(const struct evidence *evidence, const struct ticket *ticket,
                     const char *id)
{
    char from[EVIDENCE_PATH_MAX], folder[EVIDENCE_PATH_MAX], to[EVIDENCE_PATH_MAX];
    int err = upload_path(evidence, id, "", from);
    if (!err)
        err = kept_path(evidence, ticket->sha256, folder, to);
    if (err || !file_exists(from))
        return err;
    err = sync_file(from);
    if (!err)
        err = file_make_folders(folder);
    if (!err && rename(from, to) != 0)
        err = -errno;
    if (!err)
        err = file_sync_folder(folder);
    return err ? err : file_sync_name(folder);
}

static int put_row(const struct evidence *evidence, const struct ticket *ticket)
{
    char now[NOW_TEXT_ROOM];
    const struct store_evidence row = {.office = ticket->office,
                                       .log = ticket->log,
                                       .seq = ticket->seq,
                                       .sha256 = ticket->sha256,
                                       .sm3 = ticket->sm3,
                                       .size = ticket->size,
                                       .class = talk_class_name(ticket->class),
                                       .received = now};
    now_format(now, now_utc_us());
    int err = store_begin(evidence->store);
    if (err)
        return err;
    err = store_put_evidence(evidence->store, &row);
    if (!err)
        err = store_commit(evidence->store);
    if (err)
        store_rollback(evidence->store);
    return err;
}

static int put_receipt(const struct evidence *evidence, const struct ticket *ticket)
{
    struct handover handover = {
        .seq = ticket->seq, .time_us = now_utc_us(), .size = ticket->size};
    char folder[EVIDENCE_PATH_MAX], path[EVIDENCE_PATH_MAX];
    struct buffer note = {0};
    int err = join(folder, evidence, "receipts", ticket->office, "");
    if (!err)
        err = file_join(path, sizeof(path), folder, ticket->sha256);
    if (!err)
        err = file_make_folders(folder);
    if (err)
        return err;
    strcpy(handover.office, ticket->office);
    strcpy(handover.log, ticket->log);
    err = hex_decode(handover.sha256.bytes, DIGEST_BYTES, ticket->sha256);
    if (!err)
        err = hex_decode(handover.sm3.bytes, DIGEST_BYTES, ticket->sm3);
    ASSERT(err == 0);
    handover_sign(&note, &handover, evidence->key);
    err = file_put_durably(path, note.bytes, note.length, RECEIPT_MODE);
    buffer_free(&note);
    return err ? err : file_sync_name(folder);
}

int evidence_keep(const struct evidence *evidence, const struct ticket *ticket,
                  const char *id)
{
    char told[EVIDENCE_PATH_MAX];
    int err = upload_path(evidence, id, ".json", told);
    if (!err)
        err = move_file(evidence, ticket, id);
    if (!err)
        err = put_row(evidence, ticket);
    if (!err)
        err = put_receipt(evidence, ticket);
    if (!err && unlink(told) != 0 && errno != ENOENT)
        err = -errno;
    return err;
}

/* ---- Refusing */

static int set_aside(const struct evidence *evidence, const char *id, const char *ending)
{
    char from[EVIDENCE_PATH_MAX], to[EVIDENCE_PATH_MAX];
    int err = upload_path(evidence, id, ending, from);
    if (!err)
        err = join(to, evidence, "refused", id, ending);
    if (!err && rename(from, to) != 0 && errno != ENOENT)
        err = -errno;
    return err;
}

static int note_refusal(const struct evidence *evidence, const char *id,
                        const char *reason)
{
    char path[EVIDENCE_PATH_MAX], topic[TOPIC_ROOM], now[NOW_TEXT_ROOM];
    struct buffer told = {0};
    int err = upload_path(evidence, id, ".json", path);
    if (!err)
        err = file_read(&told, path, STORE_REJECTED_BYTES);
    snprintf(topic, sizeof(topic), "upload/%s", id);
    now_format(now, now_utc_us());
    err = err == -ENOENT || err == -EFBIG ? 0 : err;
    if (!err)
        err = store_begin(evidence->store);
    if (!err) {
        err = store_put_rejected(evidence->store, topic, reason, told.bytes, told.length,
                                 now);
        if (!err)
            err = store_commit(evidence->store);
        if (err)
            store_rollback(evidence->store);
    }
    buffer_free(&told);
    return err;
}

/* The ticket goes last: while it is there, all of this is done again. */
int evidence_refuse(const struct evidence *evidence, const char *id, const char *reason)
{
    int err = note_refusal(evidence, id, reason);
    if (!err)
        err = set_aside(evidence, id, "");
    if (!err)
        err = set_aside(evidence, id, ".json");
    if (!err)
        log_error("upload %s: %s; set aside in refused/, no receipt", id, reason);
    return err;
}
