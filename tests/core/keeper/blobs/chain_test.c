/* The newest of the keeper's own events about a file. What becomes of it is custody_test's. */
#include "keeper/blobs/chain.h"

#include "base/base.h"
#include "keeper/fixture.h"

static struct fixture fixture;
static struct loop *loop;
static struct group group;

static void committed(void *owner, int err, bool had_alarm)
{
    (void)owner;
    (void)err;
    (void)had_alarm;
}

static int start(void **state)
{
    (void)state;
    fixture_open(&fixture);
    assert_int_equal(loop_open(&loop), 0);
    group_open(&group, loop, fixture.journal, committed, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    group_close(&group);
    fixture_close(&fixture);
    loop_close(loop);
    return 0;
}

/* What is added at the journal's end as it is. */
static void expect(int class, const char *wanted)
{
    const struct catalog_blob blob = {.class = class, .seq = 5};
    struct buffer data = {0};
    assert_int_equal(chain_add(&group, &blob, &data), 0);
    assert_string_equal(buffer_text(&data), wanted);
    buffer_free(&data);
}

static void evidence_has_a_chain(void **state)
{
    char wanted[64];
    (void)state;
    snprintf(wanted, sizeof(wanted), ",\"previous\":%lld",
             (long long)journal_next(fixture.journal));
    expect(CLASS_ORDINARY, "");
    expect(CLASS_CASE, wanted);
    expect(CATALOG_UNKNOWN, wanted);
    group_commit(&group);
    expect(CLASS_CASE, wanted);
}

static void pictures_have_none(void **state)
{
    (void)state;
    expect(CLASS_PICTURE, "");
    expect(CLASS_CAPTURE, "");
    expect(CLASS_ORDINARY, "");
}

static void it_goes_with_the_file(void **state)
{
    const struct digest digest = {{0}};
    (void)state;
    expect(CLASS_ORDINARY, "");
    assert_int_equal(chain_forget(fixture.journal->store, &digest), 0);
    expect(CLASS_ORDINARY, "");
    assert_int_equal(chain_forget(fixture.journal->store, &digest), 0);
    assert_int_equal(chain_forget(fixture.journal->store, &digest), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(evidence_has_a_chain),
        TEST(pictures_have_none),
        TEST(it_goes_with_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
