/* Who is given the bytes of a blob, and what is on record before the first of them goes. */
#include "keeper/blobs/viewing.h"

#include "keeper/cellar.h"

static struct cellar cellar;
static struct viewing viewing;

enum { DAY_MS = 24 * 3600 * 1000 };

static const struct access_who OFFICER = {"an officer", ACCESS_OFFICER, "local"},
                               NOBODY = {"nobody", ACCESS_SOCIAL_WORKER, "local"};

static int start(void **state)
{
    (void)state;
    cellar_open(&cellar);
    viewing_open(&viewing, cellar.house.loop, &cellar.house.group, &cellar.blobs);
    cellar.house.children.viewing = &viewing;
    cellar.house.peers[HOUSE_READER].uid = 4711;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    viewing_close(&viewing);
    cellar.house.children.viewing = NULL;
    cellar_close(&cellar);
    return 0;
}

static struct digest keep(const char *text)
{
    struct digest digest = cellar_spool(&cellar, text);
    cellar_keep(&cellar, &digest, "picture", DAY_MS, false, 0);
    return digest;
}

static struct peer *reader(void)
{
    return &cellar.house.peers[HOUSE_READER];
}

static int reader_end(void)
{
    return cellar.house.ends[HOUSE_READER];
}

/* With a reason (else NULL) for an export. */
static int ask_for(uint8_t type, const struct digest *digest,
                   const struct access_who *who, const char *reason)
{
    struct buffer bytes = {0};
    struct frame frame;
    char digits[TALK_DIGEST_HEX + 1];
    hex_encode(digits, digest->bytes, DIGEST_BYTES);
    frame_begin(&bytes, type, 9);
    frame_put_text(&bytes, TAG_DIGEST, digits);
    if (reason != NULL) {
        frame_put_text(&bytes, TAG_TYPE, "export");
        frame_put_text(&bytes, TAG_TEXT, reason);
    }
    assert_int_equal(frame_read(&frame, bytes.bytes, bytes.length), 0);
    int err = viewing_view(&viewing, reader(), &frame, who);
    buffer_free(&bytes);
    return err;
}

static int ask(uint8_t type, const struct digest *digest, const struct access_who *who)
{
    return ask_for(type, digest, who, NULL);
}

/* VIEWED: its errno, and the pipe when that is 0. */
static int hear_viewed(int *fd)
{
    struct heard *heard = &cellar.house.heard;
    assert_true(ends_run(cellar.house.loop, reader_end(), ENDS_PATIENCE_MS));
    ssize_t length = rights_receive(reader_end(), heard->bytes, sizeof(heard->bytes), fd);
    assert_true(length > 0);
    assert_int_equal(frame_read(&heard->frame, heard->bytes, (size_t)length), 0);
    assert_int_equal(heard->frame.type, TALK_VIEWED);
    return -(int)ends_number(&heard->frame.fields, TAG_ERROR);
}

static void commit(int err)
{
    if (err)
        group_fail(&cellar.house.group, err);
    else
        group_commit(&cellar.house.group);
    viewing_committed(&viewing, err);
}

static void an_officer_is_given_the_bytes_once_it_is_on_record(void **state)
{
    struct digest digest = keep("a face");
    char got[16];
    int fd;
    (void)state;
    assert_int_equal(ask(TALK_VIEW, &digest, &OFFICER), 0);
    assert_false(ends_is_readable(reader_end())); /* nothing before that */
    commit(0);
    assert_int_equal(hear_viewed(&fd), 0);
    assert_int_equal(ends_number(&cellar.house.heard.frame.fields, TAG_SIZE), 6);
    assert_int_equal(read(fd, got, sizeof(got)), 6);
    assert_memory_equal(got, "a face", 6);
    assert_int_equal(read(fd, got, sizeof(got)), 0);
    close(fd);
    ends_done(cellar.house.loop, reader_end(), &cellar.house.heard, 9, 0);
    assert_int_equal(cellar_events(&cellar, "blob.viewed"), 1);
}

