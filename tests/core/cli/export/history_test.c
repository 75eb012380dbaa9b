/* All events that name a file are found: sealed ones, those in the tail, and nothing else. */
#include "cli/export/history.h"

#include <errno.h>

#include "cli/fixture.h"

static const char SHA256[] =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static uint64_t put_named(struct fixture *f, const char *type)
{
    char data[128];
    snprintf(data, sizeof(data), "{\"sha256\":\"%s\"}", SHA256);
    return fixture_put(f, LANE_RECORD, "keeper/keeper", type, data);
}

static struct archive *open_archive(struct fixture *f, uint64_t sealed)
{
    struct archive *archive;
    struct finding finding = {.place = ""};
    fixture_save(f, sealed);
    assert_int_equal(archive_open(&archive, f->folder, &finding), 0);
    return archive;
}

static void they_are_found_in_bundles_and_in_the_tail(void **state)
{
    struct fixture *f = *state;
    struct history history = {.unread = 0};
    fixture_fill(f, 100);
    uint64_t first = put_named(f, "evidence.recorded");
    fixture_fill(f, 600);
    uint64_t second = put_named(f, "evidence.marked");
    struct archive *archive = open_archive(f, 512);
    assert_int_equal(history_gather(&history, archive, SHA256, 0), 0);
    assert_int_equal(history_count(&history), 2);
    assert_int_equal(history_at(&history, 0)->seq, first);
    assert_int_equal(history_at(&history, 1)->seq, second);
    const struct history_event *event = history_at(&history, 1);
    assert_int_equal(event->length, strlen(f->events[second].body));
    assert_memory_equal(history_body(&history, event), f->events[second].body,
                        event->length);
    assert_int_equal(history.unread, 0);
    history_free(&history);
    assert_int_equal(history_gather(&history, archive, SHA256, first + 1), 0);
    assert_int_equal(history_count(&history), 1);
    history_free(&history);
    archive_close(archive);
}

static void the_first_that_names_it_is_looked_for_so_far_and_no_further(void **state)
{
    struct fixture *f = *state;
    size_t length;
    fixture_fill(f, 300);
    uint64_t named = put_named(f, "evidence.recorded");
    put_named(f, "evidence.marked");
    struct archive *archive = open_archive(f, 256);
    const char *body = history_first(archive, SHA256, named - 2, 3, &length);
    assert_non_null(body);
    assert_int_equal(length, strlen(f->events[named].body));
    assert_memory_equal(body, f->events[named].body, length);
    assert_null(history_first(archive, SHA256, named - 2, 2, &length));
    assert_null(history_first(archive, SHA256, named + 2, 10, &length));
    assert_null(history_first(archive, SHA256, UINT64_MAX - 1, 10, &length));
    archive_close(archive);
}

static void what_is_erased_is_no_loss(void **state)
{
    struct fixture *f = *state;
    struct history history = {.unread = 0};
    put_named(f, "evidence.recorded");
    fixture_fill(f, 700);
    struct cover cover = fixture_telemetry(f, 0);
    fixture_erase(f, 0, &cover, "journal.thinned", "quota", "telemetry");
    struct archive *archive = open_archive(f, 512);
    assert_int_equal(history_gather(&history, archive, SHA256, 0), 0);
    assert_int_equal(history_count(&history), 1);
    assert_int_equal(history.unread, 0);
    history_free(&history);
    archive_close(archive);
}

static void what_cannot_be_read_is_counted(void **state)
{
    struct fixture *f = *state;
    struct history history = {.unread = 0};
    char path[200];
    fixture_fill(f, 300);
    put_named(f, "evidence.recorded");
    fixture_fill(f, 600);
    struct archive *archive = open_archive(f, 512);
    snprintf(path, sizeof(path), "%s/tile/entries/000", f->folder);
    assert_int_equal(truncate(path, 10), 0);
    assert_int_equal(history_gather(&history, archive, SHA256, 0), 0);
    assert_int_equal(history_count(&history), 1);
    assert_int_equal(history.unread, 256);
    history_free(&history);
    archive_close(archive);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(they_are_found_in_bundles_and_in_the_tail),
        TEST(the_first_that_names_it_is_looked_for_so_far_and_no_further),
        TEST(what_is_erased_is_no_loss),
        TEST(what_cannot_be_read_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
