/* What lies on disk is the blob, unreadable without the key; every change of it is found. */
#include "keeper/blobs/cask.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/hex.h"
#include "base/mem.h"
#include "keeper/fixture.h"

static char folder[256], path[300], other[300];
static const struct cask_key KEY = {{1, 2, 3}}, ANOTHER = {{1, 2, 4}};

static int start(void **state)
{
    (void)state;
    fixture_folder(folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/cask", folder);
    snprintf(other, sizeof(other), "%s/other", folder);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_remove(folder);
    return 0;
}

static uint8_t byte_at(int64_t at)
{
    return (uint8_t)(at * 31 + at / 256 * 7 + at / CASK_CHUNK);
}

/* Writes a blob of `size` bytes, `part` at a time. */
static void write_blob(const char *where, int64_t size, size_t part)
{
    struct cask *cask;
    uint8_t *bytes = mem_zeroed(part);
    assert_int_equal(cask_make(&cask, where, &KEY), 0);
    for (int64_t at = 0; at < size; at += (int64_t)part) {
        size_t length = size - at < (int64_t)part ? (size_t)(size - at) : part;
        for (size_t i = 0; i < length; i++)
            bytes[i] = byte_at(at + (int64_t)i);
        assert_int_equal(cask_put(cask, bytes, length), 0);
    }
    assert_int_equal(cask_finish(cask), 0);
    cask_close(cask);
    mem_free(bytes);
}

/* Reads all of it: 0 and it is what write_blob() wrote, or the first error. */
static int read_blob(const char *where, const struct cask_key *key)
{
    static uint8_t plain[CASK_CHUNK];
    struct cask *cask;
    size_t length;
    int err = cask_open(&cask, where, key);
    if (err)
        return err;
    int64_t at = 0;
    for (int64_t i = 0; i < cask_chunks(cask) && !err; i++) {
        err = cask_read(cask, i, plain, &length);
        for (size_t j = 0; j < length && !err; j++)
            assert_int_equal(plain[j], byte_at(at++));
    }
    if (!err)
        assert_int_equal(at, cask_length(cask));
    cask_close(cask);
    return err;
}

static int64_t length_of(const char *where)
{
    struct stat file;
    assert_int_equal(stat(where, &file), 0);
    return file.st_size;
}

static void a_blob_of_any_size_comes_back(void **state)
{
    static const int64_t SIZES[] = {0,
                                    1,
                                    CASK_CHUNK - 1,
                                    CASK_CHUNK,
                                    CASK_CHUNK + 1,
                                    2 * CASK_CHUNK,
                                    17 * CASK_CHUNK + 5};
    static const size_t PARTS[] = {1000, CASK_CHUNK - 1, CASK_CHUNK, 3 * CASK_CHUNK + 1};
    (void)state;
    for (size_t i = 0; i < countof(SIZES); i++)
        for (size_t j = 0; j < countof(PARTS); j++) {
            write_blob(path, SIZES[i], PARTS[j]);
            assert_int_equal(length_of(path), cask_bytes(SIZES[i]));
            assert_int_equal(cask_size(length_of(path)), SIZES[i]);
            assert_int_equal(read_blob(path, &KEY), 0);
            assert_int_equal(unlink(path), 0);
        }
}

static void only_lengths_that_a_file_can_have_have_a_size(void **state)
{
    (void)state;
    int64_t possible = 0;
    for (int64_t bytes = 0; bytes < 3 * CASK_SEALED; bytes++) {
        int64_t size = cask_size(bytes);
        if (size < 0)
            assert_int_equal(size, -EBADMSG);
        else
            assert_int_equal(size, possible++);
    }
    assert_int_equal(cask_size(-1), -EBADMSG);
}

static void the_same_bytes_never_look_the_same(void **state)
{
    (void)state;
    char one[CASK_HEAD + 40], two[CASK_HEAD + 40];
    write_blob(path, 24, 24);
    write_blob(other, 24, 24);
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, one, sizeof(one)), sizeof(one));
    close(fd);
    fd = open(other, O_RDONLY);
    assert_int_equal(read(fd, two, sizeof(two)), sizeof(two));
    close(fd);
    assert_memory_not_equal(one + 8, two + 8, CASK_SALT);
    assert_memory_not_equal(one + CASK_HEAD, two + CASK_HEAD, 40);
    for (size_t i = 0; i + 4 <= sizeof(one); i++) /* nor like the blob */
        assert_false(memcmp(one + i, (uint8_t[]){0, 31, 62, 93}, 4) == 0);
}

