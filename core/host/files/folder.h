/* folder - files below the folders that a configuration names: looked through and read, nothing else.
 *
 * A path is absolute and lies below one of the roots, or is one. Below a root no link is followed and
 * ".." is no name, so nothing leads out, also where the kernel has no Landlock. A root itself may be a
 * link. Names are bytes, as the disk has them. What is no ordinary file is never opened.
 *
 * Every call returns 0 or a negative errno: -EINVAL for a path that makes no sense, -EXDEV for one below
 * no root, -ELOOP where a link stands. A call waits for the disk. */
#ifndef HOST_FILES_FOLDER_H
#define HOST_FILES_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FOLDER_NAME_MAX = 255, FOLDER_DEPTH_MAX = 32, FOLDER_PATH_MAX = 4000 };

enum folder_kind { FOLDER_FILE, FOLDER_FOLDER, FOLDER_LINK, FOLDER_OTHER };

struct folder_entry {
    char name[FOLDER_NAME_MAX + 1]; /* of a listing only */
    enum folder_kind kind;
    int64_t size; /* of a file; else 0 */
    int64_t time_s;
};

struct folder_listing;
struct folder_file;

/* The roots end with NULL. */
int folder_stat(const char *const *roots, const char *path, struct folder_entry *entry);

/* What is in a folder, in no order, one by one: -ENODATA behind the last. A name that goes meanwhile
 * is passed over. */
int folder_list(struct folder_listing **out, const char *const *roots, const char *path);
int folder_next(struct folder_listing *listing, struct folder_entry *entry);
void folder_end(struct folder_listing *listing);

/* A file from byte `from` on; `entry` is what it was when it was opened. -ESPIPE when it ends before. */
int folder_open(struct folder_file **out, const char *const *roots, const char *path,
                int64_t from, struct folder_entry *entry);
/* At most `room` bytes; 0 of them at its end. */
int folder_read(struct folder_file *file, char *bytes, size_t room, size_t *got);
void folder_close(struct folder_file *file);

#endif
