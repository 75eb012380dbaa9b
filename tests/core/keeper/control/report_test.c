/* What `outpost status` is told of the children. */
#include "keeper/control/report.h"

#include "keeper/fixture.h"
#include "keeper/keeper.h"

static void expect_children(const struct json *children)
{
    const struct json *uplink = json_first(children);
    const struct json *host = json_next(uplink);
    assert_string_equal(json_text(uplink, "name"), "uplink");
    assert_string_equal(json_text(uplink, "state"), "quarantined");
    assert_string_equal(json_text(uplink, "last_exit"), "signal 11");
    assert_int_equal(json_number(uplink, "deaths", -1), 3);
    assert_string_equal(json_text(host, "plugin"), "band");
    assert_string_equal(json_text(host, "version"), "5f");
    assert_string_equal(json_text(host, "update"), "returned");
    assert_string_equal(json_text(host, "state"), "running");
    assert_int_equal(json_number(host, "pid", -1), 4711);
    assert_int_equal(json_number(host, "held_ms", -1), 17);
    assert_int_equal(json_number(uplink, "held_ms", -1), -1);
    assert_string_equal(json_text(json_get(host, "health"), "words"), "a \"b\"");
    assert_null(json_next(host)); /* the third place is free */
}

static void each_child_says_its_state_its_end_and_its_health(void **state)
{
    static struct keeper keeper;
    struct fixture fixture;
    struct version version = {.plugin = {.plugin = "band", .instance = "gate"},
                              .id = "5f"};
    struct buffer text = {0};
    struct json *json, *health;
    (void)state;
    fixture_open(&fixture);
    keeper = (struct keeper){
        .journal = fixture.journal,
        .storage = {.journal = fixture.journal,
                    .quota = {1000, 100},
                    .used = -1,
                    .is_disk_full = true},
        .salvage = {.folders = 2, .job.folder = "journal-damaged-x"},
        .scrub = {.journal = fixture.journal, .next = 7},
        .reload.accepted = {.marks = {{"gate", "60", false}}, .mark_count = 1},
        .supervisor.count = 3};
    struct child *child = keeper.supervisor.child;
    assert_int_equal(json_parse(&health, "{\"words\":\"a \\\"b\\\"\"}", 19), 0);
    child[0] = (struct child){.supervisor = &keeper.supervisor,
                              .peer = {.name = "uplink", .role = PEER_UPLINK},
                              .restart = {.count = 3, .in_quarantine = true},
                              .last_exit = "signal 11"};
    child[1] = (struct child){.supervisor = &keeper.supervisor,
                              .version = &version,
                              .plugin = &version.plugin,
                              .peer = {.name = "gate",
                                       .role = PEER_HOST,
                                       .is_ready = true,
                                       .health = health,
                                       .held_ms = 17},
                              .pid = 4711};
    report_print(&keeper, &text);
    assert_int_equal(json_parse(&json, text.bytes, text.length), 0);
    const struct json *storage = json_get(json, "storage");
    assert_int_equal(json_number(storage, "quota", -1), 1000);
    assert_int_equal(json_number(storage, "days_left", 0), -1);
    assert_string_equal(json_text(storage, "full"), "disk");
    const struct json *salvage = json_get(json, "salvage");
    assert_int_equal(json_number(salvage, "aside", -1), 2);
    assert_string_equal(json_text(salvage, "folder"), "journal-damaged-x");
    assert_int_equal(json_number(json_get(json, "scrub"), "tile", -1), 7);
    assert_null(json_text(json, "key"));
    expect_children(json_get(json, "children"));
    json_free(json);
    json_free(health);
    buffer_free(&text);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_child_says_its_state_its_end_and_its_health),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