static void others_are_refused_and_root_is_not(void **state)
{
    struct digest digest = keep("a face");
    int fd;
    (void)state;
    assert_int_equal(ask(TALK_VIEW, &digest, &NOBODY), 0);
    assert_int_equal(hear_viewed(&fd), -EACCES);
    assert_int_equal(cellar_events(&cellar, "blob.viewed"), 0);
    reader()->uid = 0;
    assert_int_equal(ask(TALK_VIEW, &digest, &NOBODY), 0);
    commit(0);
    assert_int_equal(hear_viewed(&fd), 0);
    close(fd);
    ends_expect(cellar.house.loop, reader_end(), &cellar.house.heard, TALK_DONE, 9);
    assert_int_equal(cellar_events(&cellar, "blob.viewed"), 1);
    reader()->uid = -1; /* not known */
    assert_int_equal(ask(TALK_VIEW, &digest, &NOBODY), 0);
    assert_int_equal(hear_viewed(&fd), -EACCES);
}

static void of_evidence_another_event_tells_and_what_for(void **state)
{
    struct digest digest = cellar_spool(&cellar, "a clip");
    int fd;
    (void)state;
    cellar_keep(&cellar, &digest, "ordinary", DAY_MS, false, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            ask_for(TALK_VIEW, &digest, &OFFICER, i == 0 ? NULL : "the court asks"), 0);
        commit(0);
        assert_int_equal(hear_viewed(&fd), 0);
        close(fd);
        ends_expect(cellar.house.loop, reader_end(), &cellar.house.heard, TALK_DONE, 9);
    }
    assert_int_equal(cellar_events(&cellar, "blob.viewed"), 0);
    assert_int_equal(cellar_events(&cellar, "evidence.viewed"), 2);
    assert_int_equal(
        fixture_ask(&cellar.house.fixture,
                    "SELECT count(*) FROM event WHERE json_extract(CAST(body AS TEXT), "
                    "'$.data.purpose') = 'export' AND json_extract(CAST(body AS TEXT), "
                    "'$.data.reason') = 'the court asks'"),
        1);
}

static void an_export_is_for_officers_and_of_evidence(void **state)
{
    struct digest picture = keep("a face"), clip = cellar_spool(&cellar, "a clip");
    int fd;
    (void)state;
    cellar_keep(&cellar, &clip, "case", -1, false, 0);
    reader()->uid = 0;
    assert_int_equal(ask_for(TALK_VIEW, &clip, &NOBODY, "x"), 0);
    assert_int_equal(hear_viewed(&fd), -EACCES);
    assert_int_equal(ask_for(TALK_VIEW, &picture, &OFFICER, "x"), 0);
    assert_int_equal(hear_viewed(&fd), -EINVAL);
    assert_int_equal(ask_for(TALK_VIEW, &clip, &OFFICER, ""), -EPROTO);
}

static void what_could_not_be_recorded_is_not_shown(void **state)
{
    struct digest digest = keep("a face");
    int fd;
    (void)state;
    assert_int_equal(ask(TALK_VIEW, &digest, &OFFICER), 0);
    commit(-ENOSPC);
    assert_int_equal(hear_viewed(&fd), -ENOSPC);
    assert_int_equal(fd, -1);
    ends_expect_silence(cellar.house.loop, reader_end());
}

static void what_is_not_there_or_released_is_not_shown(void **state)
{
    struct digest digest = keep("gone"), unknown = {{1}};
    struct catalog_blob row = cellar_row(&cellar, &digest);
    int fd;
    (void)state;
    assert_int_equal(ask(TALK_VIEW, &unknown, &OFFICER), 0);
    assert_int_equal(hear_viewed(&fd), -ENOENT);
    row.is_released = true;
    assert_int_equal(group_enter(&cellar.house.group), 0);
    assert_int_equal(catalog_put(cellar.house.fixture.journal->store, &row), 0);
    assert_int_equal(ask(TALK_VIEW, &digest, &OFFICER), 0);
    assert_int_equal(hear_viewed(&fd), -ENOENT);
}

static void a_damaged_one_is_told_at_the_end(void **state)
{
    struct digest digest = keep("fragile");
    char path[DEPOT_PATH_MAX];
    int fd;
    (void)state;
    assert_int_equal(depot_place(&cellar.blobs.depot, path, &digest), 0);
    fixture_flip(path, CASK_HEAD);
    assert_int_equal(ask(TALK_VIEW, &digest, &OFFICER), 0);
    commit(0);
    assert_int_equal(hear_viewed(&fd), 0);
    close(fd);
    ends_done(cellar.house.loop, reader_end(), &cellar.house.heard, 9, -EBADMSG);
}

