/* adoption - see adoption.h.
 *
 * Order: what is adopted goes to its place before its row is on disk. Cut between the two, the mark is
 * still there, and it is adopted again. */
#include "keeper/adoption.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/now.h"
#include "keeper/damage.h"
#include "keeper/self.h"

struct adoption {
    struct blobs *blobs;
    bool is_marked;
    int64_t count, bytes; /* adopted */
};

/* ---- The table of the journal before */

static int is_aside(const struct dirent *entry)
{
    return strncmp(entry->d_name, damage_prefix, strlen(damage_prefix)) == 0;
}

/* The newest journal that was set aside, or an empty path. */
static void find_aside(char path[DEPOT_PATH_MAX], const char *state)
{
    struct dirent **folders = NULL;
    int count = scandir(state, &folders, is_aside, alphasort);
    path[0] = '\0';
    if (count > 0 &&
        file_join(path, DEPOT_PATH_MAX, state, folders[count - 1]->d_name) != 0)
        path[0] = '\0';
    for (int i = 0; i < count; i++)
        free(folders[i]);
    free(folders);
}

static bool is_there(void *owner, const struct digest *digest)
{
    return depot_has(owner, digest);
}

static void copy_table(const struct adoption *adoption, const char *state)
{
    char folder[DEPOT_PATH_MAX], path[DEPOT_PATH_MAX];
    find_aside(folder, state);
    if (folder[0] == '\0' || file_join(path, sizeof(path), folder, "tail.db") != 0)
        return;
    int err = catalog_copy(adoption->blobs->journal->store, path, is_there,
                           &adoption->blobs->depot);
    if (err)
        log_warn("%s: not all rows of blobs can be read (%s); those files are adopted",
                 path, strerror(-err));
}

/* ---- Files */

static int adopt(struct adoption *adoption, const struct digest *digest, int64_t bytes)
{
    int64_t size = cask_size(bytes);
    struct catalog_blob row = {.sha256 = *digest,
                               .size = size < 0 ? bytes : size,
                               .class = CATALOG_UNKNOWN,
                               .keep_ms = -1,
                               .until_us = -1,
                               .seq = -1,
                               .stored_us = now_utc_us()};
    adoption->count++;
    adoption->bytes += bytes;
    return catalog_put(adoption->blobs->journal->store, &row);
}

static int64_t length_of(const struct adoption *adoption, const struct digest *digest)
{
    char path[DEPOT_PATH_MAX];
    struct stat file;
    return depot_place(&adoption->blobs->depot, path, digest) == 0 &&
                   stat(path, &file) == 0
               ? (int64_t)file.st_size
               : 0;
}

/* A sealed one with a row is one whose keeper ended between commit and rename. */
static int sort_sealed(struct adoption *adoption, const struct digest *digest,
                       int64_t number)
{
    struct blobs *blobs = adoption->blobs;
    struct catalog_blob row;
    int err = catalog_get(blobs->journal->store, digest, &row);
    if (err && err != -ENOENT)
        return err;
    bool is_known = !err && !row.is_released;
    if (!is_known && !adoption->is_marked)
        return depot_drop(&blobs->depot, number);
    err = depot_settle(&blobs->depot, digest, number);
    return err || is_known ? err : adopt(adoption, digest, length_of(adoption, digest));
}

static int sort_new(void *owner, const struct digest *digest, int64_t number)
{
    struct adoption *adoption = owner;
    int err = digest ? sort_sealed(adoption, digest, number)
                     : depot_drop(&adoption->blobs->depot, number);
    if (err)
        log_error("blobs/new: %" PRId64 " cannot be put in order: %s", number,
                  strerror(-err));
    return 0; /* it is tried again at the next start */
}

static int sort_placed(void *owner, const struct digest *digest, int64_t bytes)
{
    struct adoption *adoption = owner;
    struct catalog_blob row;
    int err = catalog_get(adoption->blobs->journal->store, digest, &row);
    return err == -ENOENT ? adopt(adoption, digest, bytes) : err;
}

static bool is_empty(const struct catalog_sum *sum)
{
    int64_t count = sum->released;
    for (int class = 0; class < CATALOG_CLASSES; class ++)
        count += sum->count[class];
    return count == 0;
}

/* ---- What is said */

static int record(const struct adoption *adoption)
{
    struct buffer data = {0};
    if (adoption->count == 0)
        return 0;
    log_warn("blobs: %" PRId64 " files without a row are adopted, and kept",
             adoption->count);
    buffer_printf(&data, "{\"count\":%" PRId64 ",\"bytes\":%" PRId64 "}", adoption->count,
                  adoption->bytes);
    int err = self_record(adoption->blobs->group, "blob.adopted", buffer_text(&data));
    buffer_free(&data);
    return err;
}

/* One alarm, not one for each. */
static int record_key(struct blobs *blobs)
{
    struct buffer data = {0};
    if (!blobs->depot.is_new_key || is_empty(&blobs->sum))
        return 0;
    log_error("keys/blobs.key was missing or could not be read: what was stored under it "
              "cannot be read any more");
    int64_t count = 0;
    for (int class = 0; class < CATALOG_CLASSES; class ++)
        count += blobs->sum.count[class];
    buffer_printf(&data, "{\"reason\":\"key\",\"count\":%" PRId64 "}", count);
    int err = self_record(blobs->group, "blob.damaged", buffer_text(&data));
    buffer_free(&data);
    return err ? err : catalog_damage_all(blobs->journal->store);
}

/* What cannot be read now stays as it is, also its mark. */
static int shut(struct blobs *blobs, int err)
{
    log_error("blobs: %s: none is taken or shown until the next start", strerror(-err));
    blobs->is_shut = true;
    return self_record(blobs->group, "blob.damaged", "{\"reason\":\"unreadable\"}");
}

static int sort_files(struct adoption *adoption)
{
    struct blobs *blobs = adoption->blobs;
    int err = depot_each_new(&blobs->depot, sort_new, adoption);
    if (!err && (adoption->is_marked || is_empty(&blobs->sum)))
        err = depot_each(&blobs->depot, sort_placed, adoption);
    return err;
}

int adoption_run(struct blobs *blobs, const char *state)
{
    struct adoption adoption = {.blobs = blobs,
                                .is_marked = depot_is_marked(&blobs->depot)};
    int err = blobs_count(blobs);
    if (blobs->is_shut)
        return err ? err : shut(blobs, -EIO);
    if (adoption.is_marked)
        copy_table(&adoption, state);
    int unsorted = err ? 0 : sort_files(&adoption);
    if (!err && unsorted)
        err = shut(blobs, unsorted);
    if (!err)
        err = record(&adoption);
    if (!err)
        err = blobs_count(blobs);
    if (!err)
        err = record_key(blobs);
    return err ? err : blobs_count(blobs);
}

void adoption_end(struct blobs *blobs)
{
    bool is_done = !blobs->is_shut && depot_is_marked(&blobs->depot);
    int err = is_done ? depot_unmark(&blobs->depot) : 0;
    if (err)
        log_warn("blobs/adopt cannot be removed: %s", strerror(-err));
}
