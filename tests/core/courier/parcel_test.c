/* What the keeper says of a file, what is noted of it, and what the server is told. */
#include "courier/parcel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SM3    "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"
#define URL    "https://city.example/files/1"

static const struct settings SETTINGS = {
    .office = (char *)(uintptr_t) "350105-003",
    .log = (char *)(uintptr_t) "9c41e07a",
    .receipts = (char *)(uintptr_t) "https://city.example/receipts/",
};

static int read_entry(struct parcel *parcel, const char *digest, int64_t size,
                      const char *note)
{
    struct buffer frame = {0};
    struct frame read;
    struct field entry;
    frame_begin(&frame, TALK_PARCELS, 1);
    size_t mark = frame_open(&frame, TAG_ENTRY);
    frame_put_text(&frame, TAG_DIGEST, digest);
    frame_put_text(&frame, TAG_SM3, SM3);
    frame_put_text(&frame, TAG_NAME, "case");
    frame_put_number(&frame, TAG_SIZE, size);
    frame_put_number(&frame, TAG_SEQ, 12);
    if (note != NULL) {
        frame_put_text(&frame, TAG_VALUE, note);
        frame_put_number(&frame, TAG_LIMIT, 600000);
    }
    frame_close(&frame, mark);
    assert_int_equal(frame_read(&read, frame.bytes, frame.length), 0);
    assert_int_equal(fields_find(&read.fields, TAG_ENTRY, &entry), 0);
    int err = parcel_read(parcel, &entry);
    buffer_free(&frame);
    return err;
}

static void a_new_file_is_created_at_the_server(void **state)
{
    (void)state;
    struct parcel parcel;
    assert_int_equal(read_entry(&parcel, SHA256, 100, NULL), 0);
    assert_string_equal(parcel.sha256, SHA256);
    assert_string_equal(parcel.sm3, SM3);
    assert_string_equal(parcel.class, "case");
    assert_int_equal(parcel.seq, 12);
    assert_int_equal(parcel.tus.size, 100);
    assert_int_equal(parcel.tus.deed, TUS_CREATE);
    assert_int_equal(parcel.tus.aside_ms, 0);
}

static void what_was_noted_is_gone_on_from(void **state)
{
    (void)state;
    struct parcel parcel;
    struct buffer note = {0};
    assert_int_equal(read_entry(&parcel, SHA256, 100, "begun " URL), 0);
    assert_int_equal(parcel.tus.deed, TUS_ASK);
    assert_string_equal(parcel.tus.url, URL);
    assert_int_equal(read_entry(&parcel, SHA256, 100, "sent " URL), 0);
    assert_int_equal(parcel.tus.deed, TUS_FETCH);
    parcel_print_note(&parcel, &note);
    assert_string_equal(buffer_text(&note), "sent " URL);
    buffer_free(&note);
    assert_int_equal(parcel.tus.aside_ms, 600000);
    assert_int_equal(read_entry(&parcel, SHA256, 100, "begun "),
                     0); /* refused, no upload */
    assert_int_equal(parcel.tus.deed, TUS_CREATE);
}

static void a_note_that_is_none_of_ours_is_as_none(void **state)
{
    (void)state;
    char longest[TALK_NOTE_MAX + 1];
    struct parcel parcel;
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "sent ", 5);
    longest[TALK_NOTE_MAX] = '\0';
    assert_int_equal(read_entry(&parcel, SHA256, 100, longest), 0);
    assert_int_equal(parcel.tus.deed, TUS_CREATE);
    assert_int_equal(read_entry(&parcel, SHA256, 100, "flown " URL), 0);
    assert_int_equal(parcel.tus.deed, TUS_CREATE);
}

static void an_entry_that_is_not_as_agreed_is_refused(void **state)
{
    (void)state;
    struct parcel parcel;
    assert_int_equal(read_entry(&parcel, SHA256 "0", 100, NULL), -EPROTO);
    assert_int_equal(read_entry(&parcel, SHA256, -1, NULL), -EPROTO);
}

static void the_server_is_told_what_the_city_needs_to_know(void **state)
{
    (void)state;
    struct parcel parcel;
    struct buffer text = {0};
    assert_int_equal(read_entry(&parcel, SHA256, 100, NULL), 0);
    parcel_print_metadata(&parcel, &SETTINGS, &text);
    assert_non_null(strstr(buffer_text(&text),
                           "Upload-Metadata: office MzUwMTA1LTAwMw==,log OWM0MWUwN2E=,"
                           "seq MTI=,sha256 "));
    assert_non_null(strstr(buffer_text(&text), ",size MTAw,class Y2FzZQ=="));
    buffer_clear(&text);
    parcel_print_receipt_url(&parcel, &SETTINGS, &text);
    assert_string_equal(buffer_text(&text),
                        "https://city.example/receipts/350105-003/" SHA256);
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_is_created_at_the_server),
        cmocka_unit_test(what_was_noted_is_gone_on_from),
        cmocka_unit_test(a_note_that_is_none_of_ours_is_as_none),
        cmocka_unit_test(an_entry_that_is_not_as_agreed_is_refused),
        cmocka_unit_test(the_server_is_told_what_the_city_needs_to_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
