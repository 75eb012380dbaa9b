/* adoption - see adoption.h.
 *
 * Order: what is adopted goes to its place before its row is on disk. Cut between the two, the mark is
 * still there, and it is adopted again. */
#include "keeper/blobs/adoption.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/now.h"
#include "keeper/repair/damage.h"
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

static bool is_there(void *owner, const struct digest *digest)
{
    return depot_has(owner, digest);
}

/* False when there is no such folder: the start was cut that was to move it there. */
static bool copy_one(const struct adoption *adoption, const char *state,
                     const char *folder, bool is_newest)
{
    char wreck[DEPOT_PATH_MAX], path[DEPOT_PATH_MAX];
    if (file_join(wreck, sizeof(wreck), state, folder) != 0 || !file_exists(wreck) ||
        file_join(path, sizeof(path), wreck, "tail.db") != 0)
        return false;
    int err = catalog_copy(adoption->blobs->journal->store, path, is_newest, is_there,
                           &adoption->blobs->depot);
    if (err)
        log_warn("%s: not all rows of blobs can be read (%s); those files are adopted",
                 path, strerror(-err));
    return true;
}

/* A mark that names none is of a journal that somebody took away: the last one by name may tell
 * something of what is there. */
static void copy_last(const struct adoption *adoption, const char *state)
{
    struct dirent **folders = NULL;
    int count = scandir(state, &folders, is_aside, alphasort);
    if (count > 0)
        copy_one(adoption, state, folders[count - 1]->d_name, false);
    for (int i = 0; i < count; i++)
        free(folders[i]);
    free(folders);
}

/* The newest first, as the mark tells them and not their names, whose clock may have been set back:
 * what it has is not taken from those before it. */
static void copy_tables(const struct adoption *adoption, const char *state)
{
    struct buffer folders = {0};
    bool is_newest = true;
    if (depot_read_mark(&adoption->blobs->depot, &folders) != 0)
        buffer_clear(&folders);
    buffer_text(&folders);
    char *text = folders.bytes, *end;
    while ((end = strrchr(text, '\n')) != NULL) {
        *end = '\0';
        char *before = strrchr(text, '\n'), *folder = before ? before + 1 : text;
        bool is_name = strncmp(folder, damage_prefix, strlen(damage_prefix)) == 0 &&
                       strchr(folder, '/') == NULL;
        if (is_name && copy_one(adoption, state, folder, is_newest))
            is_newest = false;
    }
    if (is_newest)
        copy_last(adoption, state);
    buffer_free(&folders);
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

/* It was taken for missing, or is of the same bytes: whole it is in any case. */
static int heal(struct blobs *blobs, struct catalog_blob *row)
{
    row->is_damaged = false;
    return catalog_put(blobs->journal->store, row);
}

/* One with a row is one whose keeper ended between commit and rename. In place, what no row tells of
 * is adopted with all the others. */
static int sort_sealed(struct adoption *adoption, const struct digest *digest,
                       int64_t number)
{
    struct blobs *blobs = adoption->blobs;
    struct catalog_blob row;
    int err = catalog_get(blobs->journal->store, digest, &row);
    if (err && err != -ENOENT)
        return err;
    bool is_known = !err && !row.is_released;
    if (is_known && row.is_damaged && (err = heal(blobs, &row)) != 0)
        return err;
    return is_known || adoption->is_marked ? depot_settle(&blobs->depot, digest, number)
                                           : depot_drop(&blobs->depot, number);
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

static int sort_files(struct adoption *adoption, const char *state)
{
    struct blobs *blobs = adoption->blobs;
    int err = depot_each_new(&blobs->depot, sort_new, adoption);
    if (!err && adoption->is_marked)
        copy_tables(adoption, state);
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
    int unsorted = err ? 0 : sort_files(&adoption, state);
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

static int settle_left(void *owner, const struct digest *digest, int64_t number)
{
    struct blobs *blobs = owner;
    struct catalog_blob row;
    if (digest == NULL || spools_owns(&blobs->spools, number))
        return 0;
    int err = blobs_find(blobs, digest, &row);
    blobs->has_old = true; /* what was in its place, or itself */
    if (err == -ENOENT)
        return depot_drop(&blobs->depot, number);
    return err ? err : depot_settle(&blobs->depot, digest, number);
}

void adoption_settle(struct blobs *blobs)
{
    if (blobs->spools.is_stuck)
        blobs->spools.is_stuck = depot_each_new(&blobs->depot, settle_left, blobs) != 0;
}

void adoption_end(struct blobs *blobs)
{
    bool is_done = !blobs->is_shut && depot_is_marked(&blobs->depot);
    int err = is_done ? depot_unmark(&blobs->depot) : 0;
    if (err)
        log_warn("blobs/adopt cannot be removed: %s", strerror(-err));
}
