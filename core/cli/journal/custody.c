/* custody - see custody.h.
 *
 * Invariant: of a file that was stored again after it had been released only what was said since
 * counts; where that began cannot be seen, nothing is asked of its row. */
#include "cli/journal/custody.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/now.h"
#include "wire/talk.h"

enum { ROOM_FIRST = 64, DIGITS = 2 * DIGEST_BYTES };

/* Events by their sequence, -1: none. */
struct custody_file {
    bool is_used;
    bool is_held;   /* for a case, by a mark */
    bool may_begin; /* it was released: erased, too, it has no event before it */
    struct digest sha256;
    int64_t recorded; /* evidence.recorded, with size and sm3 */
    int64_t told;     /* the newest that says that it is stored, */
    int64_t released; /* and the one since then that it goes */
    int64_t newest;   /* of those that name the one before */
    int64_t uploaded;
    int64_t classed; /* the newest that says a class, and a time */
    int64_t dated;
    int64_t size, class, until_us;
    struct digest sm3;
    bool has_sm3;
};

/* ---- What is known of a file */

static size_t place_of(const struct custody *custody, const struct digest *digest)
{
    uint64_t first;
    memcpy(&first, digest->bytes, sizeof(first));
    size_t at = (size_t)first & (custody->room - 1);
    while (custody->files[at].is_used &&
           !digest_equal(&custody->files[at].sha256, digest))
        at = (at + 1) & (custody->room - 1);
    return at;
}

static const struct custody_file *find(const struct custody *custody,
                                       const struct digest *digest)
{
    if (custody->count == 0)
        return NULL;
    const struct custody_file *file = &custody->files[place_of(custody, digest)];
    return file->is_used ? file : NULL;
}

static void grow(struct custody *custody)
{
    struct custody old = *custody;
    custody->room = old.room > 0 ? 2 * old.room : ROOM_FIRST;
    custody->files = mem_zeroed(custody->room * sizeof(*custody->files));
    for (size_t i = 0; i < old.room; i++)
        if (old.files[i].is_used)
            custody->files[place_of(custody, &old.files[i].sha256)] = old.files[i];
    mem_free(old.files);
}

static void forget(struct custody_file *file)
{
    file->recorded = file->told = file->released = file->uploaded = -1;
    file->classed = file->dated = -1;
    file->is_held = file->has_sm3 = false;
}

static struct custody_file *add(struct custody *custody, const struct digest *digest)
{
    if (2 * custody->count >= custody->room)
        grow(custody);
    struct custody_file *file = &custody->files[place_of(custody, digest)];
    if (file->is_used)
        return file;
    *file = (struct custody_file){.is_used = true, .sha256 = *digest, .newest = -1};
    forget(file);
    custody->count++;
    return file;
}

static bool read_digest(struct digest *digest, const struct json *data, const char *name)
{
    const char *digits = json_text(data, name);
    return digits != NULL && strlen(digits) == DIGITS &&
           hex_decode(digest->bytes, DIGEST_BYTES, digits) == 0;
}

/* ---- What one event says */

struct saying {
    const struct archive *archive;
    int64_t seq;
    const char *type;
    const struct json *data;
    struct finding *finding;
};

static bool is_gone(const struct archive *archive, int64_t seq)
{
    return seq >= 0 && tail_is_erased(&archive->tail, (uint64_t)seq);
}

/* `named` stands for event `newest`, or for one that is lost. */
static bool is_before(const struct archive *archive, const struct custody_file *file,
                      int64_t named)
{
    return named == file->newest || (named < 0 && file->may_begin) ||
           (named > file->newest && is_gone(archive, named));
}

static int follow_chain(const struct saying *saying, struct custody_file *file)
{
    int64_t before = file->newest;
    int64_t named = json_number(saying->data, "previous", -1);
    bool is_right = is_before(saying->archive, file, named);
    char place[FINDING_PLACE_MAX];
    file->newest = saying->seq;
    file->may_begin = strcmp(saying->type, "blob.released") == 0;
    if (is_right)
        return 0;
    snprintf(place, sizeof(place), "event %" PRId64 " (%s)", saying->seq, saying->type);
    return finding_put(saying->finding, place,
                       "names event %" PRId64 " as the one before it of the same file, "
                       "which is event %" PRId64 " (-1: none)",
                       named, before);
}

/* A mark or a release says until when; without a time it is held, or the clock was not set. */
static void take_term(const struct saying *saying, struct custody_file *file)
{
    bool is_mark = strcmp(saying->type, "evidence.marked") == 0;
    const char *until = json_text(saying->data, "until");
    if (!is_mark && strcmp(saying->type, "evidence.released") != 0)
        return;
    file->is_held = is_mark && file->class == CLASS_CASE;
    file->dated =
        until != NULL && now_parse(&file->until_us, until) == 0 ? saying->seq : -1;
}

