#include "mqtt/lookup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "base/base.h"

struct asker {
    struct lookup lookup;
    struct loop *loop;
    int answers;
    bool found;
};

static void done(struct lookup *lookup, bool found)
{
    struct asker *asker = container_of(lookup, struct asker, lookup);
    asker->answers++;
    asker->found = found;
}

static bool is_found(const char *host)
{
    struct asker asker = {.lookup.done = done};
    assert_int_equal(loop_open(&asker.loop), 0);
    lookup_start(asker.loop, &asker.lookup, host);
    while (loop_turn(asker.loop))
        ;
    assert_int_equal(asker.answers, 1);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    loop_close(asker.loop);
    return asker.found;
}

/* A label of 70 letters is no name: nobody is asked for it. */
static void a_name_is_found_or_not(void **state)
{
    char wrong[72];
    (void)state;
    memset(wrong, 'a', 70);
    memcpy(wrong + 70, ".", 2);
    assert_true(is_found("localhost"));
    assert_false(is_found(wrong));
}

static void a_stopped_lookup_leaves_nothing(void **state)
{
    struct asker asker = {.lookup.done = done};
    (void)state;
    assert_int_equal(loop_open(&asker.loop), 0);
    lookup_stop(&asker.lookup);
    lookup_start(asker.loop, &asker.lookup, "localhost");
    lookup_start(asker.loop, &asker.lookup, "localhost");
    lookup_stop(&asker.lookup);
    lookup_stop(&asker.lookup);
    assert_false(loop_turn(asker.loop));
    assert_int_equal(asker.answers, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    loop_close(asker.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_found_or_not),
        cmocka_unit_test(a_stopped_lookup_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
