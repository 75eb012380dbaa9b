/* What officers decide about evidence, what becomes of its row, and what is on record of it. */
#include "keeper/blobs/custody.h"
#include "keeper/children/commit.h"

#include "keeper/cellar.h"

static struct cellar cellar;

enum { DAY_MS = 24 * 3600 * 1000 };

static const struct access_who OFFICER = {"zhang", ACCESS_OFFICER, "local"},
                               TECHNICIAN = {"root", ACCESS_TECHNICIAN, "local"};

static int start(void **state)
{
    (void)state;
    cellar_open(&cellar);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    cellar_close(&cellar);
    return 0;
}

/* What is asked for; a NULL is left out, as is a negative time. */
struct request {
    const char *type;
    const char *reason;
    const char *class;
    int64_t keep_ms;
    const char *manifest;
};

static const char MANIFEST[] =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
static const struct request TO_CASE = {"mark", "case 7", "case", -1, NULL},
                            TO_IMPORTANT = {"mark", "complaint", "important",
                                            90LL * DAY_MS, NULL},
                            RELEASE = {"release", "it is over", NULL, 10LL * DAY_MS,
                                       NULL},
                            EXPORT = {"export", "the court asks", NULL, -1, MANIFEST};

static struct digest keep(const char *text, const char *class)
{
    struct digest digest = cellar_spool(&cellar, text);
    cellar_keep(&cellar, &digest, class, 30LL * DAY_MS, true, 0);
    return digest;
}

/* What custody_hear() says. */
static int say(const struct digest *digest, const struct request *request,
               const struct access_who *who)
{
    struct buffer bytes = {0};
    struct frame frame;
    char digits[TALK_DIGEST_HEX + 1];
    hex_encode(digits, digest->bytes, DIGEST_BYTES);
    frame_begin(&bytes, TALK_CUSTODY, 9);
    frame_put_text(&bytes, TAG_DIGEST, digits);
    frame_put_text(&bytes, TAG_TYPE, request->type);
    if (request->reason != NULL)
        frame_put_text(&bytes, TAG_TEXT, request->reason);
    if (request->class != NULL)
        frame_put_text(&bytes, TAG_NAME, request->class);
    if (request->keep_ms >= 0)
        frame_put_number(&bytes, TAG_LIMIT, request->keep_ms);
    if (request->manifest != NULL)
        frame_put_text(&bytes, TAG_KEY, request->manifest);
    assert_int_equal(frame_read(&frame, bytes.bytes, bytes.length), 0);
    int err = custody_hear(&cellar.house.children, &cellar.house.peers[HOUSE_READER],
                           &frame, who);
    buffer_free(&bytes);
    return err;
}

/* Asked and answered with that errno. */
static void ask(const struct digest *digest, const struct request *request,
                const struct access_who *who, int err)
{
    assert_int_equal(say(digest, request, who), 0);
    ends_done(cellar.house.loop, cellar.house.ends[HOUSE_READER], &cellar.house.heard, 9,
              err);
}

static void a_mark_raises_class_and_time(void **state)
{
    struct digest digest = keep("a clip", "ordinary");
    struct catalog_blob before = cellar_row(&cellar, &digest), after;
    (void)state;
    ask(&digest, &TO_IMPORTANT, &OFFICER, 0);
    after = cellar_row(&cellar, &digest);
    assert_int_equal(after.class, CLASS_IMPORTANT);
    assert_true(after.until_us > before.until_us && !after.is_prompt);
    struct request shorter = TO_IMPORTANT;
    shorter.keep_ms = DAY_MS;
    ask(&digest, &shorter, &OFFICER, 0);
    assert_int_equal(cellar_row(&cellar, &digest).until_us, after.until_us);
    assert_int_equal(cellar_events(&cellar, "evidence.marked"), 2);
    assert_int_equal(cellar.blobs.sum.count[CLASS_ORDINARY], 0);
    assert_int_equal(cellar.blobs.sum.count[CLASS_IMPORTANT], 1);
}

