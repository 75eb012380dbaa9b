/* book - see book.h. Between two moments either of them may be found, of each blob by itself: that a
 * transaction is there whole or not at all is the ledger's (keeper_powercut.c). */
#include "book.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/now.h"
#include "chance.h"
#include "keeper/repair/damage.h"
#include "proof/algorithm.h"
#include "trace.h"

static const size_t SIZES[BOOK_BLOBS] = {0,     1,     17,    4000,  4096,   30000,
                                         65535, 65536, 65537, 70000, 100000, BOOK_MOST};

static struct book_blob blobs_of[BOOK_BLOBS];
static char why[160];

static void hash(struct digest *digest, const char *name, const uint8_t *bytes,
                 size_t size)
{
    struct algorithm_hash *hash = algorithm_hash_new(name);
    algorithm_hash_begin(hash);
    algorithm_hash_add(hash, bytes, size);
    algorithm_hash_end(hash, digest->bytes);
    algorithm_hash_free(hash);
}

struct book *book_new(void)
{
    for (int i = 0; i < BOOK_BLOBS; i++) {
        uint8_t *bytes = malloc(SIZES[i] + 1);
        uint64_t random = (uint64_t)i;
        for (size_t k = 0; k < SIZES[i]; k++)
            bytes[k] = (uint8_t)chance_next(&random);
        blobs_of[i] = (struct book_blob){.size = SIZES[i], .bytes = bytes};
        hash(&blobs_of[i].sha256, "SHA256", bytes, SIZES[i]);
        hash(&blobs_of[i].sm3, "SM3", bytes, SIZES[i]);
    }
    return trace_share(sizeof(struct book));
}

const struct book_blob *book_blob(int at)
{
    return &blobs_of[at];
}

static int is_aside_name(const struct dirent *entry)
{
    return strncmp(entry->d_name, damage_prefix, strlen(damage_prefix)) == 0;
}

int book_asides(const char *folder)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, is_aside_name, alphasort);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return count < 0 ? 0 : count;
}

bool book_adopts(const char *folder)
{
    char path[DEPOT_PATH_MAX];
    return file_join(path, sizeof(path), folder, "blobs/adopt") == 0 && file_exists(path);
}

struct moment_of *book_begin(struct book *book)
{
    if (book->count + 2 >= BOOK_MOMENTS)
        abort();
    struct moment_of *moment = &book->moments[book->count + 1];
    *moment = moment[-1];
    int64_t utc_us = now_utc_us();
    if (utc_us > moment->utc_us) /* each life has a clock of its own */
        moment->utc_us = utc_us;
    return moment;
}

void book_end(struct book *book)
{
    book->count++;
    trace_mark((uint64_t)book->count);
}

void book_read(struct moment_of *moment, struct store *store)
{
    if (store_get_log(store, &moment->log) != 0)
        abort();
    for (int i = 0; i < BOOK_BLOBS; i++) {
        struct line_of *line = &moment->lines[i];
        int err = catalog_get(store, &blobs_of[i].sha256, &line->row);
        if (err && err != -ENOENT)
            abort();
        line->is_there = !err;
        line->is_sealed &= err || line->row.is_released;
    }
}

/* ---- Checking */

struct look {
    const struct moment_of *before, *after; /* what was told, and what may be */
    struct blobs *blobs;
    bool is_adopted; /* what had no row may have one now */
};

static bool is_stored(const struct line_of *line)
{
    return line->is_there && !line->row.is_released;
}

static int find_blob(const struct digest *digest)
{
    for (int i = 0; i < BOOK_BLOBS; i++)
        if (digest_equal(digest, &blobs_of[i].sha256))
            return i;
    return -1;
}

/* In its place, to be decrypted, and each byte as it was given. */
static int read_whole(const struct depot *depot, const struct book_blob *blob)
{
    static uint8_t plain[CASK_CHUNK];
    char path[DEPOT_PATH_MAX];
    struct cask *cask;
    size_t length, at = 0;
    int err = depot_place(depot, path, &blob->sha256);
    if (!err)
        err = cask_open(&cask, path, &depot->key);
    if (err)
        return err;
    if (cask_length(cask) != (int64_t)blob->size)
        err = -EBADMSG;
    for (int64_t i = 0; i < cask_chunks(cask) && !err; i++, at += length) {
        err = cask_read(cask, i, plain, &length);
        if (!err && memcmp(plain, blob->bytes + at, length) != 0)
            err = -EBADMSG;
    }
    cask_close(cask);
    return err;
}

static const char *complain(const char *what, int at)
{
    snprintf(why, sizeof(why), "%s: blob %d of %zu bytes", what, at, blobs_of[at].size);
    return why;
}

/* Its time is over, so whoever opened the folder may have released it. */
static bool is_due(const struct catalog_blob *row, int64_t utc_us)
{
    return row->is_prompt && row->until_us >= 0 && row->until_us <= utc_us;
}

static bool is_same_kind(const struct catalog_blob *one, const struct catalog_blob *other)
{
    return one->class == other->class && one->keep_ms == other->keep_ms &&
           one->is_prompt == other->is_prompt && one->size == other->size;
}