/* A class that has no name here is that of an adopted file. */
static int take_own(const struct saying *saying, struct custody_file *file)
{
    const char *class = json_text(saying->data, "class");
    file->class = class != NULL ? talk_class_of(class) : -1;
    bool is_evidence = file->class < 0 || file->class >= CLASS_ORDINARY;
    int err = is_evidence ? follow_chain(saying, file) : 0;
    if (strcmp(saying->type, "blob.released") == 0) {
        file->released = saying->seq;
        return err;
    }
    if (file->released >= 0)
        forget(file);
    file->told = saying->seq;
    file->classed = file->class >= 0 ? saying->seq : -1;
    if (strcmp(saying->type, "evidence.uploaded") == 0)
        file->uploaded = saying->seq;
    take_term(saying, file);
    return err;
}

static void take_recorded(const struct saying *saying, struct custody_file *file)
{
    if (file->released >= 0)
        forget(file);
    file->recorded = file->told = saying->seq;
    file->size = json_number(saying->data, "size", -1);
    file->has_sm3 = read_digest(&file->sm3, saying->data, "sm3");
}

static bool is_own(const struct archive *archive, const struct json *event)
{
    char expected[WORD_ID_MAX + 32];
    const char *source = json_text(event, "source");
    snprintf(expected, sizeof(expected), "/%s/keeper/keeper", archive->tail.office);
    return source != NULL && strcmp(source, expected) == 0;
}

int custody_take(struct custody *custody, const struct archive *archive, uint64_t seq,
                 const struct json *event, struct finding *finding)
{
    const struct saying saying = {archive, (int64_t)seq, json_text(event, "type"),
                                  json_get(event, "data"), finding};
    struct digest digest;
    if (saying.type == NULL || !read_digest(&digest, saying.data, "sha256"))
        return 0;
    bool is_evidence = strncmp(saying.type, "evidence.", 9) == 0;
    if (is_own(archive, event)) {
        if (is_evidence || strncmp(saying.type, "blob.", 5) == 0)
            return take_own(&saying, add(custody, &digest));
    } else if (strcmp(saying.type, "evidence.recorded") == 0) {
        take_recorded(&saying, add(custody, &digest));
    }
    return 0;
}

/* ---- The rows */

struct check {
    const struct custody *custody;
    const struct archive *archive;
    struct finding *finding;
    char blobs
        [ARCHIVE_PATH_MAX]; /* the folder, or empty: this is a copy of the journal alone */
    bool is_lossy;
    char digits[DIGITS + 1]; /* of the row */
};

static const char TABLE[] = "tail.db";

static int tell(const struct check *check, const char *says, int64_t row, int64_t seq,
                int64_t event)
{
    return finding_put(check->finding, TABLE,
                       "table blob: %s of %s is %" PRId64 ", event %" PRId64
                       " says %" PRId64,
                       says, check->digits, row, seq, event);
}

static int check_recorded(const struct check *check, const struct tail_blob *blob,
                          const struct custody_file *file)
{
    if (file->recorded < 0 || blob->seq < 0)
        return 0;
    if (file->size >= 0 && blob->size != file->size)
        return tell(check, "size", blob->size, file->recorded, file->size);
    if (!file->has_sm3 || !blob->has_sm3 || digest_equal(&file->sm3, &blob->sm3))
        return 0;
    return finding_put(check->finding, TABLE,
                       "table blob: the SM3 of %s is not the one that event %" PRId64
                       " says",
                       check->digits, file->recorded);
}

/* A plugin may have raised it since, and that is no event; a release is one, which may be lost. */
static int check_keeping(const struct check *check, const struct tail_blob *blob,
                         const struct custody_file *file)
{
    if (check->is_lossy)
        return 0;
    if (file->classed >= 0 && blob->class < file->class)
        return tell(check, "class", blob->class, file->classed, file->class);
    if (file->is_held && blob->until_us >= 0)
        return tell(check, "until", blob->until_us, file->classed, -1);
    if (file->dated >= 0 && blob->until_us >= 0 && blob->until_us < file->until_us)
        return tell(check, "until", blob->until_us, file->dated, file->until_us);
    return 0;
}

static int check_newest(const struct check *check, const struct tail_blob *blob,
                        const struct custody_file *file)
{
    static const struct custody_file NONE = {.newest = -1};
    if (is_before(check->archive, file != NULL ? file : &NONE, blob->newest))
        return 0;
    int64_t newest = file != NULL ? file->newest : -1;
    return finding_put(check->finding, TABLE,
                       "table kv: the newest event of custody of %s is %" PRId64
                       ", in the journal it is %" PRId64,
                       check->digits, blob->newest, newest);
}

static int check_uploaded(const struct check *check, const struct tail_blob *blob,
                          int64_t uploaded)
{
    if ((blob->uploaded_us > 0) == (uploaded >= 0) || blob->seq < 0 || check->is_lossy)
        return 0;
    return finding_put(check->finding, TABLE, "table blob: %s is %s, %s event says so",
                       check->digits,
                       blob->uploaded_us > 0 ? "at the city" : "not at the city",
                       blob->uploaded_us > 0 ? "no" : "an");
}

