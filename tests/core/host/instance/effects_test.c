#include "host/instance/effects.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "wire/talk.h"

static const struct effects_event EVENT = {.type = "a.b", .subject = "office"};

static int emit(struct effects *effects, const char *data)
{
    buffer_append_text(effects_event_begin(effects, &EVENT), data);
    return effects_event_end(effects);
}

static int put(struct effects *effects, const char *key, const char *value)
{
    buffer_append_text(effects_put_begin(effects, key), value);
    return effects_put_end(effects);
}

/* The tags of the frame's fields as letters. */
static const char *shape(const struct effects *effects)
{
    static char letters[64];
    struct frame frame;
    struct field field;
    int count = 0;
    assert_int_equal(frame_read(&frame, effects->frame.bytes, effects->whole), 0);
    assert_int_equal(frame.type, TALK_COMMIT);
    while (fields_next(&frame.fields, &field) == 1)
        letters[count++] = field.tag == TAG_EVENT    ? 'e'
                           : field.tag == TAG_PUT    ? 'p'
                           : field.tag == TAG_REMOVE ? 'r'
                           : field.tag == TAG_BLOB   ? 'b'
                                                     : 'c';
    letters[count] = '\0';
    return letters;
}

static void effects_become_one_commit_frame_in_order(void **state)
{
    struct effects effects = {0};
    (void)state;
    assert_true(effects_is_empty(&effects));
    assert_int_equal(emit(&effects, "{}"), 0);
    assert_int_equal(put(&effects, "k", "1"), 0);
    assert_int_equal(effects_remove(&effects, "k"), 0);
    assert_int_equal(
        effects_blob(&effects, &(struct effects_blob){.digest = "ab", .keep_ms = -1}), 0);
    effects_consumed(&effects, "a.*", 7);
    assert_string_equal(shape(&effects), "eprbc");
    effects_free(&effects);
}

static void what_was_begun_and_not_ended_vanishes(void **state)
{
    struct effects effects = {0};
    (void)state;
    buffer_append_text(effects_event_begin(&effects, &EVENT), "{\"half\":");
    assert_int_equal(put(&effects, "k", "1"), 0);
    buffer_append_text(effects_put_begin(&effects, "other"), "12");
    assert_string_equal(shape(&effects), "p");
    assert_int_equal(emit(&effects, "{}"), 0);
    assert_string_equal(shape(&effects), "pe");
    effects_free(&effects);
}

static void the_newest_change_of_a_key_counts(void **state)
{
    struct effects effects = {0};
    struct field value;
    (void)state;
    assert_int_equal(put(&effects, "k", "1"), 0);
    assert_int_equal(put(&effects, "k", "22"), 0);
    assert_int_equal(put(&effects, "kk", "3"), 0);
    assert_int_equal(effects_find(&effects.frame, effects.whole, "k", &value), 1);
    assert_int_equal(value.length, 2);
    assert_int_equal(effects_remove(&effects, "k"), 0);
    assert_int_equal(effects_find(&effects.frame, effects.whole, "k", &value), 1);
    assert_null(value.bytes);
    assert_int_equal(effects_find(&effects.frame, effects.whole, "x", &value), 0);
    effects_free(&effects);
}

static void more_than_the_bound_is_refused_and_changes_nothing(void **state)
{
    struct effects effects = {0};
    (void)state;
    for (int i = 0; i < EFFECTS_MAX; i++)
        assert_int_equal(emit(&effects, "{}"), 0);
    size_t whole = effects.whole;
    assert_int_equal(emit(&effects, "{}"), -E2BIG);
    assert_int_equal(effects.whole, whole);
    effects_consumed(&effects, "*", 1); /* always fits */
    assert_int_equal(effects.count, EFFECTS_MAX + 1);
    effects_free(&effects);
}

static void more_than_a_frame_is_refused(void **state)
{
    static char big[TALK_VALUE_MAX];
    struct effects effects = {0};
    int puts = 0;
    (void)state;
    memset(big, '1', sizeof(big) - 1);
    while (put(&effects, "k", big) == 0)
        puts++;
    assert_int_equal(puts, 3);
    effects_consumed(&effects, "*", 1);
    assert_true(effects.whole <= FRAME_MAX);
    assert_string_equal(shape(&effects), "pppc");
    effects_free(&effects);
}

static void joining_keeps_the_order_and_the_bound(void **state)
{
    struct effects first = {0}, second = {0};
    (void)state;
    assert_int_equal(effects_join(&first, &second), 0);
    assert_int_equal(put(&second, "k", "1"), 0);
    assert_int_equal(effects_join(&first, &second), 0);
    assert_true(effects_is_empty(&second));
    assert_int_equal(emit(&second, "{}"), 0);
    assert_int_equal(effects_join(&first, &second), 0);
    assert_string_equal(shape(&first), "pe");
    for (int i = 0; i < EFFECTS_MAX - 1; i++)
        assert_int_equal(emit(&second, "{}"), 0);
    assert_int_equal(effects_join(&first, &second), -E2BIG);
    assert_int_equal(second.count, EFFECTS_MAX - 1);
    assert_int_equal(first.count, 2);
    effects_free(&first);
    effects_free(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_become_one_commit_frame_in_order),
        cmocka_unit_test(what_was_begun_and_not_ended_vanishes),
        cmocka_unit_test(the_newest_change_of_a_key_counts),
        cmocka_unit_test(more_than_the_bound_is_refused_and_changes_nothing),
        cmocka_unit_test(more_than_a_frame_is_refused),
        cmocka_unit_test(joining_keeps_the_order_and_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
