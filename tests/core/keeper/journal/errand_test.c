/* Work in a forked child: answered once, whatever happens to it. */
#include "keeper/journal/errand.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct loop *loop;

struct answer {
    struct errand errand;
    struct loop_timer later;
    int calls;
    int err;
    struct buffer result;
};

static int start(void **state)
{
    (void)state;
    return loop_open(&loop);
}

static int stop(void **state)
{
    (void)state;
    loop_close(loop);
    return 0;
}

static void done(void *owner, int err, const struct buffer *result)
{
    struct answer *answer = owner;
    answer->calls++;
    answer->err = err;
    assert_false(errand_is_running(&answer->errand));
    buffer_append(&answer->result, result->bytes, result->length);
    loop_stop(loop);
}

static void run(struct answer *answer, errand_work *work)
{
    assert_int_equal(errand_start(&answer->errand, loop, work, done, answer), 0);
    assert_true(errand_is_running(&answer->errand));
    loop_run(loop);
    assert_int_equal(answer->calls, 1);
}

static int count_to_full(void *owner, struct buffer *result)
{
    (void)owner;
    memset(buffer_grow(result, ERRAND_RESULT_MAX), 'r', ERRAND_RESULT_MAX);
    return 0;
}

static struct answer *of_descriptors;

static void done_of_descriptors(void *owner, int err, const struct buffer *result)
{
    (void)owner;
    assert_int_equal(err, 0);
    buffer_append(&of_descriptors->result, result->bytes, result->length);
    loop_stop(loop);
}

static int count_descriptors(void *owner, struct buffer *result)
{
    const int *fds = owner;
    for (int i = 0; i < 3; i++)
        buffer_append_text(result, fcntl(fds[i], F_GETFD) >= 0 ? "1" : "0");
    return 0;
}

static void a_child_has_only_the_descriptor_that_is_named(void **state)
{
    (void)state;
    int fds[3];
    for (int i = 0; i < 3; i++)
        assert_true((fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC)) > 2);
    static const char *const EXPECTED[] = {"000", "100", "010", "001"};
    for (int i = 0; i <= 3; i++) {
        struct answer answer = {.calls = 0};
        answer.errand.keeps = i == 0 ? 0 : fds[i - 1];
        assert_int_equal(errand_start(&answer.errand, loop, count_descriptors,
                                      done_of_descriptors, fds),
                         0);
        of_descriptors = &answer;
        loop_run(loop);
        assert_string_equal(buffer_text(&answer.result), EXPECTED[i]);
        buffer_free(&answer.result);
    }
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

static int say_no(void *owner, struct buffer *result)
{
    (void)owner;
    (void)result;
    return -ENOSPC;
}

static int die(void *owner, struct buffer *result)
{
    (void)owner;
    (void)result;
    raise(SIGKILL);
    return 0;
}

/* As a child that is killed while it answers: a well-meant errno, but not the whole result. */
static int die_answering(void *owner, struct buffer *result)
{
    int well = 0;
    (void)owner;
    (void)result;
    for (int fd = 3; fd < 64; fd++) {
        ssize_t written = write(fd, &well, sizeof(well));
        (void)written;
    }
    raise(SIGKILL);
    return 0;
}

static int hang(void *owner, struct buffer *result)
{
    (void)owner;
    (void)result;
    pause();
    return 0;
}

static void its_whole_result_comes_back(void **state)
{
    struct answer answer = {.calls = 0};
    (void)state;
    run(&answer, count_to_full);
    assert_int_equal(answer.err, 0);
    assert_int_equal(answer.result.length, ERRAND_RESULT_MAX);
    buffer_free(&answer.result);
}

static void its_error_comes_back(void **state)
{
    struct answer answer = {.calls = 0};
    (void)state;
    run(&answer, say_no);
    assert_int_equal(answer.err, -ENOSPC);
    assert_int_equal(answer.result.length, 0);
}

static void a_child_that_dies_is_an_error(void **state)
{
    struct answer answer = {.calls = 0};
    (void)state;
    run(&answer, die);
    assert_int_equal(answer.err, -ECHILD);
}

static void a_child_that_dies_while_it_answers_has_said_nothing(void **state)
{
    struct answer answer = {.calls = 0};
    (void)state;
    run(&answer, die_answering);
    assert_int_equal(answer.err, -ECHILD);
    assert_int_equal(answer.result.length, 0);
}

static void one_runs_at_a_time(void **state)
{
    struct answer answer = {.calls = 0};
    (void)state;
    assert_int_equal(errand_start(&answer.errand, loop, hang, done, &answer), 0);
    assert_int_equal(errand_start(&answer.errand, loop, say_no, done, &answer), -EBUSY);
    errand_stop(&answer.errand);
}

static void end_loop(struct loop_timer *timer)
{
    (void)timer;
    loop_stop(loop);
}

static void one_that_is_stopped_does_not_answer_and_is_gone(void **state)
{
    struct answer answer = {.later.fire = end_loop};
    (void)state;
    assert_int_equal(errand_start(&answer.errand, loop, hang, done, &answer), 0);
    pid_t pid = answer.errand.pid;
    errand_stop(&answer.errand);
    errand_stop(&answer.errand);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    loop_timer_start(loop, &answer.later, 20);
    loop_run(loop);
    assert_int_equal(answer.calls, 0);
    run(&answer, say_no);
    assert_int_equal(answer.err, -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_whole_result_comes_back),
        cmocka_unit_test(a_child_has_only_the_descriptor_that_is_named),
        cmocka_unit_test(its_error_comes_back),
        cmocka_unit_test(a_child_that_dies_is_an_error),
        cmocka_unit_test(a_child_that_dies_while_it_answers_has_said_nothing),
        cmocka_unit_test(one_runs_at_a_time),
        cmocka_unit_test(one_that_is_stopped_does_not_answer_and_is_gone),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
