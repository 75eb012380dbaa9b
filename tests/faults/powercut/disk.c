/* disk - see disk.h. Aborts on whatever it does not understand: a model that guesses proves nothing. */
#include "disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chance.h"

enum { SECTOR = 512, PATH_ROOM = 4096, NODES_MAX = 100 * 1000 };

struct name {
    char text[TRACE_NAME_ROOM];
    ino_t inode;
};

struct content {
    uint8_t *bytes;
    size_t size, room;
};

struct node {
    ino_t inode;
    bool is_folder;
    struct content durable; /* of a file */
    struct name *names;     /* durable, of a folder */
    size_t name_count;
    const struct trace_op **pending;
    size_t pending_count;
};

struct disk {
    struct node *nodes;
    size_t node_count;
    ino_t root;
    const struct trace_op *synced; /* the last sync of anything, or the first operation */
    const struct trace_op *oldest, *newest;
};

/* How one cut treats what is pending. */
enum fate { NONE, ALL, FIRST, EACH, SECTORS, FATES };

struct fall {
    uint64_t seed, random;
    bool is_free;                   /* names fall by themselves */
    unsigned percent;               /* of those that stay */
    const struct trace_op *journal; /* ordered: the last change of names that stays */
    enum fate fate; /* of a file's writes, or FATES: another for each file */
    bool has_noise;
};

static void *grown(void *memory, size_t count, size_t size)
{
    if (count & (count - 1)) /* room is a power of two */
        return memory;
    memory = realloc(memory, (count ? 2 * count : 1) * size);
    if (memory == NULL)
        abort();
    return memory;
}

/* ---- Nodes */

static struct node *find_node(struct disk *disk, ino_t inode)
{
    for (size_t i = disk->node_count; i > 0; i--)
        if (disk->nodes[i - 1].inode == inode)
            return &disk->nodes[i - 1];
    return NULL;
}

static struct node *need_node(struct disk *disk, ino_t inode, bool is_folder)
{
    struct node *node = find_node(disk, inode);
    if (node != NULL)
        return node;
    if (disk->node_count == NODES_MAX)
        abort();
    disk->nodes = grown(disk->nodes, disk->node_count, sizeof(*disk->nodes));
    node = &disk->nodes[disk->node_count++];
    *node = (struct node){.inode = inode, .is_folder = is_folder};
    return node;
}

static void copy_content(struct content *to, const struct content *from)
{
    *to = (struct content){.size = from->size, .room = from->size};
    to->bytes = malloc(from->size + 1);
    if (from->size > 0)
        memcpy(to->bytes, from->bytes, from->size);
}

static void resize(struct content *content, size_t size)
{
    if (size > content->room) {
        content->room = 2 * size;
        content->bytes = realloc(content->bytes, content->room);
    }
    if (size > content->size)
        memset(content->bytes + content->size, 0, size - content->size);
    content->size = size;
}

static void put_bytes(struct content *content, size_t at, const uint8_t *bytes,
                      size_t length)
{
    if (at + length > content->size)
        resize(content, at + length);
    memcpy(content->bytes + at, bytes, length);
}

static void put_op(struct content *content, const struct trace_op *op)
{
    if (op->kind == TRACE_SIZE)
        resize(content, op->at);
    else
        put_bytes(content, op->at, trace_bytes(op), op->length);
}

/* ---- Names */

static void drop_name(struct name *names, size_t *count, const char *text)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(names[i].text, text) == 0)
            names[i--] = names[--*count];
}

/* What the change is to the names of `folder`. */
static struct name *put_name(struct name *names, size_t *count, ino_t folder,
                             const struct trace_op *op)
{
    if (op->old[0] != '\0' && (op->from == 0 || op->from == folder))
        drop_name(names, count, op->old);
    if (op->inode != folder)
        return names;
    drop_name(names, count, op->name);
    if (op->target == 0)
        return names;
    names = grown(names, *count, sizeof(*names));
    struct name *name = &names[(*count)++];
    memcpy(name->text, op->name, sizeof(name->text));
    name->inode = op->target;
    return names;
}

/* ---- Taking */

static void keep_pending(struct node *node, const struct trace_op *op)
{
    node->pending = grown(node->pending, node->pending_count, sizeof(*node->pending));
    node->pending[node->pending_count++] = op;
}

static void put_durably(struct node *node, const struct trace_op *op)
{
    if (node->is_folder)
        node->names = put_name(node->names, &node->name_count, node->inode, op);
    else
        put_op(&node->durable, op);
}

