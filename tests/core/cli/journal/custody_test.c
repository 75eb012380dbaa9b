/* The table of blobs may not say less than the events: every column, and every way to say nothing. */
#include "cli/journal/custody.h"

#include <errno.h>
#include <fcntl.h>

#include "cli/fixture.h"

#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* A journal in memory, and what is found of it. */
struct office {
    struct archive archive;
    struct custody custody;
    struct finding finding;
    uint64_t next;
    int err;
    bool is_lossy;
};

static void begin(struct office *office)
{
    *office = (struct office){.next = 5};
    strcpy(office->archive.tail.office, "office-1");
    office->archive.tail.has_blobs = true;
    office->archive.tail.sealed = 1024;
}

static void end(struct office *office)
{
    custody_free(&office->custody);
    buffer_free(&office->archive.tail.blobs);
    buffer_free(&office->archive.tail.tiles);
}

/* The members of its data after the hash; the event's number. */
static uint64_t say(struct office *office, const char *source, const char *type,
                    const char *more)
{
    struct buffer text = {0};
    struct json *event = NULL;
    uint64_t seq = office->next++;
    buffer_printf(&text,
                  "{\"source\":\"/office-1/%s\",\"type\":\"%s\",\"data\":{\"sha256\":"
                  "\"" DIGITS "\"%s}}",
                  source, type, more);
    assert_int_equal(json_parse(&event, text.bytes, text.length), 0);
    if (office->err == 0)
        office->err = custody_take(&office->custody, &office->archive, seq, event,
                                   &office->finding);
    json_free(event);
    buffer_free(&text);
    return seq;
}

static uint64_t say_own(struct office *office, const char *type, const char *more)
{
    return say(office, "keeper/keeper", type, more);
}

static struct tail_blob row(void)
{
    struct tail_blob blob = {.size = 70000,
                             .class = CLASS_IMPORTANT,
                             .until_us = 1000,
                             .seq = 4,
                             .newest = -1,
                             .has_sm3 = true};
    hex_decode(blob.sha256.bytes, DIGEST_BYTES, DIGITS);
    hex_decode(blob.sm3.bytes, DIGEST_BYTES, DIGITS);
    return blob;
}

static int check(struct office *office, const struct tail_blob *blob)
{
    if (blob != NULL)
        buffer_append(&office->archive.tail.blobs, blob, sizeof(*blob));
    return office->err ? office->err
                       : custody_check(&office->custody, &office->archive,
                                       office->is_lossy, &office->finding);
}

static void expect_ok(struct office *office, const struct tail_blob *blob)
{
    if (check(office, blob) != 0)
        fail_msg("found: %s: %s", office->finding.place, office->finding.what);
    end(office);
}

static void expect_bad(struct office *office, const struct tail_blob *blob,
                       const char *place, const char *what)
{
    assert_int_equal(check(office, blob), -EBADMSG);
    if (strstr(office->finding.place, place) == NULL ||
        strstr(office->finding.what, what) == NULL)
        fail_msg("found: %s: %s", office->finding.place, office->finding.what);
    end(office);
}

static void record(struct office *office)
{
    begin(office);
    say(office, "bodycam-dock/dock", "evidence.recorded",
        ",\"size\":70000,\"sm3\":\"" DIGITS "\"");
}

/* A life: recorded, marked until 1970-01-01T00:00:01Z, viewed, at the city. */
static void live(struct office *office)
{
    record(office);
    say_own(office, "evidence.marked",
            ",\"class\":\"important\",\"until\":\"1970-01-01T00:00:01Z\"");
    say_own(office, "evidence.viewed", ",\"class\":\"important\",\"previous\":6");
    say_own(office, "evidence.uploaded", ",\"class\":\"important\",\"previous\":7");
}

static struct tail_blob lived(void)
{
    struct tail_blob blob = row();
    blob.until_us = 1000000;
    blob.newest = 8;
    blob.uploaded_us = 1;
    return blob;
}

static void rows_that_say_what_the_events_say_are_good(void **state)
{
    struct office office;
    struct tail_blob blob = row();
    (void)state;
    record(&office);
    expect_ok(&office, &blob);
    live(&office);
    blob = lived();
    expect_ok(&office, &blob);
}