static void a_file_that_is_there_is_not_written_over(void **state)
{
    struct cask *cask;
    (void)state;
    write_blob(path, 10, 10);
    assert_int_equal(cask_make(&cask, path, &KEY), -EEXIST);
    assert_int_equal(read_blob(path, &KEY), 0);
}

static void another_key_and_another_version_are_told_apart(void **state)
{
    (void)state;
    write_blob(path, 10, 10);
    assert_int_equal(read_blob(path, &ANOTHER), -EKEYREJECTED);
    fixture_flip(path, 7);
    assert_int_equal(read_blob(path, &KEY), -EPROTONOSUPPORT);
    assert_int_equal(read_blob(other, &KEY), -ENOENT);
}

static void every_changed_byte_is_found(void **state)
{
    (void)state;
    write_blob(path, 2 * CASK_CHUNK + 3, CASK_CHUNK);
    int64_t length = length_of(path);
    for (int64_t at = 0; at < length; at += at < CASK_HEAD + 40 ? 1 : 997) {
        fixture_flip(path, at);
        assert_int_not_equal(read_blob(path, &KEY), 0);
        fixture_flip(path, at);
    }
    for (int64_t at = length - 20; at < length; at++) {
        fixture_flip(path, at);
        assert_int_equal(read_blob(path, &KEY), -EBADMSG);
        fixture_flip(path, at);
    }
    assert_int_equal(read_blob(path, &KEY), 0);
}

static void a_file_that_was_cut_is_found_wherever(void **state)
{
    (void)state;
    write_blob(path, 3 * CASK_CHUNK, CASK_CHUNK);
    static const int64_t CUTS[] = {1,
                                   CIPHER_TAG_BYTES,
                                   CASK_SEALED,
                                   2 * CASK_SEALED,
                                   3 * CASK_SEALED,
                                   3 * CASK_SEALED + 1};
    for (size_t i = 0; i < countof(CUTS); i++) {
        int64_t length = length_of(path);
        assert_int_equal(truncate(path, cask_bytes(3 * CASK_CHUNK) - CUTS[i]), 0);
        assert_true(length_of(path) < length);
        assert_int_equal(read_blob(path, &KEY), -EBADMSG);
    }
}

/* Copies `count` sealed chunks within the file. */
static void copy_chunk(int64_t from, int64_t to)
{
    static uint8_t chunk[CASK_SEALED];
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, chunk, sizeof(chunk), CASK_HEAD + from * CASK_SEALED),
                     sizeof(chunk));
    assert_int_equal(pwrite(fd, chunk, sizeof(chunk), CASK_HEAD + to * CASK_SEALED),
                     sizeof(chunk));
    close(fd);
}

