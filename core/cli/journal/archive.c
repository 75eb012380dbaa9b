/* archive - see archive.h. */
#include "cli/journal/archive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/mem.h"
#include "proof/note.h"

enum { TILE_BYTES = TILE_WIDTH * DIGEST_BYTES, VERIFIER_MAX = 4096 };

static bool holds(const char *folder, const char *name)
{
    char path[ARCHIVE_PATH_MAX];
    return file_join(path, sizeof(path), folder, name) == 0 && file_exists(path);
}

static bool looks_like_one(const char *folder)
{
    return holds(folder, "tail.db") || holds(folder, "checkpoint") ||
           holds(folder, "tile");
}

/* Why nothing of it was found: who may not look into a folder finds nothing there. */
static int why_none(const char *folder)
{
    return access(folder, X_OK) != 0 && errno == EACCES ? -EACCES : -ENOENT;
}

int archive_find(char path[ARCHIVE_PATH_MAX], const char *folder)
{
    int err = file_join(path, ARCHIVE_PATH_MAX, folder, "journal");
    if (err)
        return err;
    if (looks_like_one(path))
        return 0;
    if (why_none(path) == -EACCES)
        return -EACCES;
    int length = snprintf(path, ARCHIVE_PATH_MAX, "%s", folder);
    if (length < 0 || length >= ARCHIVE_PATH_MAX)
        return -ENAMETOOLONG;
    return looks_like_one(path) ? 0 : why_none(path);
}

int archive_read(const struct archive *archive, struct buffer *out, const char *name,
                 size_t most)
{
    char path[ARCHIVE_PATH_MAX];
    int err = file_join(path, sizeof(path), archive->folder, name);
    return err ? err : file_read(out, path, most);
}

bool archive_holds(const struct archive *archive, const char *name)
{
    return holds(archive->folder, name);
}

static int read_small(const struct archive *archive, struct archive_file *file,
                      const char *name, size_t most, struct finding *finding)
{
    int err = archive_read(archive, &file->bytes, name, most);
    if (err == -ENOENT)
        return 0;
    if (err == -EFBIG)
        return finding_put(finding, name, "more than %zu bytes", most);
    if (err == -EINVAL)
        return finding_put(finding, name, "is no ordinary file");
    file->is_there = !err;
    return err;
}

static int read_notes(struct archive *archive, struct finding *finding)
{
    int err = read_small(archive, &archive->checkpoint, "checkpoint", NOTE_MAX, finding);
    if (!err)
        err = read_small(archive, &archive->receipt, "receipt", NOTE_MAX, finding);
    if (!err)
        err = read_small(archive, &archive->closed, "closed", NOTE_MAX, finding);
    if (!err)
        err = read_small(archive, &archive->verifier, "key.pub", VERIFIER_MAX, finding);
    return err;
}

/* SQLite would wait for a FIFO for ever. */
static int check_tail(const struct archive *archive, struct finding *finding)
{
    char path[ARCHIVE_PATH_MAX + 16];
    struct stat tail;
    snprintf(path, sizeof(path), "%s/tail.db", archive->folder);
    if (stat(path, &tail) != 0 || S_ISREG(tail.st_mode))
        return 0;
    return finding_put(finding, "tail.db", "is no ordinary file");
}

int archive_open(struct archive **out, const char *folder, struct finding *finding)
{
    struct archive *archive = mem_new(struct archive);
    archive->bundle_index = -1;
    int err = 0;
    if ((size_t)snprintf(archive->folder, sizeof(archive->folder), "%s", folder) >=
        sizeof(archive->folder))
        err = -ENAMETOOLONG;
    if (!err)
        err = read_notes(archive, finding);
    if (!err)
        err = check_tail(archive, finding);
    if (!err)
        err = tail_load(&archive->tail, folder, finding);
    if (err == -ENOENT)
        err = finding_put(finding, "tail.db", "missing");
    if (err) {
        archive_close(archive);
        return err;
    }
    *out = archive;
    return 0;
}

static void drop_bundle(struct archive *archive)
{
    if (archive->bundle_index >= 0)
        bundle_close(&archive->bundle);
    archive->bundle_index = -1;
}

void archive_close(struct archive *archive)
{
    if (archive == NULL)
        return;
    drop_bundle(archive);
    tail_free(&archive->tail);
    buffer_free(&archive->checkpoint.bytes);
    buffer_free(&archive->receipt.bytes);
    buffer_free(&archive->closed.bytes);
    buffer_free(&archive->verifier.bytes);
    mem_free(archive);
}

uint64_t archive_size(const struct archive *archive)
{
    return archive->tail.sealed + tail_count(&archive->tail);
}

/* The hashes of a level-0 tile whose events are all in the tail. */
static int make_tile(const struct archive *archive, struct buffer *out, uint64_t index,
                     unsigned width)
{
    uint64_t first = index * TILE_WIDTH;
    const struct tail *tail = &archive->tail;
    if (first < tail->sealed || first + width > archive_size(archive))
        return -ENOENT;
    for (unsigned i = 0; i < width; i++)
        buffer_append(out, &tail_at(tail, (size_t)(first - tail->sealed) + i)->leaf,
                      DIGEST_BYTES);
    return 0;
}

