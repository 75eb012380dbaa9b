/* Bundles: what goes in comes out, and nothing else is one. */
#include "proof/bundle.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/random.h"

static void pack(struct buffer *file, const struct buffer *plain)
{
    buffer_clear(file);
    bundle_pack(file, plain);
}

static void entries_come_back_as_they_were(void **state)
{
    (void)state;
    struct buffer plain = {0}, file = {0};
    uint8_t *bytes = mem_zeroed(BUNDLE_ENTRY_MAX);
    random_bytes(bytes, BUNDLE_ENTRY_MAX);
    for (size_t i = 0; i < BUNDLE_ENTRIES; i++)
        bundle_add(&plain, bytes, i == 200 ? BUNDLE_ENTRY_MAX : 1 + i * 13);
    pack(&file, &plain);
    struct bundle bundle;
    assert_int_equal(bundle_open(&bundle, file.bytes, file.length), 0);
    assert_int_equal(bundle.count, BUNDLE_ENTRIES);
    for (unsigned i = 0; i < BUNDLE_ENTRIES; i++) {
        size_t length;
        const void *entry = bundle_entry(&bundle, i, &length);
        assert_int_equal(length, i == 200 ? BUNDLE_ENTRY_MAX : 1 + (size_t)i * 13);
        assert_memory_equal(entry, bytes, length);
    }
    bundle_close(&bundle);
    buffer_free(&plain);
    buffer_free(&file);
    mem_free(bytes);
}

static void the_plain_form_is_that_of_tlog_tiles(void **state)
{
    (void)state;
    struct buffer plain = {0};
    bundle_add(&plain, "one", 3);
    bundle_add(&plain, "two!", 4);
    assert_int_equal(plain.length, 11);
    assert_memory_equal(plain.bytes, "\0\3one\0\4two!", 11);
    buffer_free(&plain);
}

static void an_erased_entry_has_no_bytes_and_keeps_its_place(void **state)
{
    (void)state;
    struct buffer plain = {0}, file = {0};
    for (int i = 0; i < BUNDLE_ENTRIES; i++)
        bundle_add(&plain, "left", i % 3 == 0 || i == 255 ? 0 : 4);
    pack(&file, &plain);
    struct bundle bundle;
    assert_int_equal(bundle_open(&bundle, file.bytes, file.length), 0);
    assert_int_equal(bundle.count, BUNDLE_ENTRIES);
    for (unsigned i = 0; i < BUNDLE_ENTRIES; i++) {
        size_t length;
        const void *entry = bundle_entry(&bundle, i, &length);
        assert_int_equal(length, i % 3 == 0 || i == 255 ? 0 : 4);
        assert_memory_equal(entry, "left", length);
    }
    bundle_close(&bundle);
    buffer_free(&plain);
    buffer_free(&file);
}

