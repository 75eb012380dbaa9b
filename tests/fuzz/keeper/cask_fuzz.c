/* A blob's file as anybody may have changed it: it reads as what was written, or not at all.
 *
 * First byte even: the rest is the file as it comes. Odd: the rest are changes to a good file, five
 * bytes apiece: what (flip, cut, copy a part, add), where, how much. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "keeper/blobs/cask.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { SIZE = CASK_CHUNK + 1000, EDIT = 5, EDITS_MAX = 16, FILE_MAX = 1 << 20 };

static const struct cask_key KEY = {{1, 2, 3}};
static uint8_t blob[SIZE], good[2 * CASK_SEALED + CASK_HEAD], file[FILE_MAX];
static size_t good_length;
static char path[] = "/tmp/cask-fuzz-XXXXXX";

static void remove_file(void)
{
    unlink(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct cask *cask;
    (void)argc;
    (void)argv;
    int fd = mkstemp(path);
    ASSERT(fd >= 0);
    close(fd);
    unlink(path);
    atexit(remove_file);
    for (size_t i = 0; i < SIZE; i++)
        blob[i] = (uint8_t)(i * 31 + i / 256);
    ASSERT(cask_make(&cask, path, &KEY) == 0);
    ASSERT(cask_put(cask, blob, SIZE) == 0);
    ASSERT(cask_finish(cask) == 0);
    cask_close(cask);
    fd = open(path, O_RDONLY);
    ssize_t got = read(fd, good, sizeof(good));
    close(fd);
    ASSERT(got == cask_bytes(SIZE));
    good_length = (size_t)got;
    return 0;
}

static size_t change(size_t length, const uint8_t *edit)
{
    size_t at = (size_t)(edit[1] << 8 | edit[2]) * 4 % (length + 1);
    size_t much = (size_t)(edit[3] << 8 | edit[4]);
    if (edit[0] % 4 == 0 && at < length)
        file[at] ^= (uint8_t)(1 << much % 8);
    if (edit[0] % 4 == 1)
        return at;
    if (edit[0] % 4 == 2 && at + much <= length)
        memmove(file, file + at, much);
    if (edit[0] % 4 == 3 && length + much < FILE_MAX) {
        memset(file + length, edit[1], much);
        return length + much;
    }
    return length;
}

static size_t make_file(const uint8_t *bytes, size_t length)
{
    if (length == 0 || bytes[0] % 2 == 0) {
        size_t rest = length > 0 ? length - 1 : 0;
        rest = rest < FILE_MAX ? rest : FILE_MAX;
        memcpy(file, bytes + (length > 0), rest);
        return rest;
    }
    size_t result = good_length;
    memcpy(file, good, good_length);
    for (size_t i = 0; i < EDITS_MAX && (i + 1) * EDIT < length; i++)
        result = change(result, bytes + 1 + i * EDIT);
    return result;
}

/* Whether all of it can be read; what can be is what was written. */
static bool can_read(void)
{
    static uint8_t plain[CASK_CHUNK];
    struct cask *cask;
    size_t length;
    if (cask_open(&cask, path, &KEY) != 0)
        return false;
    bool good_so_far = true;
    ASSERT(cask_bytes(cask_length(cask)) >= CASK_HEAD);
    for (int64_t i = 0; i < cask_chunks(cask); i++) {
        if (cask_read(cask, i, plain, &length) != 0) {
            good_so_far = false;
            continue;
        }
        ASSERT(i * CASK_CHUNK + (int64_t)length <= SIZE);
        ASSERT(memcmp(plain, blob + i * CASK_CHUNK, length) == 0);
    }
    good_so_far &= cask_length(cask) == SIZE;
    cask_close(cask);
    return good_so_far;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    size_t made = make_file(bytes, length);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ASSERT(fd >= 0 && write(fd, file, made) == (ssize_t)made);
    close(fd);
    bool is_same = made == good_length && memcmp(file, good, made) == 0;
    ASSERT(can_read() == is_same);
    if (made % 64 == 0) /* it waits for the disk */
        ASSERT(cask_erase(path) == 0);
    return 0;
}