/* It was stored before, and is after. */
static const char *check_stays(const struct look *look, int at,
                               const struct line_of *found)
{
    const struct line_of *before = &look->before->lines[at];
    const struct line_of *after = &look->after->lines[at];
    bool is_unknown = look->is_adopted && look->before->wreck == WITHOUT_TABLE &&
                      found->row.class == CATALOG_UNKNOWN;
    if (is_due(&before->row, now_utc_us()) &&
        (!found->is_there || found->row.is_released))
        return NULL;
    if (!found->is_there)
        return complain("lost: no row", at);
    if (found->row.is_released)
        return complain("lost: released before its time", at);
    if (!is_unknown && !is_same_kind(&found->row, &before->row) &&
        !is_same_kind(&found->row, &after->row))
        return complain("lost: its class or its time", at);
    return NULL;
}

static const char *check_other(const struct look *look, int at,
                               const struct line_of *found)
{
    const struct line_of *before = &look->before->lines[at];
    const struct line_of *after = &look->after->lines[at];
    bool may_be = look->is_adopted || is_stored(before) || is_stored(after);
    if (is_stored(found) && !may_be)
        return complain(before->is_there ? "it came back" : "it is of no commit", at);
    if (found->is_there && !look->is_adopted && !before->is_there && !after->is_there)
        return complain("its row came back", at);
    if (look->is_adopted && before->is_sealed && !is_stored(found))
        return complain("lost: it was sealed", at);
    return NULL;
}

/* What was noted came from the keeper too: nothing goes before its time, and no class falls. */
static const char *check_change(const struct look *look, int at)
{
    const struct line_of *before = &look->before->lines[at];
    const struct line_of *after = &look->after->lines[at];
    bool may_be_unknown = look->before->wreck == WITHOUT_TABLE;
    if (!is_stored(before) || is_due(&before->row, look->after->utc_us))
        return NULL; /* it may have gone, and have been stored again */
    if (!is_stored(after))
        return complain("lost: it went before its time", at);
    bool fell = after->row.class < before->row.class;
    bool is_unknown =
        after->row.class == CATALOG_UNKNOWN && before->row.class != CATALOG_UNKNOWN;
    return (fell && before->row.class != CATALOG_UNKNOWN) ||
                   (is_unknown && !may_be_unknown)
               ? complain("lost: its class", at)
               : NULL;
}

static const char *check_one(const struct look *look, int at, const struct line_of *found)
{
    const struct depot *depot = &look->blobs->depot;
    bool stays =
        is_stored(&look->before->lines[at]) && is_stored(&look->after->lines[at]);
    const char *wrong = check_change(look, at);
    if (wrong == NULL)
        wrong = stays ? check_stays(look, at, found) : check_other(look, at, found);
    if (wrong != NULL)
        return wrong;
    if (is_stored(found) && read_whole(depot, &blobs_of[at]) != 0)
        return complain("lost: not in its place, or not whole", at);
    if (is_stored(found) && found->row.has_sm3 &&
        !digest_equal(&found->row.sm3, &blobs_of[at].sm3))
        return complain("lost: its SM3", at);
    if (found->is_there && found->row.is_damaged)
        return complain("taken for damaged", at);
    return NULL;
}

static int is_unknown_row(void *owner, const struct catalog_blob *blob)
{
    (void)owner;
    return find_blob(&blob->sha256) < 0;
}

static int is_without_row(void *owner, const struct digest *digest, int64_t bytes)
{
    struct catalog_blob row;
    (void)bytes;
    return catalog_get(owner, digest, &row) != 0;
}

static int is_left(void *owner, const struct digest *digest, int64_t number)
{
    (void)owner;
    (void)digest;
    (void)number;
    return 1;
}

/* Of the folder as a whole. */
static const char *check_folder(struct blobs *blobs)
{
    struct store *store = blobs->journal->store;
    if (catalog_each(store, NULL, INT64_MAX, is_unknown_row, NULL) != 0)
        return "a row that nobody has asked for";
    if (depot_each(&blobs->depot, is_without_row, store) != 0)
        return "a file in its place has no row";
    if (depot_each_new(&blobs->depot, is_left, NULL) != 0)
        return "what is in new/ was not put in order";
    return depot_is_marked(&blobs->depot) ? "the mark of an adoption stays" : NULL;
}

const char *book_check(const struct book *book, uint64_t marks, const char *folder,
                       bool adopts, struct blobs *blobs)
{
    const struct moment_of *before = &book->moments[marks];
    bool is_aside = book_asides(folder) > before->asides;
    struct look look = {.before = before,
                        .after = marks < (uint64_t)book->count ? before + 1 : before,
                        .blobs = blobs};
    struct moment_of found = {.asides = 0};
    if (is_aside && before->wreck == WHOLE)
        return "the journal was taken for damaged";
    book_read(&found, blobs->journal->store);
    look.is_adopted = adopts || strcmp(found.log.log, before->log.log) != 0;
    for (int i = 0; i < BOOK_BLOBS; i++) {
        const char *wrong = check_one(&look, i, &found.lines[i]);
        if (wrong != NULL)
            return wrong;
    }
    return check_folder(blobs);
}

const char *book_check_gone(struct blobs *blobs)
{
    char path[DEPOT_PATH_MAX];
    struct dirent **names = NULL;
    if (file_join(path, sizeof(path), blobs->depot.folder, "old") != 0)
        return "no path";
    int count = scandir(path, &names, NULL, NULL);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    if (count != 2) /* . and .. */
        return "what goes is not erased";
    return blobs->sum.released == 0 ? NULL : "the row of one that is erased stays";
}