int archive_read_tile(void *owner, struct buffer *out, int level, uint64_t index,
                      unsigned width)
{
    const struct archive *archive = owner;
    char name[TILE_PATH_ROOM];
    size_t had = out->length;
    tile_path(name, level, index, width);
    int err = archive_read(archive, out, name, TILE_BYTES);
    if (err == -ENOENT && width < TILE_WIDTH) { /* it has become full since */
        tile_path(name, level, index, TILE_WIDTH);
        err = archive_read(archive, out, name, TILE_BYTES);
        if (!err && out->length - had > width * DIGEST_BYTES)
            out->length = had + width * DIGEST_BYTES;
    }
    return err == -ENOENT && level == 0 ? make_tile(archive, out, index, width) : err;
}

int archive_leaves(const struct archive *archive, struct digest leaves[TILE_WIDTH],
                   uint64_t index)
{
    struct buffer file = {0};
    char name[TILE_PATH_ROOM];
    tile_path(name, 0, index, TILE_WIDTH);
    int err = archive_read(archive, &file, name, TILE_BYTES);
    if (err == -EFBIG || (!err && file.length != TILE_BYTES))
        err = -EBADMSG;
    if (!err)
        memcpy(leaves, file.bytes, TILE_BYTES);
    buffer_free(&file);
    return err;
}

int archive_above(struct archive *archive, struct digest *hash, uint64_t index)
{
    struct buffer tile = {0};
    size_t at = (size_t)(index % TILE_WIDTH) * DIGEST_BYTES;
    unsigned width = tile_width(1, index / TILE_WIDTH, archive_size(archive));
    int err = archive_read_tile(archive, &tile, 1, index / TILE_WIDTH, width);
    if (!err && tile.length < at + DIGEST_BYTES)
        err = -EBADMSG;
    if (!err)
        memcpy(hash->bytes, tile.bytes + at, DIGEST_BYTES);
    buffer_free(&tile);
    return err;
}

/* No bundle is right where all of the tile is erased; it may have been erased just now. */
static int miss_bundle(struct archive *archive, uint64_t index)
{
    struct finding finding = {.place = ""};
    struct tail *tail = &archive->tail;
    if (!tail_tile_is_erased(tail, index) && tail->is_live)
        tail_look_again(tail, archive->folder, &finding);
    return tail_tile_is_erased(tail, index) ? -ENODATA : -EBADMSG;
}

static int open_bundle(struct archive *archive, uint64_t index)
{
    struct buffer file = {0};
    char name[TILE_PATH_ROOM];
    if (archive->bundle_index == (int64_t)index)
        return 0;
    drop_bundle(archive);
    tile_path(name, -1, index, TILE_WIDTH);
    int err = archive_read(archive, &file, name, ARCHIVE_FILE_MAX);
    if (err == -ENOENT)
        err = miss_bundle(archive, index);
    if (err == -EFBIG)
        err = -EBADMSG;
    if (!err)
        err = bundle_open(&archive->bundle, file.bytes, file.length);
    if (!err)
        archive->bundle_index = (int64_t)index;
    buffer_free(&file);
    return err;
}

int archive_event(struct archive *archive, uint64_t seq, const void **body,
                  size_t *length)
{
    const struct tail *tail = &archive->tail;
    if (seq >= archive_size(archive))
        return -ENOENT;
    if (seq >= tail->sealed) {
        const struct tail_event *event = tail_at(tail, (size_t)(seq - tail->sealed));
        *body = tail->bodies.bytes + event->start;
        *length = event->length;
        return 0;
    }
    int err = open_bundle(archive, seq / TILE_WIDTH);
    if (err)
        return err;
    unsigned at = (unsigned)(seq % TILE_WIDTH);
    if (at >= archive->bundle.count)
        return -EBADMSG;
    *body = bundle_entry(&archive->bundle, at, length);
    return *length == 0 ? -ENODATA : 0;
}

static bool is_still(const struct archive *archive, const struct archive_file *file,
                     const char *name)
{
    struct buffer now = {0};
    int err = archive_read(archive, &now, name, NOTE_MAX);
    bool same = file->is_there
                    ? !err && now.length == file->bytes.length &&
                          (now.length == 0 ||
                           memcmp(now.bytes, file->bytes.bytes, now.length) == 0)
                    : err == -ENOENT;
    buffer_free(&now);
    return same;
}

bool archive_is_superseded(const struct archive *archive)
{
    return archive->tail.is_live &&
           !is_still(archive, &archive->checkpoint, "checkpoint");
}

bool archive_has_changed(const struct archive *archive)
{
    return archive->tail.is_live ||
           !is_still(archive, &archive->checkpoint, "checkpoint") ||
           !is_still(archive, &archive->receipt, "receipt") ||
           !is_still(archive, &archive->closed, "closed");
}