static void any_changed_byte_is_found_or_harmless(void **state)
{
    (void)state;
    struct buffer plain = {0}, file = {0};
    for (int i = 0; i < 256; i++)
        bundle_add(&plain, "an entry like the others", 20 + (size_t)i % 5);
    pack(&file, &plain);
    for (size_t bit = 0; bit < file.length * 8; bit++) {
        struct bundle bundle;
        file.bytes[bit / 8] ^= (char)(1 << bit % 8);
        if (bundle_open(&bundle, file.bytes, file.length) == 0) {
            assert_int_equal(bundle.plain.length, plain.length);
            assert_memory_equal(bundle.plain.bytes, plain.bytes, plain.length);
            bundle_close(&bundle);
        }
        file.bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    buffer_free(&plain);
    buffer_free(&file);
}

static void expect_refused(const void *plain, size_t length)
{
    struct buffer text = {0}, file = {0};
    struct bundle bundle;
    buffer_append(&text, plain, length);
    pack(&file, &text);
    assert_int_equal(bundle_open(&bundle, file.bytes, file.length), -EBADMSG);
    buffer_free(&text);
    buffer_free(&file);
}

static void what_is_not_whole_is_refused(void **state)
{
    (void)state;
    struct bundle bundle;
    struct buffer plain = {0}, file = {0};
    expect_refused("", 0);
    expect_refused("\0", 1);
    expect_refused("\0\4abc", 5);
    expect_refused("\0\1a\0", 4);
    for (int i = 0; i <= BUNDLE_ENTRIES; i++)
        bundle_add(&plain, "x", 1);
    expect_refused(plain.bytes, plain.length);
    pack(&file, &plain);
    for (size_t length = 0; length < file.length; length++)
        assert_int_equal(bundle_open(&bundle, file.bytes, length), -EBADMSG);
    buffer_free(&plain);
    buffer_free(&file);
}

static void nothing_may_follow_the_frame(void **state)
{
    (void)state;
    struct bundle bundle;
    struct buffer plain = {0}, file = {0};
    bundle_add(&plain, "x", 1);
    pack(&file, &plain);
    size_t length = file.length;
    buffer_append(&file, "\0", 1);
    assert_int_equal(bundle_open(&bundle, file.bytes, file.length), -EBADMSG);
    file.length = length;
    bundle_pack(&file, &plain);
    assert_int_equal(bundle_open(&bundle, file.bytes, file.length), -EBADMSG);
    buffer_free(&plain);
    buffer_free(&file);
}

/* A frame that says it holds 1 TiB: magic, single segment with an 8 byte content size. */
static void a_bomb_is_refused_before_memory_is_taken(void **state)
{
    (void)state;
    static const uint8_t BOMB[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0,
                                   0,    0,    1,    0,    0,    1, 0, 0};
    struct bundle bundle;
    assert_int_equal(bundle_open(&bundle, BOMB, sizeof(BOMB)), -EBADMSG);
}

/* Entries that no compression makes smaller, so that they lie in the file in their order. */
static void pack_noise(struct buffer *file, unsigned entries)
{
    struct buffer plain = {0};
    uint32_t noise = 1;
    for (unsigned i = 0; i < entries; i++) {
        char entry[3000];
        for (size_t k = 0; k < sizeof(entry); k++) {
            noise = noise * 1664525 + 1013904223;
            entry[k] = (char)(noise >> 24);
        }
        bundle_add(&plain, entry, sizeof(entry));
    }
    bundle_pack(file, &plain);
    buffer_free(&plain);
}

static void of_a_torn_file_the_entries_before_the_damage_come_back(void **state)
{
    struct buffer file = {0};
    struct bundle whole, torn;
    size_t length;
    (void)state;
    pack_noise(&file, 256);
    assert_int_equal(bundle_open(&whole, file.bytes, file.length), 0);
    assert_int_equal(bundle_open_torn(&torn, file.bytes, file.length), 0);
    assert_int_equal(torn.count, 256);
    bundle_close(&torn);
    assert_int_equal(bundle_open_torn(&torn, file.bytes, file.length / 2), 0);
    assert_true(torn.count > 40 && torn.count < 256);
    for (unsigned i = 0; i < torn.count; i++) {
        size_t expected;
        const void *entry = bundle_entry(&whole, i, &expected);
        assert_memory_equal(bundle_entry(&torn, i, &length), entry, expected);
        assert_int_equal(length, expected);
    }
    bundle_close(&torn);
    file.bytes[file.length - 1] ^= 1; /* only the checksum is wrong */
    assert_int_equal(bundle_open(&torn, file.bytes, file.length), -EBADMSG);
    assert_int_equal(bundle_open_torn(&torn, file.bytes, file.length), 0);
    assert_true(torn.count >= 254);
    bundle_close(&torn);
    bundle_close(&whole);
    assert_int_equal(bundle_open_torn(&torn, file.bytes, 3), -EBADMSG);
    assert_int_equal(bundle_open_torn(&torn, "noise", 5), -EBADMSG);
    buffer_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_back_as_they_were),
        cmocka_unit_test(the_plain_form_is_that_of_tlog_tiles),
        cmocka_unit_test(an_erased_entry_has_no_bytes_and_keeps_its_place),
        cmocka_unit_test(any_changed_byte_is_found_or_harmless),
        cmocka_unit_test(what_is_not_whole_is_refused),
        cmocka_unit_test(nothing_may_follow_the_frame),
        cmocka_unit_test(of_a_torn_file_the_entries_before_the_damage_come_back),
        cmocka_unit_test(a_bomb_is_refused_before_memory_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