static int check_stored(const struct check *check, const struct tail_blob *blob,
                        const struct custody_file *file)
{
    if (file != NULL && file->released >= 0)
        return 0;
    int err = check_newest(check, blob, file);
    if (!err)
        err = check_uploaded(check, blob, file != NULL ? file->uploaded : -1);
    if (!err && file != NULL)
        err = check_recorded(check, blob, file);
    if (!err && file != NULL)
        err = check_keeping(check, blob, file);
    return err;
}

static int check_released(const struct check *check, const struct custody_file *file)
{
    if (check->is_lossy || (file != NULL && file->released >= 0))
        return 0;
    return finding_put(check->finding, TABLE,
                       "table blob: %s is released, and no event has released it",
                       check->digits);
}

/* ---- The files */

static bool is_missing(const struct check *check, const char *name)
{
    char path[ARCHIVE_PATH_MAX];
    struct stat file;
    return file_join(path, sizeof(path), check->blobs, name) == 0 &&
           lstat(path, &file) != 0 && errno == ENOENT;
}

/* "new/SHA256.N", which a keeper that was cut off has not put into its place yet. */
static bool is_new(const struct check *check)
{
    char path[ARCHIVE_PATH_MAX];
    bool found = false;
    DIR *folder =
        file_join(path, sizeof(path), check->blobs, "new") == 0 ? opendir(path) : NULL;
    if (folder == NULL)
        return errno != ENOENT;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        found |= strncmp(entry->d_name, check->digits, DIGITS) == 0;
    closedir(folder);
    return found;
}

/* Twice: it may just be moving there. */
static int check_file(const struct check *check, const struct tail_blob *blob)
{
    char name[DIGITS + 2], place[FINDING_PLACE_MAX];
    snprintf(name, sizeof(name), "%.2s/%s", check->digits, check->digits + 2);
    if (check->blobs[0] == '\0' || blob->is_damaged || !is_missing(check, name) ||
        is_new(check) || !is_missing(check, name))
        return 0;
    snprintf(place, sizeof(place), "blobs/%s", name);
    return finding_put(check->finding, place, "missing; tail.db says that it is stored");
}

/* A journal that was set aside has no blobs any more: those beside it are its successor's. */
static void find_blobs(struct check *check)
{
    char state[ARCHIVE_PATH_MAX];
    snprintf(state, sizeof(state), "%s", check->archive->folder);
    char *last = strrchr(state, '/');
    if (last == NULL || strcmp(last, "/journal") != 0)
        return;
    *last = '\0';
    if (file_join(check->blobs, sizeof(check->blobs), state, "blobs") != 0 ||
        !file_exists(check->blobs))
        check->blobs[0] = '\0';
}

/* ---- All of it */

static int check_row(struct check *check, const struct tail_blob *blob)
{
    const struct custody_file *file = find(check->custody, &blob->sha256);
    uint64_t size = archive_size(check->archive);
    hex_encode(check->digits, blob->sha256.bytes, DIGEST_BYTES);
    if (blob->seq >= 0 && (uint64_t)blob->seq >= size)
        return finding_put(check->finding, TABLE,
                           "table blob: %s came with event %" PRId64
                           ", there are %" PRIu64,
                           check->digits, blob->seq, size);
    if (blob->is_released)
        return check_released(check, file);
    int err = check_stored(check, blob, file);
    return err ? err : check_file(check, blob);
}

static int check_rows(struct check *check)
{
    const struct tail *tail = &check->archive->tail;
    int err = 0;
    for (size_t i = 0; i < tail_blob_count(tail) && !err; i++)
        err = check_row(check, tail_blob_at(tail, i));
    return err;
}

/* What the events say is stored has a row. */
static int check_missing(const struct check *check)
{
    const struct custody *custody = check->custody;
    for (size_t i = 0; i < custody->room; i++) {
        const struct custody_file *file = &custody->files[i];
        char digits[DIGITS + 1];
        if (!file->is_used || file->told < 0 || file->released >= 0 ||
            tail_blob(&check->archive->tail, &file->sha256) != NULL)
            continue;
        hex_encode(digits, file->sha256.bytes, DIGEST_BYTES);
        return finding_put(check->finding, TABLE,
                           "table blob: no row of %s, which is stored as event %" PRId64
                           " says, and was not released",
                           digits, file->told);
    }
    return 0;
}

int custody_check(const struct custody *custody, const struct archive *archive,
                  bool is_lossy, struct finding *finding)
{
    struct check check = {
        .custody = custody, .archive = archive, .finding = finding, .is_lossy = is_lossy};
    if (!archive->tail.has_blobs)
        return 0;
    find_blobs(&check);
    int err = check_rows(&check);
    return err || is_lossy ? err : check_missing(&check);
}

void custody_free(struct custody *custody)
{
    mem_free(custody->files);
    *custody = (struct custody){.room = 0};
}