static void chunks_that_were_swapped_repeated_or_added_are_found(void **state)
{
    (void)state;
    write_blob(path, 3 * CASK_CHUNK, CASK_CHUNK);
    copy_chunk(0, 1);
    assert_int_equal(read_blob(path, &KEY), -EBADMSG);
    unlink(path);
    write_blob(path, 3 * CASK_CHUNK, CASK_CHUNK);
    copy_chunk(2, 3); /* the last one twice */
    assert_int_equal(read_blob(path, &KEY), -EBADMSG);
    unlink(path);
    write_blob(path, 3 * CASK_CHUNK, CASK_CHUNK);
    write_blob(other, 3 * CASK_CHUNK, CASK_CHUNK);
    int fd = open(path, O_WRONLY), from = open(other, O_RDONLY);
    static uint8_t chunk[CASK_SEALED];
    assert_int_equal(pread(from, chunk, sizeof(chunk), CASK_HEAD), sizeof(chunk));
    assert_int_equal(pwrite(fd, chunk, sizeof(chunk), CASK_HEAD), sizeof(chunk));
    close(fd);
    close(from);
    assert_int_equal(read_blob(path, &KEY),
                     -EBADMSG); /* another file's, the same bytes */
}

static void a_chunk_is_read_without_the_others(void **state)
{
    static uint8_t plain[CASK_CHUNK];
    struct cask *cask;
    size_t length;
    (void)state;
    write_blob(path, 5 * CASK_CHUNK + 7, CASK_CHUNK);
    fixture_flip(path, CASK_HEAD + 2 * CASK_SEALED);
    assert_int_equal(cask_open(&cask, path, &KEY), 0);
    assert_int_equal(cask_chunks(cask), 6);
    assert_int_equal(cask_read(cask, 2, plain, &length), -EBADMSG);
    assert_int_equal(cask_read(cask, 5, plain, &length), 0);
    assert_int_equal(length, 7);
    assert_int_equal(plain[6], byte_at(5 * CASK_CHUNK + 6));
    assert_int_equal(cask_read(cask, 1, plain, &length), 0);
    assert_int_equal(plain[0], byte_at(CASK_CHUNK));
    cask_close(cask);
}

/* The file of before, whoever kept a copy of the rest of it, is of no use without its head. */
static void erasing_takes_the_head_before_the_name(void **state)
{
    char head[CASK_HEAD];
    static const char NOTHING[CASK_HEAD];
    (void)state;
    write_blob(path, 1000, 1000);
    assert_int_equal(link(path, other), 0);
    assert_int_equal(cask_erase(path), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(length_of(other), cask_bytes(1000));
    int fd = open(other, O_RDONLY);
    assert_int_equal(read(fd, head, sizeof(head)), sizeof(head));
    close(fd);
    assert_memory_equal(head, NOTHING, sizeof(head));
    assert_int_equal(read_blob(other, &KEY), -EBADMSG);
    assert_int_equal(cask_erase(path), 0); /* once more */
}

static void what_was_cut_in_its_head_is_erased_too(void **state)
{
    (void)state;
    fixture_write(folder, "cask", "outb");
    assert_int_equal(read_blob(path, &KEY), -EBADMSG);
    assert_int_equal(link(path, other), 0);
    assert_int_equal(cask_erase(path), 0);
    assert_int_equal(length_of(other), 4);
}

static void no_link_is_followed(void **state)
{
    struct cask *cask;
    (void)state;
    if (symlink("/dev/full", path) != 0)
        skip();
    assert_int_equal(cask_make(&cask, path, &KEY), -EEXIST);
    assert_int_equal(cask_open(&cask, path, &KEY), -ELOOP);
}

#define on_disk(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_disk(a_blob_of_any_size_comes_back),
        on_disk(only_lengths_that_a_file_can_have_have_a_size),
        on_disk(the_same_bytes_never_look_the_same),
        on_disk(a_file_that_is_there_is_not_written_over),
        on_disk(another_key_and_another_version_are_told_apart),
        on_disk(every_changed_byte_is_found),
        on_disk(a_file_that_was_cut_is_found_wherever),
        on_disk(chunks_that_were_swapped_repeated_or_added_are_found),
        on_disk(a_chunk_is_read_without_the_others),
        on_disk(erasing_takes_the_head_before_the_name),
        on_disk(what_was_cut_in_its_head_is_erased_too),
        on_disk(no_link_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
