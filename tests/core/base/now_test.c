/* Times: text and back, and clocks that go forward. */
#include "base/now.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"

static void times_are_written_and_read_in_utc(void **state)
{
    (void)state;
    static const struct {
        int64_t utc_us;
        const char *text;
    } CASES[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {1795230245123456, "2026-11-21T03:04:05.123456Z"},
        {951782400000001, "2000-02-29T00:00:00.000001Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {253402300799999999, "9999-12-31T23:59:59.999999Z"},
        {-62167219200000000, "0000-01-01T00:00:00.000000Z"},
        {-61994514101000000, "0005-06-21T21:38:19.000000Z"},
    };
    for (size_t i = 0; i < countof(CASES); i++) {
        char text[NOW_TEXT_ROOM];
        int64_t utc_us;
        now_format(text, CASES[i].utc_us);
        assert_string_equal(text, CASES[i].text);
        assert_int_equal(now_parse(&utc_us, text), 0);
        assert_true(utc_us == CASES[i].utc_us);
    }
}

static void fractions_have_any_length(void **state)
{
    (void)state;
    int64_t utc_us;
    assert_int_equal(now_parse(&utc_us, "1970-01-01T00:00:01Z"), 0);
    assert_int_equal(utc_us, 1000000);
    assert_int_equal(now_parse(&utc_us, "1970-01-01T00:00:00.5Z"), 0);
    assert_int_equal(utc_us, 500000);
    assert_int_equal(now_parse(&utc_us, "1970-01-01T00:00:00.123456789Z"), 0);
    assert_int_equal(utc_us, 123456);
}

static void a_leap_second_is_the_next_minute(void **state)
{
    (void)state;
    int64_t leap, next;
    assert_int_equal(now_parse(&leap, "2016-12-31T23:59:60Z"), 0);
    assert_int_equal(now_parse(&next, "2017-01-01T00:00:00Z"), 0);
    assert_true(leap == next);
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "yesterday",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00+08:00",
        "1970-13-01T00:00:00Z",
        "1970-00-01T00:00:00Z",
        "1970-01-32T00:00:00Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:61Z",
        "1970-1-1T00:00:00Z",
        "1970-01-01T00:00:00ZZ",
        " 1970-01-01T00:00:00Z",
        "-026-11-21T21:38:19Z",
        "2026-+1-21T21:38:19Z",
        "2026-02-30T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-02-30T23:59:60Z",
    };
    int64_t utc_us;
    for (size_t i = 0; i < countof(BAD); i++)
        assert_int_equal(now_parse(&utc_us, BAD[i]), -EINVAL);
}

static void any_number_is_written_without_overflow(void **state)
{
    (void)state;
    static const int64_t WILD[] = {INT64_MIN, INT64_MAX, INT64_MIN + 1, 1LL << 60,
                                   -(1LL << 60)};
    char text[NOW_TEXT_ROOM];
    for (size_t i = 0; i < countof(WILD); i++) {
        now_format(text, WILD[i]);
        assert_int_equal(strlen(text), NOW_TEXT_ROOM - 1);
    }
}

static void the_monotonic_clock_goes_forward(void **state)
{
    (void)state;
    int64_t last = now_mono_us();
    for (int i = 0; i < 1000; i++) {
        int64_t next = now_mono_us();
        assert_true(next >= last);
        last = next;
    }
}

static void qualities_and_the_boot_have_names(void **state)
{
    (void)state;
    assert_string_equal(now_quality_name(NOW_SYNCED), "synced");
    assert_string_equal(now_quality_name(NOW_HOLDOVER), "holdover");
    assert_string_equal(now_quality_name(NOW_UNSET), "unset");
    assert_true(now_quality() <= NOW_UNSET);
    assert_int_equal(strlen(now_boot()), NOW_BOOT_ROOM - 1);
    assert_ptr_equal(now_boot(), now_boot());
}

static void a_clock_before_the_floor_is_not_set(void **state)
{
    const int64_t DAY_US = 86400LL * 1000000, BUILT_US = now_floor_us();
    (void)state;
    assert_true(BUILT_US >= 1767225600000000); /* 2026 */
    assert_int_equal(now_judge(BUILT_US - 1, true), NOW_UNSET);
    assert_int_equal(now_judge(BUILT_US, true), NOW_SYNCED);
    assert_int_equal(now_judge(BUILT_US + DAY_US, false), NOW_HOLDOVER);
    now_lift_floor(BUILT_US + 10 * DAY_US);
    assert_int_equal(now_judge(BUILT_US + 9 * DAY_US, false), NOW_UNSET);
    assert_int_equal(now_judge(BUILT_US + 10 * DAY_US, false), NOW_HOLDOVER);
    assert_int_equal(now_judge(BUILT_US + 9 * DAY_US, true), NOW_SYNCED);
}

/* The city's clock and ours need not be the same to the second. */
static void a_clock_little_behind_the_floor_is_plausible(void **state)
{
    (void)state;
    int64_t floor_us = now_floor_us();
    assert_int_equal(now_judge(floor_us - 60 * 1000000LL, false), NOW_HOLDOVER);
    assert_int_equal(now_judge(floor_us - 600 * 1000000LL, false), NOW_UNSET);
}

static void the_floor_rises_with_time_and_never_sinks(void **state)
{
    (void)state;
    int64_t floor_us = now_floor_us() + 1000000;
    now_lift_floor(floor_us);
    int64_t begun_us = now_mono_us();
    now_lift_floor(floor_us - 5000000);
    now_lift_floor(0);
    now_lift_floor(INT64_MAX);
    int64_t now_us = now_floor_us();
    assert_true(now_us >= floor_us);
    assert_true(now_us <= floor_us + now_mono_us() - begun_us + 1000000);
    while (now_mono_us() == begun_us)
        ;
    assert_true(now_floor_us() > floor_us);
}

/* As a service unit with ProtectClock=yes does. */
static int forbid_to_ask_the_clock(void)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_adjtime, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_adjtimex, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {countof(steps), steps};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -errno;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : -errno;
}

static void a_clock_that_may_not_be_asked_is_not_called_synced(void **state)
{
    int status;
    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(forbid_to_ask_the_clock() != 0 ? 2 : now_quality() == NOW_SYNCED);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* first, because an answer is kept for a second */
        cmocka_unit_test(a_clock_that_may_not_be_asked_is_not_called_synced),
        cmocka_unit_test(times_are_written_and_read_in_utc),
        cmocka_unit_test(fractions_have_any_length),
        cmocka_unit_test(a_leap_second_is_the_next_minute),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(any_number_is_written_without_overflow),
        cmocka_unit_test(the_monotonic_clock_goes_forward),
        cmocka_unit_test(qualities_and_the_boot_have_names),
        cmocka_unit_test(a_clock_before_the_floor_is_not_set),
        cmocka_unit_test(a_clock_little_behind_the_floor_is_plausible),
        cmocka_unit_test(the_floor_rises_with_time_and_never_sinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