static void more_than_the_events_say_is_a_plugins_right(void **state)
{
    struct office office;
    struct tail_blob blob = lived();
    (void)state;
    blob.class = CLASS_CASE;
    blob.until_us = -1;
    live(&office);
    expect_ok(&office, &blob);
}

static void each_column_that_says_less_or_otherwise_is_named(void **state)
{
    static const char *const WHAT[] = {
        "size of", "SM3 of",          "class of",     "until of",
        "custody", "not at the city", "has released", "came with event 4711"};
    struct office office;
    (void)state;
    for (int i = 0; i < (int)countof(WHAT); i++) {
        struct tail_blob blob = lived();
        blob.size -= i == 0;
        blob.sm3.bytes[0] ^= i == 1;
        blob.class -= i == 2;
        blob.until_us -= i == 3;
        blob.newest -= i == 4;
        blob.uploaded_us = i == 5 ? 0 : blob.uploaded_us;
        blob.is_released = i == 6;
        blob.seq = i == 7 ? 4711 : blob.seq;
        live(&office);
        expect_bad(&office, &blob, "tail.db", WHAT[i]);
    }
}

static void an_upload_that_no_event_tells_of_is_named(void **state)
{
    struct office office;
    struct tail_blob blob = row();
    (void)state;
    blob.uploaded_us = 1;
    record(&office);
    expect_bad(&office, &blob, "tail.db", "no event says so");
}

static void a_row_that_is_gone_is_named(void **state)
{
    struct office office;
    (void)state;
    record(&office);
    expect_bad(&office, NULL, "tail.db", "no row of " DIGITS);
    live(&office);
    say_own(&office, "blob.released",
            ",\"class\":\"important\",\"previous\":8,\"reason\":\"room\"");
    expect_ok(&office, NULL);
}

static void what_a_case_holds_has_no_end_before_its_release(void **state)
{
    struct office office;
    struct tail_blob blob = row();
    (void)state;
    for (int released = 0; released < 2; released++) {
        record(&office);
        say_own(&office, "evidence.marked", ",\"class\":\"case\"");
        if (released)
            say_own(&office, "evidence.released",
                    ",\"class\":\"important\",\"previous\":6,"
                    "\"until\":\"1970-01-01T00:00:00.001Z\"");
        blob.newest = released ? 7 : 6;
        blob.class = released ? CLASS_IMPORTANT : CLASS_CASE;
        if (released)
            expect_ok(&office, &blob);
        else
            expect_bad(&office, &blob, "tail.db", "until of");
    }
}

static void an_event_that_passes_over_another_is_named(void **state)
{
    struct office office;
    (void)state;
    live(&office);
    say_own(&office, "evidence.viewed", ",\"class\":\"important\",\"previous\":7");
    expect_bad(&office, NULL, "event 9 (evidence.viewed)", "names event 7");
    live(&office);
    say_own(&office, "evidence.viewed", ",\"class\":\"important\"");
    expect_bad(&office, NULL, "event 9 (evidence.viewed)", "names event -1");
}

static void what_is_lost_is_not_asked_for(void **state)
{
    struct office office;
    struct tail_tile tile = {.lanes = {[3] = TAIL_ERASED}};
    struct tail_blob blob = row();
    (void)state;
    record(&office);
    buffer_append(&office.archive.tail.tiles, &tile, sizeof(tile));
    say_own(&office, "evidence.viewed", ",\"class\":\"important\",\"previous\":3");
    office.is_lossy = true;
    blob.newest = 6;
    blob.uploaded_us = 1;
    expect_ok(&office, &blob);
    record(&office);
    office.is_lossy = true;
    expect_ok(&office, NULL);
}

static void what_is_stored_again_after_a_release_begins_anew(void **state)
{
    struct office office;
    struct tail_blob blob = row();
    (void)state;
    live(&office);
    say_own(&office, "blob.released", ",\"class\":\"important\",\"previous\":8");
    say(&office, "bodycam-dock/dock", "evidence.recorded", ",\"size\":70000");
    say_own(&office, "evidence.viewed", ",\"class\":\"ordinary\"");
    blob.class = CLASS_ORDINARY;
    blob.newest = 11;
    expect_ok(&office, &blob);
}

