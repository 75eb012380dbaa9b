/* A blob goes in through a pipe and comes out of one; what goes wrong on the way is said. */
#include "keeper/blobs/scribe.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/hex.h"
#include "base/mem.h"
#include "keeper/fixture.h"
#include "keeper/journal/errand.h"

static char state_folder[256];
static struct depot depot;
static struct loop *loop;

struct outcome {
    struct errand errand;
    int err;
    struct scribe_told told;
};

static int start(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    fixture_folder(state_folder, sizeof(state_folder));
    return depot_open(&depot, state_folder) || loop_open(&loop);
}

static int stop(void **state)
{
    (void)state;
    loop_close(loop);
    fixture_remove(state_folder);
    return 0;
}

static struct outcome *owner_of; /* of the scribe that runs */

static void done(void *owner, int err, const struct buffer *result)
{
    struct outcome *outcome = owner_of;
    (void)owner;
    outcome->err = err;
    if (!err && result->length == sizeof(outcome->told))
        memcpy(&outcome->told, result->bytes, sizeof(outcome->told));
    loop_stop(loop);
}

/* Runs one kind of scribe beside us, with this end of a pipe, which it takes over. */
static void begin(struct outcome *outcome, errand_work *work, struct scribe *scribe)
{
    outcome->err = 1;
    outcome->errand = (struct errand){.keeps = scribe->fd};
    owner_of = outcome;
    assert_int_equal(errand_start(&outcome->errand, loop, work, done, scribe), 0);
    if (scribe->fd > 0)
        close(scribe->fd);
}

/* A scribe that writes what comes into the end that is given back. */
static int begin_writing(struct outcome *outcome, int64_t number, int64_t most,
                         int silence_ms)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct scribe scribe = {.depot = &depot,
                            .fd = fds[0],
                            .number = number,
                            .most = most,
                            .silence_ms = silence_ms};
    begin(outcome, scribe_write, &scribe);
    return fds[1];
}

