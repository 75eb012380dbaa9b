/* bad_sector - a library to preload: one page of the file BAD_FILE, the BAD_PAGE-th of 4 KiB, cannot be
 * read; whoever tries hears EIO, for ever, under whatever name the file has by then. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

static struct stat bad;
static off_t from = -1;

__attribute__((constructor)) static void bad_open(void)
{
    const char *path = getenv("BAD_FILE"), *page = getenv("BAD_PAGE");
    if (path != NULL && page != NULL && stat(path, &bad) == 0)
        from = (off_t)atol(page) * PAGE;
}

static int is_bad(int fd, off_t at, size_t length)
{
    struct stat file;
    return from >= 0 && at < from + PAGE && at + (off_t)length > from &&
           fstat(fd, &file) == 0 && file.st_ino == bad.st_ino &&
           file.st_dev == bad.st_dev;
}

ssize_t pread64(int fd, void *bytes, size_t length, off64_t at);
ssize_t pread64(int fd, void *bytes, size_t length, off64_t at)
{
    ssize_t (*real)(int, void *, size_t, off64_t) =
        (ssize_t(*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64");
    if (is_bad(fd, at, length))
        return errno = EIO, -1;
    return real(fd, bytes, length, at);
}

ssize_t pread(int fd, void *bytes, size_t length, off_t at)
{
    return pread64(fd, bytes, length, at);
}

ssize_t read(int fd, void *bytes, size_t length)
{
    ssize_t (*real)(int, void *, size_t) =
        (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    if (from >= 0 && is_bad(fd, lseek(fd, 0, SEEK_CUR), length))
        return errno = EIO, -1;
    return real(fd, bytes, length);
}