static void pictures_have_no_chain(void **state)
{
    struct office office;
    struct tail_blob blob = row();
    (void)state;
    begin(&office);
    say_own(&office, "blob.viewed", ",\"class\":\"picture\"");
    say_own(&office, "blob.viewed", ",\"class\":\"picture\"");
    blob.class = CLASS_PICTURE;
    expect_ok(&office, &blob);
}

static void a_journal_of_before_there_were_blobs_is_asked_nothing(void **state)
{
    struct office office;
    (void)state;
    record(&office);
    office.archive.tail.has_blobs = false;
    expect_ok(&office, NULL);
}

static void many_files_are_kept_apart(void **state)
{
    struct office office;
    struct json *event = NULL;
    (void)state;
    begin(&office);
    for (unsigned i = 0; i < 1000; i++) {
        struct tail_blob blob = row();
        char text[256];
        snprintf(text, sizeof(text),
                 "{\"source\":\"/office-1/x/y\",\"type\":\"evidence.recorded\","
                 "\"data\":{\"sha256\":\"%060x%04x\",\"size\":%u}}",
                 0, i, i);
        assert_int_equal(json_parse(&event, text, strlen(text)), 0);
        assert_int_equal(
            custody_take(&office.custody, &office.archive, i, event, &office.finding), 0);
        json_free(event);
        memset(&blob.sha256, 0, sizeof(blob.sha256));
        blob.sha256.bytes[DIGEST_BYTES - 2] = (uint8_t)(i >> 8);
        blob.sha256.bytes[DIGEST_BYTES - 1] = (uint8_t)i;
        blob.size = i + (i == 700);
        blob.has_sm3 = false;
        buffer_append(&office.archive.tail.blobs, &blob, sizeof(blob));
    }
    expect_bad(&office, NULL, "tail.db", "02bc is 701, event 700 says 700");
}

/* ---- Files */

static void lay(const char *folder, const char *name)
{
    char command[300];
    snprintf(command, sizeof(command), "mkdir -p $(dirname %s/%s) && : > %s/%s", folder,
             name, folder, name);
    assert_int_equal(system(command), 0);
}

static void a_file_that_is_gone_is_named(void **state)
{
    const struct fixture *f = *state;
    struct office office;
    struct tail_blob blob = row();
    static const char NAME[] = "blobs/00/112233445566778899aabbccddeeff"
                               "00112233445566778899aabbccddeeff";
    record(&office);
    snprintf(office.archive.folder, ARCHIVE_PATH_MAX, "%s/journal", f->folder);
    expect_ok(&office, &blob); /* a copy of the journal alone */
    lay(f->folder, "blobs/old/x");
    record(&office);
    snprintf(office.archive.folder, ARCHIVE_PATH_MAX, "%s/journal", f->folder);
    expect_bad(&office, &blob, NAME, "missing");
    record(&office);
    snprintf(office.archive.folder, ARCHIVE_PATH_MAX, "%s/damaged-1", f->folder);
    expect_ok(&office, &blob);
    blob.is_damaged = true; /* that was told */
    record(&office);
    snprintf(office.archive.folder, ARCHIVE_PATH_MAX, "%s/journal", f->folder);
    expect_ok(&office, &blob);
    blob.is_damaged = false;
    lay(f->folder, "blobs/new/" DIGITS ".7"); /* cut before it was put in its place */
    record(&office);
    snprintf(office.archive.folder, ARCHIVE_PATH_MAX, "%s/journal", f->folder);
    expect_ok(&office, &blob);
}

int main(void)
{
#define FILES(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_say_what_the_events_say_are_good),
        cmocka_unit_test(more_than_the_events_say_is_a_plugins_right),
        cmocka_unit_test(each_column_that_says_less_or_otherwise_is_named),
        cmocka_unit_test(an_upload_that_no_event_tells_of_is_named),
        cmocka_unit_test(a_row_that_is_gone_is_named),
        cmocka_unit_test(what_a_case_holds_has_no_end_before_its_release),
        cmocka_unit_test(an_event_that_passes_over_another_is_named),
        cmocka_unit_test(what_is_lost_is_not_asked_for),
        cmocka_unit_test(what_is_stored_again_after_a_release_begins_anew),
        cmocka_unit_test(pictures_have_no_chain),
        cmocka_unit_test(a_journal_of_before_there_were_blobs_is_asked_nothing),
        cmocka_unit_test(many_files_are_kept_apart),
        FILES(a_file_that_is_gone_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