static void sync_moved(struct disk *disk, const struct node *node,
                       const struct trace_op *op);

/* The first `count` of what is pending. */
static void sync_first(struct disk *disk, struct node *node, size_t count)
{
    const struct trace_op **first = node->pending;
    size_t left = node->pending_count - count;
    node->pending = NULL;
    node->pending_count = 0;
    for (size_t i = 0; i < count; i++)
        put_durably(node, first[i]);
    for (size_t i = count; i < count + left; i++)
        keep_pending(node, first[i]);
    for (size_t i = 0; i < count; i++)
        if (first[i]->from != 0)
            sync_moved(disk, node, first[i]);
    free(first);
}

/* At the other folder too; what came before it there must not come behind it. */
static void sync_moved(struct disk *disk, const struct node *node,
                       const struct trace_op *op)
{
    struct node *other = find_node(disk, op->from == node->inode ? op->inode : op->from);
    for (size_t i = 0; i < other->pending_count; i++)
        if (other->pending[i] == op) {
            sync_first(disk, other, i + 1);
            return;
        }
}

void disk_take(struct disk *disk, const struct trace_op *op)
{
    disk->newest = op;
    if (disk->synced == NULL)
        disk->oldest = disk->synced = op;
    if (op->kind == TRACE_NAME && op->target)
        need_node(disk, op->target, op->is_folder);
    if (op->kind == TRACE_NAME && op->from != 0)
        keep_pending(need_node(disk, op->from, true), op);
    if (op->kind == TRACE_NAME)
        keep_pending(need_node(disk, op->inode, true), op);
    else if (op->kind == TRACE_WRITE || op->kind == TRACE_SIZE)
        keep_pending(need_node(disk, op->inode, false), op);
    else if (op->kind == TRACE_SYNC) {
        struct node *node = need_node(disk, op->inode, op->is_folder);
        sync_first(disk, node, node->pending_count);
        disk->synced = op;
    }
}

/* ---- Beginning */

static void read_content(struct content *content, const char *path, size_t size)
{
    resize(content, size);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, content->bytes, size) != (ssize_t)size)
        abort();
    close(fd);
}

static void read_folder(struct disk *disk, const char *path, ino_t inode);

static void read_entry(struct disk *disk, const char *folder, ino_t above,
                       const char *text)
{
    char path[PATH_ROOM];
    struct stat file;
    snprintf(path, sizeof(path), "%s/%s", folder, text);
    if (lstat(path, &file) != 0)
        abort();
    if (!S_ISREG(file.st_mode) && !S_ISDIR(file.st_mode))
        return; /* a socket that was left over */
    struct trace_op op = {.inode = above, .target = file.st_ino};
    snprintf(op.name, sizeof(op.name), "%s", text);
    struct node *node = need_node(disk, above, true);
    node->names = put_name(node->names, &node->name_count, above, &op);
    node = need_node(disk, file.st_ino, S_ISDIR(file.st_mode));
    if (S_ISDIR(file.st_mode))
        read_folder(disk, path, file.st_ino);
    else
        read_content(&node->durable, path, (size_t)file.st_size);
}

static void read_folder(struct disk *disk, const char *path, ino_t inode)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        abort();
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            read_entry(disk, path, inode, entry->d_name);
    closedir(folder);
}

struct disk *disk_new(const char *folder)
{
    struct disk *disk = calloc(1, sizeof(*disk));
    struct stat root;
    if (disk == NULL || stat(folder, &root) != 0)
        abort();
    disk->root = root.st_ino;
    need_node(disk, root.st_ino, true);
    read_folder(disk, folder, root.st_ino);
    return disk;
}

void disk_free(struct disk *disk)
{
    for (size_t i = 0; i < disk->node_count; i++) {
        free(disk->nodes[i].durable.bytes);
        free(disk->nodes[i].names);
        free(disk->nodes[i].pending);
    }
    free(disk->nodes);
    free(disk);
}

/* ---- Falling */

static void put_noise(struct fall *fall, uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)chance_next(&fall->random);
}

/* What did not arrive: nothing where there was something before, zeros or noise where the file grew. */
static void lose_piece(struct fall *fall, struct content *content, size_t at,
                       size_t length)
{
    if (at + length <= content->size || chance_is(&fall->random, 50))
        return;
    size_t from = at > content->size ? at : content->size;
    resize(content, at + length);
    if (fall->has_noise)
        put_noise(fall, content->bytes + from, at + length - from);
}

