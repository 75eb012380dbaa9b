/* Blobs of a rehearsal: hashed for real, kept when a commit names them, gone with their process. */
#include "rehearse/blobs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct blobs blobs;

static int set_up(void **state)
{
    (void)state;
    blobs = (struct blobs){0};
    return loop_open(&blobs.loop);
}

static int tear_down(void **state)
{
    (void)state;
    blobs_free(&blobs);
    assert_int_equal(blobs.held, 0);
    loop_close(blobs.loop);
    return 0;
}

static int seal(int64_t number, struct blob *blob)
{
    return blobs_seal(&blobs, number, blob);
}

static int store(const char *text, struct blob *blob)
{
    int64_t number;
    int fd;
    assert_int_equal(blobs_spool(&blobs, 1000, &number, &fd), 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return seal(number, blob);
}

static void bytes_are_hashed_for_real(void **state)
{
    struct blob blob;
    (void)state;
    assert_int_equal(store("abc", &blob), 0);
    assert_string_equal(
        blob.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(
        blob.sm3, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    assert_int_equal(blob.size, 3);
}

static void what_is_not_committed_goes_with_its_process(void **state)
{
    struct blob one, other;
    int64_t number;
    int fd;
    (void)state;
    store("one", &one);
    store("other", &other);
    blobs_keep(&blobs, one.sha256, CLASS_PICTURE, 5, false);
    assert_int_equal(blobs_spool(&blobs, 9, &number, &fd), 0);
    blobs_drop(&blobs);
    assert_true(blobs_have(&blobs, one.sha256));
    assert_false(blobs_have(&blobs, other.sha256));
    assert_int_equal(seal(number, &other), ENOENT);
    assert_int_equal(blobs.held, 3);
    close(fd);
}

static void the_same_content_is_one_blob_and_never_kept_less(void **state)
{
    struct blob blob;
    (void)state;
    store("same", &blob);
    store("same", &blob);
    assert_false(blob.is_known); /* nothing has named it */
    blobs_keep(&blobs, blob.sha256, CLASS_IMPORTANT, 100, false);
    store("same", &blob);
    assert_true(blob.is_known);
    blobs_keep(&blobs, blob.sha256, CLASS_PICTURE, 50, true);
    assert_int_equal(blobs.count, 1);
    assert_int_equal(blobs.all[0].class, CLASS_IMPORTANT);
    assert_int_equal(blobs.all[0].keep_ms, 100);
    assert_false(blobs.all[0].erases);
    blobs_keep(&blobs, blob.sha256, CLASS_CASE, -1, false);
    assert_int_equal(blobs.all[0].keep_ms, -1);
    assert_int_equal(blobs.all[0].class, CLASS_CASE);
}

static void bounds_hold(void **state)
{
    struct blob blob;
    int64_t number;
    int fds[TALK_SPOOLS_MAX], fd;
    (void)state;
    for (int i = 0; i < TALK_SPOOLS_MAX; i++)
        assert_int_equal(blobs_spool(&blobs, 2, &number, &fds[i]), 0);
    assert_int_equal(blobs_spool(&blobs, 2, &number, &fd), EBUSY);
    assert_int_equal(write(fds[TALK_SPOOLS_MAX - 1], "abc", 3), 3);
    assert_int_equal(seal(number, &blob), EFBIG);
    blobs_drop(&blobs);
    for (int i = 0; i < TALK_SPOOLS_MAX; i++)
        close(fds[i]);
    char text[2] = "a";
    for (int i = 0; i < BLOBS_MAX; i++, text[0]++)
        assert_int_equal(store(text, &blob), 0);
    assert_int_equal(blobs_spool(&blobs, 2, &number, &fd), ENOSPC);
}

static void what_shall_be_refused_is(void **state)
{
    struct blob blob;
    int64_t number;
    int fd;
    (void)state;
    blobs.refusals = 1;
    blobs.refusal = EBUSY;
    assert_int_equal(blobs_spool(&blobs, 2, &number, &fd), EBUSY);
    assert_int_equal(store("abc", &blob), 0);
}

static void a_replay_keeps_nothing_and_hashes(void **state)
{
    struct blob blob;
    (void)state;
    blobs.forgets = true;
    assert_int_equal(store("abc", &blob), 0);
    assert_int_equal(blob.size, 3);
    assert_true(blobs_have(&blobs, blob.sha256));
    blobs_keep(&blobs, blob.sha256, CLASS_CASE, -1, false);
    assert_int_equal(blobs.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_are_hashed_for_real, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_committed_goes_with_its_process,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_content_is_one_blob_and_never_kept_less,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds_hold, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_shall_be_refused_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_replay_keeps_nothing_and_hashes, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