static void a_case_holds_until_an_officer_releases_it(void **state)
{
    struct digest digest = keep("a clip", "ordinary");
    (void)state;
    ask(&digest, &RELEASE, &OFFICER, -EINVAL);
    ask(&digest, &TO_CASE, &OFFICER, 0);
    struct catalog_blob row = cellar_row(&cellar, &digest);
    assert_int_equal(row.class, CLASS_CASE);
    assert_int_equal(row.until_us, -1);
    ask(&digest, &TO_IMPORTANT, &OFFICER, -EINVAL);
    ask(&digest, &RELEASE, &OFFICER, 0);
    row = cellar_row(&cellar, &digest);
    assert_int_equal(row.class, CLASS_IMPORTANT);
    assert_int_equal(row.keep_ms, RELEASE.keep_ms);
    assert_true(row.until_us > row.stored_us);
    assert_int_equal(cellar_events(&cellar, "evidence.released"), 1);
}

static void an_export_changes_no_row_and_waits_for_its_checkpoint(void **state)
{
    struct digest digest = keep("a clip", "important");
    struct catalog_blob before = cellar_row(&cellar, &digest);
    (void)state;
    assert_int_equal(say(&digest, &EXPORT, &OFFICER), 0);
    assert_true(cellar.house.group.has_alarm);
    ends_done(cellar.house.loop, cellar.house.ends[HOUSE_READER], &cellar.house.heard, 9,
              0);
    assert_int_equal(ends_number(&cellar.house.heard.frame.fields, TAG_SEQ),
                     cellar.house.fixture.journal->size - 1);
    struct catalog_blob after = cellar_row(&cellar, &digest);
    assert_int_equal(after.class, before.class);
    assert_int_equal(after.until_us, before.until_us);
    assert_int_equal(cellar_events(&cellar, "evidence.exported"), 1);
}

static int64_t count_chained(void)
{
    return fixture_ask(
        &cellar.house.fixture,
        "SELECT count(*) FROM event e JOIN event p ON p.seq = json_extract(CAST(e.body "
        "AS "
        "TEXT), '$.data.previous') WHERE json_extract(CAST(p.body AS TEXT), "
        "'$.data.sha256') = json_extract(CAST(e.body AS TEXT), '$.data.sha256')");
}

static void each_event_names_the_one_before(void **state)
{
    struct digest one = keep("a clip", "ordinary"), two = keep("another", "case");
    (void)state;
    ask(&one, &TO_CASE, &OFFICER, 0);
    ask(&two, &EXPORT, &OFFICER, 0);
    assert_int_equal(count_chained(), 0); /* the first has none before it */
    ask(&one, &RELEASE, &OFFICER, 0);
    ask(&two, &EXPORT, &OFFICER, 0);
    blobs_damaged(&cellar.blobs, &one, "changed");
    group_commit(&cellar.house.group);
    assert_int_equal(count_chained(), 3);
}

/* Committed together, each has its own sequence all the same. */
static void two_in_one_group_are_told_apart(void **state)
{
    struct digest digest = keep("a clip", "case");
    struct heard *heard = &cellar.house.heard;
    int end = cellar.house.ends[HOUSE_READER];
    int64_t seq[2];
    (void)state;
    assert_int_equal(say(&digest, &EXPORT, &OFFICER), 0);
    assert_int_equal(say(&digest, &EXPORT, &OFFICER), 0);
    for (int i = 0; i < 2; i++) {
        ends_done(cellar.house.loop, end, heard, 9, 0);
        seq[i] = ends_number(&heard->frame.fields, TAG_SEQ);
    }
    assert_int_equal(seq[1], seq[0] + 1);
    assert_int_equal(seq[1], cellar.house.fixture.journal->size - 1);
    assert_int_equal(count_chained(), 1);
}

static void a_chain_is_undone_with_its_event_and_ends_with_the_file(void **state)
{
    struct digest digest = keep("a clip", "ordinary");
    struct catalog_blob row;
    (void)state;
    ask(&digest, &TO_CASE, &OFFICER, 0);
    assert_int_equal(say(&digest, &RELEASE, &OFFICER), 0);
    group_fail(&cellar.house.group, -ENOSPC);
    ends_expect(cellar.house.loop, cellar.house.ends[HOUSE_READER], &cellar.house.heard,
                TALK_DONE, 9);
    ask(&digest, &RELEASE, &OFFICER, 0);
    assert_int_equal(count_chained(), 1);
    row = cellar_row(&cellar, &digest);
    struct catalog_blob gone = row;
    gone.is_released = true;
    assert_int_equal(
        blobs_change(&cellar.blobs, &row, &gone, "blob.released", "\"reason\":\"room\""),
        0);
    cellar_erase(&cellar);
    assert_false(cellar_has_row(&cellar, &digest));
    digest = keep("a clip", "ordinary");
    ask(&digest, &TO_CASE, &OFFICER, 0);
    assert_int_equal(count_chained(), 2);
}

