/* The ring: what was put in comes out, the oldest goes first, and a copy trusts nothing. */
#include "wire/ring.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"

static int fd;
static struct ring *ring;

static int make(void **state)
{
    (void)state;
    return ring_make(&fd) || ring_open(&ring, fd);
}

static int drop(void **state)
{
    (void)state;
    ring_close(ring);
    return close(fd);
}

static void what_went_in_and_out_is_there_in_order(void **state)
{
    struct ring_copy copy;
    struct ring_piece piece;
    (void)state;
    int bus = ring_name(ring, "modbus-tcp://10.0.0.1");
    int door = ring_name(ring, "tcp://10.0.0.2:80");
    assert_int_equal(ring_name(ring, "modbus-tcp://10.0.0.1"), bus);
    ring_put(ring, bus, RING_OUT, 5, "ask", 3);
    ring_put(ring, door, RING_IN, 6, "come", 4);
    ring_put(ring, bus, RING_IN, 7, "", 0); /* nothing came */
    ring_put(ring, bus, RING_IN, 8, "an answer", 9);
    assert_int_equal(ring_copy_take(&copy, fd), 0);
    assert_int_equal(copy.names, 2);
    assert_int_equal(ring_next(&copy, &piece), 1);
    assert_string_equal(ring_copy_name(&copy, piece.name), "modbus-tcp://10.0.0.1");
    assert_int_equal(piece.way, RING_OUT);
    assert_int_equal(piece.utc_us, 5);
    assert_int_equal(piece.length, 3);
    assert_memory_equal(piece.bytes, "ask", 3);
    assert_int_equal(ring_next(&copy, &piece), 1);
    assert_string_equal(ring_copy_name(&copy, piece.name), "tcp://10.0.0.2:80");
    assert_int_equal(piece.way, RING_IN);
    assert_int_equal(ring_next(&copy, &piece), 1);
    assert_memory_equal(piece.bytes, "an answer", 9);
    assert_int_equal(ring_next(&copy, &piece), 0);
    ring_copy_free(&copy);
}

/* Whatever was put in, what comes out is the end of it, without a hole. */
static void the_oldest_makes_room_and_the_rest_has_no_hole(void **state)
{
    struct ring_copy copy;
    struct ring_piece piece;
    char text[64];
    int number, count, last = -1;
    (void)state;
    int name = ring_name(ring, "x");
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof(text), "%d %.*s", i, i % 40,
                 "........................................");
        ring_put(ring, name, RING_IN, i, text, strlen(text));
        if (i % 499 != 0)
            continue;
        count = 0;
        assert_int_equal(ring_copy_take(&copy, fd), 0);
        while (ring_next(&copy, &piece) == 1) {
            number = (int)strtol(memcpy(text, piece.bytes, piece.length), NULL, 10);
            assert_true(count == 0 || number == last + 1);
            assert_int_equal(piece.utc_us, number);
            last = number;
            count++;
        }
        assert_int_equal(last, i);
        assert_true(i < 100 || count >= 30);
        ring_copy_free(&copy);
    }
}

static void what_is_long_becomes_several_pieces(void **state)
{
    struct ring_copy copy;
    struct ring_piece piece;
    static char much[3 * RING_PIECE_MAX + 5], got[sizeof(much)];
    size_t length = 0;
    int pieces = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(much); i++)
        much[i] = (char)i;
    ring_put(ring, ring_name(ring, "x"), RING_OUT, 1, much, sizeof(much));
    assert_int_equal(ring_copy_take(&copy, fd), 0);
    for (; ring_next(&copy, &piece) == 1; pieces++) {
        memcpy(got + length, piece.bytes, piece.length);
        length += piece.length;
    }
    assert_int_equal(pieces, 4);
    assert_int_equal(length, sizeof(much));
    assert_memory_equal(got, much, length);
    ring_copy_free(&copy);
}

static void devices_beyond_the_bound_share_a_name(void **state)
{
    char name[300];
    struct ring_copy copy;
    (void)state;
    for (int i = 0; i < RING_NAMES_MAX + 5; i++) {
        snprintf(name, sizeof(name), "tcp://%d", i);
        assert_int_equal(ring_name(ring, name),
                         i < RING_NAMES_MAX - 1 ? i : RING_NAMES_MAX - 1);
    }
    assert_int_equal(ring_copy_take(&copy, fd), 0);
    assert_string_equal(ring_copy_name(&copy, RING_NAMES_MAX - 1), "others");
    ring_copy_free(&copy);
}

