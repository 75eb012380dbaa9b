/* Blobs on their way to the city: what the courier is told and given, and what only the city can say. */
#include "keeper/blobs/parcels.h"

#include "keeper/blobs/heirs.h"
#include "keeper/blobs/notes.h"
#include "keeper/cellar.h"
#include "proof/handover.h"

static struct cellar cellar;
static struct parcels parcels;
static struct peer courier;
static int end;
static struct key *stranger;

static int start(void **state)
{
    int fds[2];
    (void)state;
    cellar_open(&cellar);
    cellar.house.config->has_courier = true;
    cellar.house.config->sends = 1 << CLASS_IMPORTANT | 1 << CLASS_CASE;
    cellar.blobs.sends = cellar.house.config->sends;
    parcels_open(&parcels, &cellar.blobs, &cellar.house.link, cellar.house.config);
    cellar.house.children.parcels = &parcels;
    assert_int_equal(line_pair(fds), 0);
    courier = (struct peer){.role = PEER_COURIER,
                            .name = "courier",
                            .owner = &cellar.house,
                            .gone = house_gone};
    assert_int_equal(children_add(&cellar.house.children, &courier, fds[0]), 0);
    end = fds[1];
    ends_tell(end, TALK_HELLO, 1);
    ends_expect(cellar.house.loop, end, &cellar.house.heard, TALK_START, 1);
    return key_make(&stranger, suite_named(FIXTURE_SUITE), "outpost-city/c");
}

static int stop(void **state)
{
    (void)state;
    close(end);
    key_free(stranger);
    parcels_close(&parcels);
    cellar.house.children.parcels = NULL;
    cellar_close(&cellar);
    return 0;
}

static struct digest keep(const char *text, const char *class, int64_t keep_ms)
{
    struct digest digest = cellar_spool(&cellar, text);
    cellar_keep(&cellar, &digest, class, keep_ms, true, 0);
    return digest;
}

/* ---- What the courier says */

/* The number of entries; `found` is the value of that tag in entry `index`, as a text. */
static int list(int index, enum talk_tag tag, char found[TALK_NOTE_MAX + 1])
{
    struct heard *heard = &cellar.house.heard;
    struct field field;
    int count = 0;
    found[0] = '\0';
    ends_tell(end, TALK_PARCELS, 5);
    ends_expect(cellar.house.loop, end, heard, TALK_PARCELS, 5);
    struct fields rest = heard->frame.fields;
    while (fields_next(&rest, &field) > 0) {
        struct fields inside = field_inside(&field);
        assert_int_equal(field.tag, TAG_ENTRY);
        if (count++ == index && fields_find(&inside, (uint8_t)tag, &field) == 0)
            assert_int_equal(field_text(&field, found, TALK_NOTE_MAX + 1), 0);
    }
    return count;
}

static int count_listed(void)
{
    char found[TALK_NOTE_MAX + 1];
    return list(0, TAG_NAME, found);
}

/* `ms` 0: it is not set aside. */
static void note_aside(const struct digest *digest, const char *text, int64_t ms,
                       const char *why, int err)
{
    char digits[TALK_DIGEST_HEX + 1];
    struct buffer frame = {0};
    hex_encode(digits, digest->bytes, DIGEST_BYTES);
    frame_begin(&frame, TALK_NOTE, 6);
    frame_put_text(&frame, TAG_DIGEST, digits);
    frame_put_text(&frame, TAG_VALUE, text);
    if (ms > 0) {
        frame_put_number(&frame, TAG_LIMIT, ms);
        frame_put_text(&frame, TAG_TEXT, why);
    }
    ends_say(end, &frame);
    buffer_free(&frame);
    ends_done(cellar.house.loop, end, &cellar.house.heard, 6, err);
}

static void note(const struct digest *digest, const char *text, int err)
{
    note_aside(digest, text, 0, "", err);
}

static void say_draw(const struct digest *digest, int64_t offset)
{
    char digits[TALK_DIGEST_HEX + 1];
    struct buffer frame = {0};
    hex_encode(digits, digest->bytes, DIGEST_BYTES);
    frame_begin(&frame, TALK_DRAW, 7);
    frame_put_text(&frame, TAG_DIGEST, digits);
    frame_put_number(&frame, TAG_OFFSET, offset);
    ends_say(end, &frame);
    buffer_free(&frame);
}

