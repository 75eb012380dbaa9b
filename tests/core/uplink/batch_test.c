#include "uplink/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "proof/squeeze.h"

static void events_stand_between_brackets_and_commas_unchanged(void **state)
{
    struct buffer payload = {0};
    (void)state;
    for (int round = 0; round < 2; round++) {
        batch_begin(&payload);
        batch_add(&payload, "{\"a\": 1}", 8);
        batch_add(&payload, "{}", 2);
        batch_end(&payload);
        assert_string_equal(buffer_text(&payload), "[{\"a\": 1},{}]");
    }
    buffer_free(&payload);
}

static void a_payload_is_packed_only_when_that_is_smaller(void **state)
{
    struct buffer payload = {0}, packed = {0}, again = {0};
    (void)state;
    batch_begin(&payload);
    batch_add(&payload, "{}", 2);
    batch_end(&payload);
    assert_false(batch_pack(&packed, &payload, false));
    batch_begin(&payload);
    for (int i = 0; i < 100; i++)
        batch_add(&payload, "{\"a\": 1}", 8);
    batch_end(&payload);
    for (int round = 0; round < 2; round++) {
        assert_true(batch_pack(&packed, &payload, false));
        assert_true(packed.length < payload.length / 4);
    }
    assert_int_equal(squeeze_get(&again, packed.bytes, packed.length, payload.length), 0);
    assert_int_equal(again.length, payload.length);
    assert_memory_equal(again.bytes, payload.bytes, payload.length);
    buffer_free(&payload);
    buffer_free(&packed);
    buffer_free(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_stand_between_brackets_and_commas_unchanged),
        cmocka_unit_test(a_payload_is_packed_only_when_that_is_smaller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