static void a_long_name_is_cut_and_found_again(void **state)
{
    char name[300];
    struct ring_copy copy;
    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(ring_name(ring, name), 0);
    assert_int_equal(ring_name(ring, name), 0);
    assert_int_equal(ring_copy_take(&copy, fd), 0);
    assert_int_equal(strlen(ring_copy_name(&copy, 0)), RING_NAME_ROOM - 1);
    ring_copy_free(&copy);
}

/* Number after number, each with bytes that tell which it is. */
static _Noreturn void write_on(void)
{
    char text[200];
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves no writer behind */
    alarm(120);
    for (int64_t i = 0;; i++) {
        memset(text, (char)i, sizeof(text));
        ring_put(ring, ring_name(ring, "x"), RING_IN, i, text, (size_t)(100 + i % 100));
        if (i % 8 == 0)
            sched_yield();
    }
}

/* How many pieces there are; all of them are whole and in a row, to the end. */
static int count_whole(void)
{
    struct ring_copy copy;
    struct ring_piece piece;
    int64_t last = -1;
    int count = 0;
    assert_int_equal(ring_copy_take(&copy, fd), 0);
    for (; ring_next(&copy, &piece) == 1; last = piece.utc_us, count++) {
        const char *bytes = piece.bytes;
        assert_true(last < 0 || piece.utc_us == last + 1);
        assert_int_equal(piece.length, 100 + piece.utc_us % 100);
        for (size_t i = 0; i < piece.length; i++)
            assert_true(bytes[i] == (char)piece.utc_us);
    }
    assert_true(copy.bytes.length == 0 || copy.next == copy.bytes.length);
    ring_copy_free(&copy);
    return count;
}

/* At whatever instant it is looked at, or dies. */
static void what_is_copied_is_whole_while_it_is_written_and_after(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        drop(state);
        assert_int_equal(make(state), 0);
        pid_t pid = fork();
        if (pid == 0)
            write_on();
        for (int i = 0; i < 100 || ring_is_empty(fd); i++)
            count_whole();
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        assert_true(count_whole() > 0);
    }
}

static void what_a_mad_writer_left_is_read_without_harm(void **state)
{
    (void)state;
    char *all = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ring_put(ring, ring_name(ring, "x"), RING_IN, 1, "bytes", 5);
    srandom(7);
    for (int i = 0; i < 3000; i++) {
        struct ring_copy copy;
        struct ring_piece piece;
        size_t at = (size_t)random() % (i % 3 ? 40 : RING_BYTES);
        char before = all[at];
        all[at] = (char)random();
        if (ring_copy_take(&copy, fd) == 0)
            while (ring_next(&copy, &piece) == 1)
                assert_non_null(ring_copy_name(&copy, piece.name));
        ring_copy_free(&copy);
        all[at] = before;
    }
    munmap(all, RING_BYTES);
}

static void nothing_else_is_taken_for_a_ring(void **state)
{
    struct ring *other;
    struct ring_copy copy;
    int fds[2];
    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(ring_open(&other, fds[0]), -EINVAL);
    assert_int_equal(ring_open(&other, 1000), -EBADF);
    int file = memfd_create("none", MFD_CLOEXEC);
    assert_int_equal(ring_open(&other, file), -EINVAL);
    assert_int_equal(ring_copy_take(&copy, file), -EPROTO);
    assert_int_equal(ftruncate(file, RING_BYTES), 0);
    assert_int_equal(ring_open(&other, file), -EINVAL);
    assert_int_equal(ring_copy_take(&copy, file), -EPROTO);
    ring_copy_free(&copy);
    close(file);
    close(fds[0]);
    close(fds[1]);
}

static void nobody_makes_it_longer_or_shorter(void **state)
{
    (void)state;
    assert_int_not_equal(ftruncate(fd, 0), 0);
    assert_int_not_equal(ftruncate(fd, RING_BYTES + 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_went_in_and_out_is_there_in_order, make,
                                        drop),
        cmocka_unit_test_setup_teardown(the_oldest_makes_room_and_the_rest_has_no_hole,
                                        make, drop),
        cmocka_unit_test_setup_teardown(what_is_long_becomes_several_pieces, make, drop),
        cmocka_unit_test_setup_teardown(devices_beyond_the_bound_share_a_name, make,
                                        drop),
        cmocka_unit_test_setup_teardown(a_long_name_is_cut_and_found_again, make, drop),
        cmocka_unit_test_setup_teardown(
            what_is_copied_is_whole_while_it_is_written_and_after, make, drop),
        cmocka_unit_test_setup_teardown(what_a_mad_writer_left_is_read_without_harm, make,
                                        drop),
        cmocka_unit_test(nothing_else_is_taken_for_a_ring),
        cmocka_unit_test_setup_teardown(nobody_makes_it_longer_or_shorter, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