/* The errno of the answer, and the pipe. */
static int draw(const struct digest *digest, int64_t offset, int *pipe)
{
    struct heard *heard = &cellar.house.heard;
    say_draw(digest, offset);
    assert_true(ends_run(cellar.house.loop, end, ENDS_PATIENCE_MS));
    ssize_t length = rights_receive(end, heard->bytes, sizeof(heard->bytes), pipe);
    assert_true(length > 0);
    assert_int_equal(frame_read(&heard->frame, heard->bytes, (size_t)length), 0);
    assert_int_equal(heard->frame.type, TALK_DRAWN);
    int err = (int)ends_number(&heard->frame.fields, TAG_ERROR);
    assert_int_equal(err == 0, *pipe >= 0);
    return -err;
}

static void read_all(int pipe, struct buffer *out)
{
    char part[4096];
    ssize_t length;
    while ((length = read(pipe, part, sizeof(part))) > 0)
        buffer_append(out, part, (size_t)length);
    assert_int_equal(length, 0);
    close(pipe);
}

static struct handover handover_of(const struct digest *digest)
{
    struct catalog_blob row = cellar_row(&cellar, digest);
    struct handover handover = {.seq = row.seq,
                                .time_us = 1795230245123456,
                                .sha256 = row.sha256,
                                .sm3 = row.sm3,
                                .size = row.size};
    const struct store_log *log = &cellar.house.fixture.journal->log;
    strcpy(handover.office, log->office);
    strcpy(handover.log, log->log);
    return handover;
}

static void hand_over(const struct handover *handover, const struct key *key, int err)
{
    struct buffer frame = {0}, text = {0};
    handover_sign(&text, handover, key);
    frame_begin(&frame, TALK_HANDOVER, 8);
    frame_put(&frame, TAG_TEXT, text.bytes, text.length);
    ends_say(end, &frame);
    buffer_free(&frame);
    buffer_free(&text);
    ends_done(cellar.house.loop, end, &cellar.house.heard, 8, err);
}

/* ---- What is true */

static void what_is_of_a_class_that_goes_is_listed_the_most_important_first(void **state)
{
    char class[TALK_NOTE_MAX + 1];
    (void)state;
    assert_int_equal(count_listed(), 0);
    keep("a picture", "picture", 1000);
    keep("ordinary", "ordinary", 1000);
    assert_int_equal(count_listed(), 0);
    keep("important", "important", 1000);
    keep("of a case", "case", -1);
    assert_int_equal(list(0, TAG_NAME, class), 2);
    assert_string_equal(class, "case");
    list(1, TAG_NAME, class);
    assert_string_equal(class, "important");
    cellar.house.config->sends = 1 << CLASS_PICTURE;
    assert_int_equal(list(0, TAG_NAME, class), 1);
    assert_string_equal(class, "picture");
}

static void so_many_are_listed_and_no_more(void **state)
{
    char text[32];
    (void)state;
    for (int i = 0; i <= TALK_PARCELS_MAX; i++) {
        snprintf(text, sizeof(text), "clip %d", i);
        keep(text, "important", 1000);
    }
    assert_int_equal(count_listed(), TALK_PARCELS_MAX);
}

static void a_note_is_durable_and_comes_back(void **state)
{
    struct digest digest = keep("clip", "important", 1000), other = {{7}};
    char longest[TALK_NOTE_MAX + 1], text[TALK_NOTE_MAX + 1];
    (void)state;
    list(0, TAG_VALUE, text);
    assert_string_equal(text, "");
    note(&digest, "begun https://city/1", 0);
    list(0, TAG_VALUE, text);
    assert_string_equal(text, "begun https://city/1");
    memset(longest, 'a', TALK_NOTE_MAX);
    longest[TALK_NOTE_MAX] = '\0';
    note(&digest, longest, 0);
    list(0, TAG_VALUE, text);
    assert_string_equal(text, longest);
    note(&other, "x", -ENOENT);
}

/* The value of LIMIT of the first that is listed; 0: there is none. */
static int64_t last_aside(void)
{
    struct heard *heard = &cellar.house.heard;
    struct field field;
    int64_t ms = 0;
    assert_true(count_listed() > 0);
    struct fields rest = heard->frame.fields;
    assert_int_equal(fields_next(&rest, &field), 1);
    struct fields inside = field_inside(&field);
    if (fields_find(&inside, TAG_LIMIT, &field) == 0)
        assert_int_equal(field_number(&field, &ms), 0);
    return ms;
}

static int64_t told_aside(char why[64])
{
    struct buffer out = {0};
    struct json *json;
    blobs_print(&cellar.blobs, &out);
    assert_int_equal(json_parse(&json, out.bytes, out.length), 0);
    const struct json *aside = json_get(json, "aside");
    const char *text = json_text(aside, "why");
    int64_t count = json_number(aside, "count", 0);
    snprintf(why, 64, "%s", text ? text : "");
    json_free(json);
    buffer_free(&out);
    return count;
}