static bool put_all(int fd, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written <= 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

static uint8_t *make_blob(size_t size)
{
    uint8_t *bytes = mem_zeroed(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 13 + i / 509);
    return bytes;
}

/* A blob in its place. */
static struct scribe_told store_blob(size_t size)
{
    struct outcome outcome;
    uint8_t *bytes = make_blob(size);
    int fd = begin_writing(&outcome, 5, (int64_t)size, 3000);
    assert_true(put_all(fd, bytes, size));
    close(fd);
    loop_run(loop);
    assert_int_equal(outcome.err, 0);
    assert_int_equal(depot_settle(&depot, &outcome.told.sha256, 5), 0);
    mem_free(bytes);
    return outcome.told;
}

static void a_blob_is_named_by_its_hash_once_it_is_on_disk(void **state)
{
    static const size_t SIZES[] = {0, 1, 100000, 4000000};
    char path[DEPOT_PATH_MAX];
    (void)state;
    for (size_t i = 0; i < countof(SIZES); i++) {
        struct outcome outcome;
        struct digest expected;
        uint8_t *bytes = make_blob(SIZES[i]);
        int fd = begin_writing(&outcome, 7, (int64_t)SIZES[i], 3000);
        assert_true(put_all(fd, bytes, SIZES[i]));
        close(fd);
        loop_run(loop);
        assert_int_equal(outcome.err, 0);
        assert_int_equal(outcome.told.size, SIZES[i]);
        suite_hash(suite_named("sha256+ed25519"), &expected, bytes, SIZES[i]);
        assert_true(digest_equal(&outcome.told.sha256, &expected));
        suite_hash(suite_named("sm3+sm2"), &expected, bytes, SIZES[i]);
        assert_true(digest_equal(&outcome.told.sm3, &expected));
        assert_int_equal(depot_new(&depot, path, 7), 0);
        assert_false(file_exists(path));
        assert_int_equal(depot_sealed(&depot, path, &outcome.told.sha256, 7), 0);
        assert_true(file_exists(path));
        mem_free(bytes);
    }
}

static void more_than_was_agreed_is_refused_and_its_writer_told(void **state)
{
    struct outcome outcome;
    (void)state;
    uint8_t *bytes = make_blob(2000000);
    int fd = begin_writing(&outcome, 1, 1000, 3000);
    assert_false(put_all(fd, bytes, 2000000)); /* nobody reads it any more */
    assert_int_equal(errno, EPIPE);
    close(fd);
    loop_run(loop);
    assert_int_equal(outcome.err, -EFBIG);
    mem_free(bytes);
}

static void a_pipe_that_stays_silent_is_given_up(void **state)
{
    struct outcome outcome;
    (void)state;
    int fd = begin_writing(&outcome, 1, 1000, 20);
    loop_run(loop);
    assert_int_equal(outcome.err, -ETIMEDOUT);
    close(fd);
}

static void a_name_that_is_taken_is_not_written_over(void **state)
{
    struct outcome outcome;
    (void)state;
    fixture_write(depot.folder, "new/9", "somebody's");
    close(begin_writing(&outcome, 9, 1000, 3000));
    loop_run(loop);
    assert_int_equal(outcome.err, -EEXIST);
}

/* What a reading scribe gives; its errno in `outcome`. */
static void read_blob(struct outcome *outcome, const struct digest *digest,
                      struct buffer *got)
{
    int fds[2];
    ssize_t length;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct scribe scribe = {
        .depot = &depot, .fd = fds[1], .digest = *digest, .silence_ms = 3000};
    begin(outcome, scribe_read, &scribe);
    char part[4096];
    while ((length = read(fds[0], part, sizeof(part))) > 0)
        buffer_append(got, part, (size_t)length);
    close(fds[0]);
    loop_run(loop);
}

static void a_blob_comes_back_as_it_was(void **state)
{
    struct outcome outcome;
    struct buffer got = {0};
    (void)state;
    uint8_t *bytes = make_blob(300000);
    struct scribe_told told = store_blob(300000);
    read_blob(&outcome, &told.sha256, &got);
    assert_int_equal(outcome.err, 0);
    assert_int_equal(got.length, 300000);
    assert_memory_equal(got.bytes, bytes, got.length);
    buffer_free(&got);
    mem_free(bytes);
}

static void a_reader_that_goes_or_sleeps_does_not_hold_up_the_scribe(void **state)
{
    struct scribe_told told = store_blob(3000000);
    (void)state;
    for (int sleeps = 0; sleeps < 2; sleeps++) {
        struct outcome outcome;
        int fds[2];
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        struct scribe scribe = {
            .depot = &depot, .fd = fds[1], .digest = told.sha256, .silence_ms = 20};
        begin(&outcome, scribe_read, &scribe);
        if (!sleeps)
            close(fds[0]);
        loop_run(loop);
        assert_int_equal(outcome.err, sleeps ? -ETIMEDOUT : -EPIPE);
        if (sleeps)
            close(fds[0]);
    }
}

static int check_blob(const struct digest *digest)
{
    struct outcome outcome;
    struct scribe scribe = {.depot = &depot, .digest = *digest};
    begin(&outcome, scribe_check, &scribe);
    loop_run(loop);
    return outcome.err;
}

static void looking_again_finds_what_has_changed(void **state)
{
    struct scribe_told one = store_blob(200000), two = store_blob(100000);
    char path[DEPOT_PATH_MAX], other[DEPOT_PATH_MAX];
    (void)state;
    assert_int_equal(check_blob(&one.sha256), 0);
    assert_int_equal(depot_place(&depot, path, &one.sha256), 0);
    fixture_flip(path, 150000);
    assert_int_equal(check_blob(&one.sha256), -EBADMSG);
    fixture_flip(path, 150000);
    assert_int_equal(check_blob(&one.sha256), 0);
    assert_int_equal(depot_place(&depot, other, &two.sha256), 0);
    assert_int_equal(rename(other, path), 0); /* a whole file, but another blob */
    assert_int_equal(check_blob(&one.sha256), -EBADMSG);
    assert_int_equal(check_blob(&two.sha256), -ENOENT);
}

#define in_a_depot(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_depot(a_blob_is_named_by_its_hash_once_it_is_on_disk),
        in_a_depot(more_than_was_agreed_is_refused_and_its_writer_told),
        in_a_depot(a_pipe_that_stays_silent_is_given_up),
        in_a_depot(a_name_that_is_taken_is_not_written_over),
        in_a_depot(a_blob_comes_back_as_it_was),
        in_a_depot(a_reader_that_goes_or_sleeps_does_not_hold_up_the_scribe),
        in_a_depot(looking_again_finds_what_has_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
