/* ring - see ring.h.
 *
 * Positions count the bytes ever written, so that they only grow: a byte at position P is at P modulo
 * ROOM behind the head. A record is a struct record and its bytes, filled up to ALIGN.
 *
 * Invariant: [oldest, end) are whole records, at most ROOM bytes, in every instant that a reader or a
 * death may come: `oldest` moves before its bytes are overwritten, `end` after the new ones are
 * there. */
#include "wire/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/mem.h"

enum { ALIGN = 16, ROOM = RING_BYTES - RING_HEAD };

static const char MAGIC[8] = "ring 1\n";
static const char OTHERS[] = "others";

struct head {
    char magic[sizeof(MAGIC)];
    uint64_t oldest;
    uint64_t end;
    uint32_t names;
    uint32_t none;
    char name[RING_NAMES_MAX][RING_NAME_ROOM];
};
_Static_assert(sizeof(struct head) <= RING_HEAD, "the head has its page");

struct record {
    int64_t utc_us;
    uint32_t length;
    uint16_t name;
    uint16_t way;
};
_Static_assert(ROOM % ALIGN == 0 && sizeof(struct record) % ALIGN == 0, "records fit");
_Static_assert(RING_PIECE_MAX + sizeof(struct record) <= ROOM / 2, "a piece fits twice");

struct ring {
    struct head *head;
    char *room;
};

static uint64_t load(const uint64_t *number)
{
    return __atomic_load_n(number, __ATOMIC_ACQUIRE);
}