static void put_sectors(struct fall *fall, struct content *content,
                        const struct trace_op *op)
{
    for (size_t at = op->at, end = op->at + op->length; at < end;) {
        size_t next = at - at % SECTOR + SECTOR;
        size_t length = (next < end ? next : end) - at;
        if (chance_is(&fall->random, fall->percent))
            put_bytes(content, at, trace_bytes(op) + (at - op->at), length);
        else
            lose_piece(fall, content, at, length);
        at += length;
    }
}

static void put_maybe(struct fall *fall, struct content *content,
                      const struct trace_op *op)
{
    if (chance_is(&fall->random, fall->percent))
        put_op(content, op);
    else if (op->kind == TRACE_WRITE)
        lose_piece(fall, content, op->at, op->length);
}

static void put_torn(struct fall *fall, struct content *content,
                     const struct trace_op *op)
{
    if (op->kind == TRACE_WRITE)
        put_sectors(fall, content, op);
    else
        put_maybe(fall, content, op);
}

static void fall_content(struct fall *fall, struct content *content,
                         const struct node *node)
{
    enum fate fate = fall->fate < FATES ? fall->fate : chance_below(&fall->random, FATES);
    size_t first = fate == ALL ? node->pending_count : 0;
    if (fate == FIRST && node->pending_count > 0)
        first = chance_below(&fall->random, node->pending_count + 1);
    copy_content(content, &node->durable);
    for (size_t i = 0; i < first; i++)
        put_op(content, node->pending[i]);
    if (fate == FIRST && first < node->pending_count)
        put_torn(fall, content, node->pending[first]);
    for (size_t i = 0; fate == EACH && i < node->pending_count; i++)
        put_maybe(fall, content, node->pending[i]);
    for (size_t i = 0; fate == SECTORS && i < node->pending_count; i++)
        put_torn(fall, content, node->pending[i]);
}

static void write_file(struct fall *fall, const char *path, const struct node *node)
{
    struct content content;
    fall_content(fall, &content, node);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0 || write(fd, content.bytes, content.size) != (ssize_t)content.size) {
        perror(path);
        exit(2);
    }
    close(fd);
    free(content.bytes);
}

/* What was moved from one folder to another is so in both, or in none. */
static bool stays(struct fall *fall, const struct disk *disk, const struct trace_op *op)
{
    uint64_t own = chance_at(fall->seed, (uint64_t)(op - disk->oldest));
    if (fall->is_free && op->from != 0)
        return chance_is(&own, fall->percent);
    return fall->is_free ? chance_is(&fall->random, fall->percent) : op <= fall->journal;
}

static void write_folder(struct disk *disk, struct fall *fall, const char *path,
                         const struct node *node)
{
    char below[PATH_ROOM];
    struct name *names = NULL;
    size_t count = 0;
    if (mkdir(path, 0750) != 0) {
        perror(path);
        exit(2);
    }
    for (size_t i = 0; i < node->name_count; i++) {
        names = grown(names, count, sizeof(*names));
        names[count++] = node->names[i];
    }
    for (size_t i = 0; i < node->pending_count; i++)
        if (stays(fall, disk, node->pending[i]))
            names = put_name(names, &count, node->inode, node->pending[i]);
    for (size_t i = 0; i < count; i++) {
        struct node *child = find_node(disk, names[i].inode);
        snprintf(below, sizeof(below), "%s/%s", path, names[i].text);
        if (child->is_folder)
            write_folder(disk, fall, below, child);
        else
            write_file(fall, below, child);
    }
    free(names);
}

/* A tenth of the cuts loses all that is pending, a tenth nothing: that is what kills do. */
static void choose(struct fall *fall, const struct disk *disk)
{
    static const unsigned PERCENT[] = {10, 50, 50, 90};
    uint64_t kind = chance_below(&fall->random, 10);
    fall->percent = kind == 0   ? 0
                    : kind == 1 ? 100
                                : PERCENT[chance_below(&fall->random, 4)];
    fall->fate = kind == 0 ? NONE : kind == 1 ? ALL : FATES;
    fall->is_free = kind < 2 || chance_is(&fall->random, 50);
    fall->has_noise = chance_is(&fall->random, 50);
    fall->journal = disk->synced;
    if (disk->newest != NULL)
        fall->journal +=
            chance_below(&fall->random, (uint64_t)(disk->newest - disk->synced) + 1);
}

void disk_fall(struct disk *disk, const char *folder, uint64_t random)
{
    struct fall fall = {.seed = random, .random = random};
    choose(&fall, disk);
    write_folder(disk, &fall, folder, find_node(disk, disk->root));
}