static void only_so_many_are_looked_at_at_once(void **state)
{
    struct digest digest = keep("popular");
    int fd;
    (void)state;
    for (int i = 0; i < VIEWING_MAX; i++)
        assert_int_equal(ask(TALK_VIEW, &digest, &OFFICER), 0);
    assert_int_equal(ask(TALK_VIEW, &digest, &OFFICER), 0);
    assert_int_equal(hear_viewed(&fd), -EBUSY);
    viewing_forget(&viewing, reader()); /* who goes makes room */
    assert_int_equal(ask(TALK_VIEW, &digest, &OFFICER), 0);
    commit(0);
    assert_int_equal(hear_viewed(&fd), 0);
    close(fd);
}

static int list(const struct digest *after, int64_t most, bool *more)
{
    struct buffer bytes = {0};
    struct frame frame;
    struct field field;
    int count = 0;
    char digits[TALK_DIGEST_HEX + 1];
    frame_begin(&bytes, TALK_LIST, 3);
    if (after != NULL) {
        hex_encode(digits, after->bytes, DIGEST_BYTES);
        frame_put_text(&bytes, TAG_DIGEST, digits);
    }
    frame_put_number(&bytes, TAG_LIMIT, most);
    assert_int_equal(frame_read(&frame, bytes.bytes, bytes.length), 0);
    assert_int_equal(viewing_list(&viewing, reader(), &frame), 0);
    buffer_free(&bytes);
    ends_expect(cellar.house.loop, reader_end(), &cellar.house.heard, TALK_LISTED, 3);
    struct fields rest = cellar.house.heard.frame.fields;
    *more = false;
    while (fields_next(&rest, &field) > 0) {
        struct json *json;
        *more |= field.tag == TAG_MORE;
        if (field.tag != TAG_DATA)
            continue;
        assert_int_equal(json_parse(&json, field.bytes, field.length), 0);
        assert_int_equal(strlen(json_text(json, "sha256")), TALK_DIGEST_HEX);
        assert_string_equal(json_text(json, "class"), "picture");
        json_free(json);
        count++;
    }
    return count;
}

static void a_list_comes_in_pages(void **state)
{
    static const struct digest LAST = {{0xff, 0xff}};
    bool more;
    (void)state;
    assert_int_equal(list(NULL, 10, &more), 0);
    assert_false(more);
    keep("one");
    keep("two");
    keep("three");
    assert_int_equal(list(NULL, 2, &more), 2);
    assert_true(more);
    assert_int_equal(list(NULL, 3, &more), 3);
    assert_false(more);
    assert_int_equal(list(&LAST, 3, &more), 0);
}

static void what_is_not_as_agreed_is_refused(void **state)
{
    struct buffer bytes = {0};
    struct frame frame;
    (void)state;
    frame_begin(&bytes, TALK_VIEW, 9);
    assert_int_equal(frame_read(&frame, bytes.bytes, bytes.length), 0);
    assert_int_equal(viewing_view(&viewing, reader(), &frame, &OFFICER), -EPROTO);
    assert_int_equal(viewing_list(&viewing, reader(), &frame), -EPROTO);
    frame_put_text(&bytes, TAG_DIGEST, "abc");
    frame_put_number(&bytes, TAG_LIMIT, 1);
    assert_int_equal(frame_read(&frame, bytes.bytes, bytes.length), 0);
    assert_int_equal(viewing_view(&viewing, reader(), &frame, &OFFICER), -EPROTO);
    assert_int_equal(viewing_list(&viewing, reader(), &frame), -EPROTO);
    buffer_free(&bytes);
}

#define in_a_cellar(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_cellar(an_officer_is_given_the_bytes_once_it_is_on_record),
        in_a_cellar(others_are_refused_and_root_is_not),
        in_a_cellar(of_evidence_another_event_tells_and_what_for),
        in_a_cellar(an_export_is_for_officers_and_of_evidence),
        in_a_cellar(what_could_not_be_recorded_is_not_shown),
        in_a_cellar(what_is_not_there_or_released_is_not_shown),
        in_a_cellar(a_damaged_one_is_told_at_the_end),
        in_a_cellar(only_so_many_are_looked_at_at_once),
        in_a_cellar(a_list_comes_in_pages),
        in_a_cellar(what_is_not_as_agreed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