static void however_many_are_set_aside_the_others_go(void **state)
{
    char text[TALK_NOTE_MAX + 1], why[64];
    (void)state;
    for (int i = 0; i <= TALK_PARCELS_MAX; i++) {
        snprintf(text, sizeof(text), "clip %d", i);
        struct digest digest = keep(text, "case", -1);
        note_aside(&digest, "begun ", 600000, i ? "no room" : "too big", 0);
    }
    assert_int_equal(count_listed(), 0);
    keep("another", "important", 1000);
    assert_int_equal(list(0, TAG_NAME, text), 1);
    assert_string_equal(text, "important");
    assert_int_equal(last_aside(), 0);
    assert_int_equal(told_aside(why), TALK_PARCELS_MAX + 1);
    assert_true(strcmp(why, "no room") == 0 || strcmp(why, "too big") == 0);
}

static void what_was_set_aside_comes_back_and_tells_for_how_long(void **state)
{
    struct digest digest = keep("clip", "important", 1000);
    struct store *store = cellar.house.fixture.journal->store;
    const struct handover handover = handover_of(&digest);
    char text[TALK_NOTE_MAX + 1], why[64];
    int64_t ms;
    (void)state;
    note_aside(&digest, "sent https://city/1", 1, "gone", 0);
    usleep(2000);
    list(0, TAG_VALUE, text);
    assert_string_equal(text, "sent https://city/1");
    assert_int_equal(last_aside(), 1);
    assert_int_equal(told_aside(why), 0);
    note(&digest, "sent https://city/1", 0);
    assert_int_equal(last_aside(), 1);
    hand_over(&handover, cellar.house.city, 0);
    assert_int_equal(notes_aside_ms(store, &digest, &ms), -ENOENT);
}

/* A clock that was set back by a year must not keep it for a year. */
static void what_another_clock_has_set_aside_goes(void **state)
{
    struct digest digest = keep("clip", "important", 1000);
    struct store *store = cellar.house.fixture.journal->store;
    char why[64];
    (void)state;
    assert_int_equal(group_enter(&cellar.house.group), 0);
    assert_int_equal(
        notes_set_aside(store, &digest, NOTES_ASIDE_MAX_MS + 60000, "far", 3), 0);
    group_commit(&cellar.house.group);
    assert_int_equal(count_listed(), 1);
    assert_int_equal(told_aside(why), 0);
}

static void its_bytes_are_given_from_any_of_them_on(void **state)
{
    enum { SIZE = 2 * CASK_CHUNK + 100 };
    static const int64_t OFFSETS[] = {
        0, 1, CASK_CHUNK - 1, CASK_CHUNK, 2 * CASK_CHUNK + 99, SIZE};
    static char text[SIZE + 1];
    (void)state;
    for (int i = 0; i < SIZE; i++)
        text[i] = (char)('a' + i % 23);
    struct digest digest = keep(text, "important", 1000);
    for (size_t i = 0; i < countof(OFFSETS); i++) {
        struct buffer bytes = {0};
        int pipe = -1;
        assert_int_equal(draw(&digest, OFFSETS[i], &pipe), 0);
        read_all(pipe, &bytes);
        assert_int_equal(bytes.length, SIZE - OFFSETS[i]);
        assert_memory_equal(buffer_text(&bytes), text + OFFSETS[i], bytes.length);
        buffer_free(&bytes);
    }
}

static void who_asks_for_another_has_done_with_the_one_before(void **state)
{
    struct digest digest = keep("clip", "important", 1000);
    int first = -1, second = -1;
    struct buffer bytes = {0};
    (void)state;
    assert_int_equal(draw(&digest, 0, &first), 0);
    assert_int_equal(draw(&digest, 2, &second), 0);
    read_all(second, &bytes);
    assert_string_equal(buffer_text(&bytes), "ip");
    buffer_free(&bytes);
    close(first);
}

static void what_is_not_stored_is_not_given(void **state)
{
    struct digest digest = {{7}};
    int pipe = -1;
    (void)state;
    assert_int_equal(draw(&digest, 0, &pipe), -ENOENT);
}