static void only_officers_decide(void **state)
{
    struct digest digest = keep("a clip", "ordinary");
    const struct request *all[] = {&TO_CASE, &RELEASE, &EXPORT};
    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        ask(&digest, all[i], &TECHNICIAN, -EPERM);
    assert_int_equal(cellar_row(&cellar, &digest).class, CLASS_ORDINARY);
}

static void what_is_not_there_or_no_evidence_is_refused(void **state)
{
    struct digest picture = keep("a face", "picture"), unknown = {{1}};
    struct request wrong = EXPORT;
    (void)state;
    ask(&unknown, &TO_CASE, &OFFICER, -ENOENT);
    ask(&picture, &EXPORT, &OFFICER, -EINVAL);
    ask(&picture, &TO_CASE, &OFFICER, 0);
    ask(&picture, &EXPORT, &OFFICER, 0);
    wrong.manifest = "00";
    ask(&picture, &wrong, &OFFICER, -EINVAL);
}

static void a_mark_must_be_one(void **state)
{
    struct digest digest = keep("a clip", "ordinary");
    struct request wrong = TO_IMPORTANT;
    (void)state;
    wrong.class = "ordinary";
    ask(&digest, &wrong, &OFFICER, -EINVAL);
    wrong.class = NULL;
    ask(&digest, &wrong, &OFFICER, -EINVAL);
    wrong = TO_IMPORTANT;
    wrong.keep_ms = -1;
    ask(&digest, &wrong, &OFFICER, -EINVAL);
    wrong.keep_ms = COMMIT_KEEP_MAX_MS + 1;
    assert_int_equal(say(&digest, &wrong, &OFFICER), -EPROTO);
    wrong.keep_ms = INT64_MAX;
    assert_int_equal(say(&digest, &wrong, &OFFICER), -EPROTO);
    assert_int_equal(cellar_events(&cellar, "evidence.marked"), 0);
}

static void a_reason_is_one_line_with_an_end(void **state)
{
    struct digest digest = keep("a clip", "ordinary");
    struct request wrong = TO_CASE;
    char longest[CUSTODY_REASON_MAX + 2];
    (void)state;
    memset(longest, 'x', sizeof(longest));
    longest[CUSTODY_REASON_MAX + 1] = '\0';
    const char *none[] = {NULL, "", "two\nlines", longest};
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        wrong.reason = none[i];
        assert_int_equal(say(&digest, &wrong, &OFFICER), -EPROTO);
    }
    wrong.reason = longest + 1;
    ask(&digest, &wrong, &OFFICER, 0);
    wrong.type = "burn";
    assert_int_equal(say(&digest, &wrong, &OFFICER), -EPROTO);
}

/* An adopted file is kept for ever; a mark tells what it is, and that stays so. */
static void what_nobody_knew_stays_for_ever(void **state)
{
    struct digest digest = keep("a clip", "ordinary");
    struct catalog_blob row = cellar_row(&cellar, &digest);
    (void)state;
    blobs_add_up(&cellar.blobs, &row, -1);
    row.class = CATALOG_UNKNOWN;
    row.keep_ms = row.until_us = -1;
    blobs_add_up(&cellar.blobs, &row, 1);
    assert_int_equal(group_enter(&cellar.house.group), 0);
    assert_int_equal(catalog_put(cellar.house.fixture.journal->store, &row), 0);
    ask(&digest, &TO_IMPORTANT, &OFFICER, 0);
    row = cellar_row(&cellar, &digest);
    assert_int_equal(row.class, CLASS_IMPORTANT);
    assert_int_equal(row.until_us, -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_mark_raises_class_and_time),
        TEST(a_case_holds_until_an_officer_releases_it),
        TEST(an_export_changes_no_row_and_waits_for_its_checkpoint),
        TEST(each_event_names_the_one_before),
        TEST(two_in_one_group_are_told_apart),
        TEST(a_chain_is_undone_with_its_event_and_ends_with_the_file),
        TEST(only_officers_decide),
        TEST(what_is_not_there_or_no_evidence_is_refused),
        TEST(a_mark_must_be_one),
        TEST(a_reason_is_one_line_with_an_end),
        TEST(what_nobody_knew_stays_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
