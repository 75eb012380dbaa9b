/* file - whole files and folders, power-cut safe.
 *
 * Every call returns 0 or a negative errno. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buffer.h"

/* Appends the file's bytes to `out`; -EFBIG when it holds more than `most`, -EINVAL when it is no
 * ordinary file (a FIFO, a folder). */
int file_read(struct buffer *out, const char *path, size_t most);

/* Calls `each` for the file's bytes in order, a part at a time, until it returns nonzero, which is
 * then returned. -EINVAL as above. */
int file_each_part(const char *path,
                   int (*each)(void *owner, const void *bytes, size_t length),
                   void *owner);

/* Puts the bytes into `path` at once or not at all: writes beside it, fsync, rename. The name is
 * durable only after file_sync_folder(). */
int file_put(const char *path, const void *bytes, size_t length, mode_t mode);

/* Whether it is called "NAME.123.new", as what file_put() leaves behind when it is cut off. */
bool file_is_unfinished(const char *name);

/* file_put() and then the folder, so that both survive a power cut. */
int file_put_durably(const char *path, const void *bytes, size_t length, mode_t mode);

int file_sync_folder(const char *path);
/* Syncs the folder that `path` is in: the name is there, or gone, for good. */
int file_sync_name(const char *path);

/* Makes the folder and those above it, mode 0750; fine when it is there. */
int file_make_folders(const char *path);

bool file_exists(const char *path);

/* Whether another process holds a lock on that byte of the file; false when it cannot be asked. Not
 * for a file that this process has locked: its own locks would go. */
bool file_is_locked(const char *path, off_t byte);

/* "folder/name" into `path` of `room` bytes; -ENAMETOOLONG when it does not fit. */
int file_join(char *path, size_t room, const char *folder, const char *name);

#endif