static void a_file_that_was_changed_is_told(void **state)
{
    struct digest digest = keep("clip", "important", 1000);
    char path[DEPOT_PATH_MAX];
    struct buffer bytes = {0};
    int pipe = -1;
    (void)state;
    assert_int_equal(depot_place(&cellar.blobs.depot, path, &digest), 0);
    assert_int_equal(truncate(path, CASK_HEAD + 5), 0);
    assert_int_equal(draw(&digest, 0, &pipe), 0);
    read_all(pipe, &bytes);
    assert_int_equal(bytes.length, 0);
    buffer_free(&bytes);
    for (int i = 0; i < 1200 && !cellar_row(&cellar, &digest).is_damaged; i++)
        ends_run(cellar.house.loop, -1, 50);
    assert_int_equal(cellar_events(&cellar, "blob.damaged"), 1);
    assert_int_equal(count_listed(), 0);
}

static void the_citys_receipt_marks_it_and_is_on_record_once(void **state)
{
    struct digest digest = keep("clip", "important", 1000);
    struct handover handover = handover_of(&digest);
    struct buffer none = {0};
    char digits[TALK_DIGEST_HEX + 1];
    (void)state;
    note(&digest, "sent https://city/1", 0);
    hand_over(&handover, cellar.house.city, 0);
    assert_true(cellar_row(&cellar, &digest).uploaded_us > 0);
    assert_int_equal(cellar_events(&cellar, "evidence.uploaded"), 1);
    assert_int_equal(count_listed(), 0);
    hand_over(&handover, cellar.house.city, 0);
    assert_int_equal(cellar_events(&cellar, "evidence.uploaded"), 1);
    hex_encode(digits, digest.bytes, DIGEST_BYTES);
    assert_int_equal(
        store_get(cellar.house.fixture.journal->store, "courier", digits, &none),
        -ENOENT);
    buffer_free(&none);
}

/* Also what changes is counted as the table has it. */
static void expect_told(int64_t waiting, int64_t uploaded)
{
    struct buffer out = {0};
    struct catalog_sum sum;
    struct json *json;
    blobs_print(&cellar.blobs, &out);
    assert_int_equal(json_parse(&json, out.bytes, out.length), 0);
    const struct json *class = json_get(json_get(json, "classes"), "important");
    assert_int_equal(json_number(class, "waiting", -1), waiting);
    assert_int_equal(json_number(class, "uploaded", -1), uploaded);
    assert_int_equal(catalog_sum(cellar.house.fixture.journal->store, &sum), 0);
    assert_memory_equal(&sum, &cellar.blobs.sum, sizeof(sum));
    json_free(json);
    buffer_free(&out);
}

static void how_many_wait_and_have_gone_is_told(void **state)
{
    struct digest digest = keep("clip", "important", 1000);
    struct handover handover = handover_of(&digest);
    (void)state;
    keep("another", "important", 1000);
    keep("of a class that does not go", "ordinary", 1000);
    expect_told(2, 0);
    hand_over(&handover, cellar.house.city, 0);
    expect_told(1, 1);
    hand_over(&handover, cellar.house.city, 0);
    expect_told(1, 1);
    blobs_damaged(&cellar.blobs, &digest, "changed");
    expect_told(1, 1);
    cellar.blobs.sends = 0;
    expect_told(0, 1);
}

static void nobody_elses_word_is_taken_for_the_citys(void **state)
{
    struct digest digest = keep("clip", "important", 1000);
    const struct handover good = handover_of(&digest);
    struct handover other = good;
    (void)state;
    hand_over(&good, stranger, -ENOKEY);
    strcpy(other.log, "anotherlog");
    hand_over(&other, cellar.house.city, -ESTALE);
    other = good;
    strcpy(other.office, "350105-004");
    hand_over(&other, cellar.house.city, -EBADMSG);
    other = good;
    other.size++;
    hand_over(&other, cellar.house.city, -EBADMSG);
    other = good;
    other.seq++;
    hand_over(&other, cellar.house.city, -EBADMSG);
    other = good;
    other.sm3.bytes[0] ^= 1;
    hand_over(&other, cellar.house.city, -EBADMSG);
    other = good;
    other.sha256.bytes[0] ^= 1;
    hand_over(&other, cellar.house.city, -ENOENT);
    assert_int_equal(cellar_row(&cellar, &digest).uploaded_us, 0);
    assert_int_equal(cellar_events(&cellar, "evidence.uploaded"), 0);
    assert_int_equal(count_listed(), 1);
}

static void what_goes_to_the_city_is_not_released_before_its_receipt(void **state)
{
    struct digest ordinary = keep("ordinary", "ordinary", 0);
    struct digest important = keep("important", "important", 0);
    (void)state;
    blobs_look(&cellar.blobs);
    group_commit(&cellar.house.group);
    assert_true(cellar_row(&cellar, &ordinary).is_released);
    assert_false(cellar_row(&cellar, &important).is_released);
    struct handover handover = handover_of(&important);
    hand_over(&handover, cellar.house.city, 0);
    blobs_look(&cellar.blobs);
    group_commit(&cellar.house.group);
    assert_true(cellar_row(&cellar, &important).is_released);
}