static void store(uint64_t *number, uint64_t value)
{
    __atomic_store_n(number, value, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* what follows is not seen before it */
}

static size_t space_of(size_t length)
{
    return sizeof(struct record) + (length + ALIGN - 1) / ALIGN * ALIGN;
}

/* ---- Life */

int ring_make(int *fd)
{
    struct head head = {.magic = {0}};
    memcpy(head.magic, MAGIC, sizeof(MAGIC));
    int made = memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (made < 0)
        return -errno;
    int err = 0;
    if (ftruncate(made, RING_BYTES) != 0 ||
        pwrite(made, &head, offsetof(struct head, name), 0) < 0 ||
        fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        err = -errno;
    if (err)
        close(made);
    else
        *fd = made;
    return err;
}

int ring_open(struct ring **out, int fd)
{
    struct stat found;
    if (fstat(fd, &found) != 0)
        return -errno;
    if (!S_ISREG(found.st_mode) || found.st_size != RING_BYTES)
        return -EINVAL;
    void *all = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (all == MAP_FAILED)
        return -errno;
    struct head *head = all;
    if (memcmp(head->magic, MAGIC, sizeof(MAGIC)) != 0) {
        munmap(all, RING_BYTES);
        return -EINVAL;
    }
    struct ring *ring = mem_new(struct ring);
    *ring = (struct ring){.head = head, .room = (char *)all + RING_HEAD};
    *out = ring;
    return 0;
}

void ring_close(struct ring *ring)
{
    if (ring == NULL)
        return;
    munmap(ring->head, RING_BYTES);
    mem_free(ring);
}

/* ---- Writing */

int ring_name(struct ring *ring, const char *name)
{
    struct head *head = ring->head;
    uint32_t at = 0;
    while (at < head->names && strncmp(head->name[at], name, RING_NAME_ROOM - 1) != 0)
        at++;
    if (at < head->names)
        return (int)at;
    if (at == RING_NAMES_MAX)
        return RING_NAMES_MAX - 1;
    strncpy(head->name[at], at == RING_NAMES_MAX - 1 ? OTHERS : name, RING_NAME_ROOM - 1);
    __atomic_store_n(&head->names, at + 1, __ATOMIC_RELEASE);
    return (int)at;
}

static void write_at(struct ring *ring, uint64_t position, const void *bytes,
                     size_t length)
{
    size_t at = position % ROOM;
    size_t first = length < ROOM - at ? length : ROOM - at;
    memcpy(ring->room + at, bytes, first);
    memcpy(ring->room, (const char *)bytes + first, length - first);
}

/* Lets go of the oldest records until so many bytes are free. */
static void make_space(struct ring *ring, size_t space)
{
    struct head *head = ring->head;
    uint64_t oldest = head->oldest;
    struct record record;
    while (head->end + space - oldest > ROOM) {
        memcpy(&record, ring->room + oldest % ROOM, sizeof(record));
        ASSERT(record.length <= RING_PIECE_MAX);
        oldest += space_of(record.length);
    }
    if (oldest != head->oldest)
        store(&head->oldest, oldest);
}

static void put_piece(struct ring *ring, const struct record *record, const void *bytes)
{
    struct head *head = ring->head;
    size_t space = space_of(record->length);
    make_space(ring, space);
    write_at(ring, head->end, record, sizeof(*record)); /* ALIGN: it never wraps */
    write_at(ring, head->end + sizeof(*record), bytes, record->length);
    store(&head->end, head->end + space);
}

void ring_put(struct ring *ring, int name, enum ring_way way, int64_t utc_us,
              const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        size_t piece = length < RING_PIECE_MAX ? length : RING_PIECE_MAX;
        struct record record = {utc_us, (uint32_t)piece, (uint16_t)name, (uint16_t)way};
        put_piece(ring, &record, at);
        at += piece;
        length -= piece;
    }
}

/* ---- Copying */

static int read_all(int fd, char *bytes, size_t length, off_t from)
{
    while (length > 0) {
        ssize_t got = pread(fd, bytes, length, from);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EPROTO;
        bytes += got;
        from += got;
        length -= (size_t)got;
    }
    return 0;
}

static bool is_ring(const struct head *head)
{
    uint64_t oldest = load(&head->oldest), end = load(&head->end);
    return memcmp(head->magic, MAGIC, sizeof(MAGIC)) == 0 &&
           head->names <= RING_NAMES_MAX && oldest % ALIGN == 0 && end % ALIGN == 0 &&
           oldest <= end && end - oldest <= ROOM;
}

bool ring_is_empty(int fd)
{
    struct head head;
    return read_all(fd, (char *)&head, sizeof(head), 0) != 0 || head.end == 0;
}

/* What lies from `oldest` to `end`, in a row behind the head. */
static void unroll(struct ring_copy *copy, const char *room, uint64_t oldest,
                   uint64_t end)
{
    size_t at = oldest % ROOM, length = (size_t)(end - oldest);
    size_t first = length < ROOM - at ? length : ROOM - at;
    buffer_append(&copy->bytes, room + at, first);
    buffer_append(&copy->bytes, room, length - first);
}

int ring_copy_take(struct ring_copy *copy, int fd)
{
    struct head before, after;
    *copy = (struct ring_copy){.next = sizeof(struct head)};
    int err = read_all(fd, (char *)&before, sizeof(before), 0);
    if (err)
        return err;
    char *room = mem_zeroed(ROOM);
    err = read_all(fd, room, ROOM, RING_HEAD);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!err)
        err = read_all(fd, (char *)&after, sizeof(after), 0);
    if (!err && (!is_ring(&before) || !is_ring(&after)))
        err = -EPROTO;
    if (!err) {
        uint64_t oldest = after.oldest < before.end ? after.oldest : before.end;
        buffer_append(&copy->bytes, &after, sizeof(after));
        if (oldest >= before.oldest)
            unroll(copy, room, oldest, before.end);
        copy->names = (int)after.names;
    }
    mem_free(room);
    return err;
}

void ring_copy_free(struct ring_copy *copy)
{
    buffer_free(&copy->bytes);
    *copy = (struct ring_copy){0};
}

const char *ring_copy_name(const struct ring_copy *copy, int name)
{
    struct head *head = (struct head *)copy->bytes.bytes;
    ASSERT(name >= 0 && name < copy->names);
    head->name[name][RING_NAME_ROOM - 1] = '\0';
    return head->name[name];
}

int ring_next(struct ring_copy *copy, struct ring_piece *piece)
{
    struct record record;
    size_t left = copy->bytes.length - copy->next;
    if (copy->bytes.length < copy->next || left < sizeof(record))
        return 0;
    memcpy(&record, copy->bytes.bytes + copy->next, sizeof(record));
    if (record.length > RING_PIECE_MAX || space_of(record.length) > left ||
        record.name >= copy->names || record.way > RING_OUT)
        return 0;
    *piece = (struct ring_piece){.name = record.name,
                                 .way = (enum ring_way)record.way,
                                 .utc_us = record.utc_us,
                                 .bytes = copy->bytes.bytes + copy->next + sizeof(record),
                                 .length = record.length};
    copy->next += space_of(record.length);
    return 1;
}