/* As adoption.h copies it: of no event of this log. */
static void leave_without_event(const struct digest *digest)
{
    struct catalog_blob row = cellar_row(&cellar, digest);
    assert_int_equal(group_enter(&cellar.house.group), 0);
    row.seq = -1;
    assert_int_equal(catalog_put(cellar.house.fixture.journal->store, &row), 0);
    group_commit(&cellar.house.group);
}

static void what_another_log_has_left_goes_as_one_of_this(void **state)
{
    char text[32];
    struct digest digest, last;
    (void)state;
    for (int i = 0; i <= HEIRS_MAX; i++) {
        snprintf(text, sizeof(text), "clip %d", i);
        digest = keep(text, "important", 0);
        leave_without_event(&digest);
    }
    last = keep("ordinary", "ordinary", 1000);
    leave_without_event(&last);
    assert_int_equal(count_listed(), 0);
    blobs_send(&cellar.blobs, cellar.house.config->sends);
    int64_t size = cellar.house.fixture.journal->size;
    blobs_look(&cellar.blobs);
    assert_int_equal(cellar_events(&cellar, "evidence.adopted"), HEIRS_MAX);
    blobs_look(&cellar.blobs);
    assert_int_equal(cellar_events(&cellar, "evidence.adopted"), HEIRS_MAX + 1);
    assert_false(cellar.blobs.has_heirs);
    assert_int_equal(count_listed(), TALK_PARCELS_MAX);
    assert_true(cellar_row(&cellar, &digest).seq >= size);
    assert_int_equal(cellar_row(&cellar, &last).seq, -1);
    assert_false(cellar_row(&cellar, &digest).is_released); /* its time is over, but */
    struct handover handover = handover_of(&digest);
    hand_over(&handover, cellar.house.city, 0);
    assert_int_equal(cellar_events(&cellar, "evidence.uploaded"), 1);
}

static void what_a_plugin_names_again_is_of_its_new_event(void **state)
{
    struct digest digest = keep("clip", "important", 1000);
    (void)state;
    leave_without_event(&digest);
    int64_t size = cellar.house.fixture.journal->size;
    keep("clip", "important", 1000);
    assert_int_equal(cellar_row(&cellar, &digest).seq, size);
    assert_int_equal(count_listed(), 1);
}

static void without_a_courier_nothing_waits_for_a_receipt(void **state)
{
    struct digest important = keep("important", "important", 0);
    (void)state;
    cellar.blobs.sends = 0;
    blobs_look(&cellar.blobs);
    group_commit(&cellar.house.group);
    assert_true(cellar_row(&cellar, &important).is_released);
}

static void an_offset_beyond_the_file_ends_the_courier(void **state)
{
    struct digest digest = keep("clip", "important", 1000);
    (void)state;
    say_draw(&digest, 5);
    ends_expect_end(cellar.house.loop, end, &cellar.house.heard);
}

static void a_host_may_not_ask_for_any_of_this(void **state)
{
    (void)state;
    ends_tell(cellar_host(&cellar), TALK_PARCELS, 5);
    ends_expect_end(cellar.house.loop, cellar_host(&cellar), &cellar.house.heard);
}

int main(void)
{
#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(what_is_of_a_class_that_goes_is_listed_the_most_important_first),
        TEST(so_many_are_listed_and_no_more),
        TEST(a_note_is_durable_and_comes_back),
        TEST(however_many_are_set_aside_the_others_go),
        TEST(what_was_set_aside_comes_back_and_tells_for_how_long),
        TEST(what_another_clock_has_set_aside_goes),
        TEST(its_bytes_are_given_from_any_of_them_on),
        TEST(who_asks_for_another_has_done_with_the_one_before),
        TEST(what_is_not_stored_is_not_given),
        TEST(a_file_that_was_changed_is_told),
        TEST(the_citys_receipt_marks_it_and_is_on_record_once),
        TEST(nobody_elses_word_is_taken_for_the_citys),
        TEST(what_goes_to_the_city_is_not_released_before_its_receipt),
        TEST(what_another_log_has_left_goes_as_one_of_this),
        TEST(what_a_plugin_names_again_is_of_its_new_event),
        TEST(without_a_courier_nothing_waits_for_a_receipt),
        TEST(how_many_wait_and_have_gone_is_told),
        TEST(an_offset_beyond_the_file_ends_the_courier),
        TEST(a_host_may_not_ask_for_any_of_this),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
