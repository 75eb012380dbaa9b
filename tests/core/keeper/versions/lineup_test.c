/* Which version of each instance a start runs. */
#include "keeper/versions/lineup.h"

#include "keeper/fixture.h"

static char folder[200];
static struct config *config;
static struct accepted accepted;
static struct lineup lineup;
static struct buffer told;

static const char *path_of(const char *below)
{
    static char path[512];
    assert_int_equal(file_join(path, sizeof(path), folder, below), 0);
    return path;
}

static void write_text(const char *below, const char *text)
{
    fixture_write(folder, below, text);
}

static int start(void **state)
{
    struct buffer text = {0};
    (void)state;
    fixture_folder(folder, sizeof(folder));
    write_text("lua/bits.lua", "return {}");
    write_text("band/plugin.lua", "return 1");
    buffer_printf(&text, "{\"office\":{\"id\":\"o\"},\"lua\":\"%s/lua\",\"plugins\":[",
                  folder);
    buffer_printf(&text,
                  "{\"plugin\":\"band\",\"instance\":\"gate\",\"folder\":\"%s/band\"},",
                  folder);
    buffer_printf(&text,
                  "{\"plugin\":\"band\",\"instance\":\"hall\",\"folder\":\"%s/band\"}]}",
                  folder);
    assert_int_equal(config_open(&config, text.bytes, text.length), 0);
    accepted_open(&accepted, folder, "o");
    buffer_free(&text);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lineup_close(&lineup);
    accepted_close(&accepted);
    config_close(config);
    buffer_free(&told);
    fixture_remove(folder);
    return 0;
}

static void line_up(void)
{
    struct buffer names = {0};
    assert_int_equal(lineup_snapshot(config, folder, &names), 0);
    assert_true(names.length <= LINEUP_NAMES_MAX);
    lineup_close(&lineup);
    assert_int_equal(lineup_open(&lineup, config, folder, &names), 0);
    buffer_free(&names);
}

static void kept(void *owner, const struct version *installed,
                 const struct version *instead, bool was_on_trial)
{
    (void)owner;
    assert_false(version_is(installed, instead));
    buffer_printf(&told, "%s%s ", installed->plugin.instance, was_on_trial ? "!" : "");
}

/* A start: the same, and config.good. */
static void begin(void)
{
    line_up();
    lineup_prefer(&lineup, &accepted, kept, NULL);
    assert_int_equal(accepted_save(&accepted, config), 0);
    lineup_prune(&accepted);
    accepted_close(&accepted);
    accepted_open(&accepted, folder, "o");
}

static void the_code_is_taken_once_for_all_who_use_it(void **state)
{
    (void)state;
    line_up();
    assert_int_equal(lineup.count, 2);
    const struct json *gate = lineup.versions[0]->start,
                      *hall = lineup.versions[1]->start;
    assert_string_equal(json_text(gate, "folder"), json_text(hall, "folder"));
    assert_true(file_exists(json_text(gate, "folder")));
    assert_true(file_exists(json_text(gate, "lua")));
    assert_false(version_is(lineup.versions[0], lineup.versions[1]));
}

static void what_is_installed_runs_and_is_accepted(void **state)
{
    (void)state;
    begin();
    write_text("band/plugin.lua", "return 2");
    begin();
    assert_true(version_is(accepted_find(&accepted, "gate"), lineup.versions[0]));
    assert_int_equal(told.length, 0);
}

static void what_was_on_trial_or_returned_from_does_not_run(void **state)
{
    struct version *before;
    (void)state;
    begin();
    before = version_hold(lineup.versions[0]);
    write_text("band/plugin.lua", "return 2");
    line_up();
    assert_int_equal(accepted_mark(&accepted, lineup.versions[0], true), 0);
    assert_int_equal(accepted_save(&accepted, config), 0);
    begin();
    assert_string_equal(buffer_text(&told), "gate! ");
    assert_true(version_is(lineup.versions[0], before));
    begin();
    assert_string_equal(buffer_text(&told), "gate! gate ");
    assert_true(version_is(accepted_find(&accepted, "gate"), before));
    write_text("band/plugin.lua", "return 3"); /* another one is not marked */
    begin();
    assert_string_equal(buffer_text(&told), "gate! gate ");
    assert_null(accepted_mark_of(&accepted, "gate"));
    version_drop(before);
}

static void the_last_good_configuration_takes_no_mark_away(void **state)
{
    (void)state;
    begin();
    write_text("band/plugin.lua", "return 2");
    line_up();
    assert_int_equal(accepted_mark(&accepted, lineup.versions[0], false), 0);
    write_text("band/plugin.lua",
               "return 1"); /* what was accepted, as config.good has it */
    line_up();
    lineup.is_last_good = true;
    lineup_prefer(&lineup, &accepted, kept, NULL);
    assert_non_null(accepted_mark_of(&accepted, "gate"));
    lineup.is_last_good = false; /* installed again: the mark has done its work */
    lineup_prefer(&lineup, &accepted, kept, NULL);
    assert_null(accepted_mark_of(&accepted, "gate"));
}

static void an_accepted_version_that_is_damaged_does_not_run(void **state)
{
    char path[600];
    (void)state;
    begin();
    snprintf(path, sizeof(path), "%s/plugin.lua",
             json_text(lineup.versions[0]->start, "folder"));
    write_text("band/plugin.lua", "return 2");
    line_up();
    assert_int_equal(accepted_mark(&accepted, lineup.versions[0], false), 0);
    assert_int_equal(file_put(path, "x", 1, 0600), 0);
    lineup_prefer(&lineup, &accepted, kept, NULL);
    assert_int_equal(told.length, 0);
    assert_true(version_is(accepted_find(&accepted, "gate"), lineup.versions[0]));
}

static void instances_that_are_gone_are_forgotten_with_their_snapshots(void **state)
{
    char path[600];
    (void)state;
    begin();
    strcpy(path, json_text(lineup.versions[0]->start, "folder"));
    config->plugin_count = 1;
    begin();
    assert_null(accepted_find(&accepted, "hall"));
    write_text("band/plugin.lua", "return 2");
    begin();
    assert_true(file_exists(path)); /* it was accepted before, and is kept for a day */
    accepted.formers[0].until_us = 1;
    lineup_prune(&accepted);
    assert_false(file_exists(path));
    assert_true(file_exists(json_text(lineup.versions[0]->start, "folder")));
    config->plugin_count = 2;
}

static void a_start_goes_on_with_code_that_cannot_be_kept(void **state)
{
    struct buffer names = {0};
    (void)state;
    fixture_remove(path_of("lua"));
    assert_int_equal(lineup_snapshot(config, folder, &names), -ENOENT);
    assert_non_null(strstr(buffer_text(&names), "/lua")); /* of what */
    buffer_clear(&names);
    lineup_snapshot_start(config, folder, &names);
    assert_int_equal(lineup_open(&lineup, config, folder, &names), 0);
    assert_string_equal(json_text(lineup.versions[0]->start, "lua"), path_of("lua"));
    buffer_free(&names);
}

static void names_that_do_not_fit_are_refused(void **state)
{
    struct buffer names = {0};
    (void)state;
    buffer_append(&names, "versions/a/band\0versions/b/lua", 30); /* cut */
    assert_int_equal(lineup_open(&lineup, config, folder, &names), -EPROTO);
    assert_int_equal(lineup.count, 0);
    buffer_free(&names);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_code_is_taken_once_for_all_who_use_it),
        CASE(what_is_installed_runs_and_is_accepted),
        CASE(what_was_on_trial_or_returned_from_does_not_run),
        CASE(the_last_good_configuration_takes_no_mark_away),
        CASE(an_accepted_version_that_is_damaged_does_not_run),
        CASE(instances_that_are_gone_are_forgotten_with_their_snapshots),
        CASE(a_start_goes_on_with_code_that_cannot_be_kept),
        CASE(names_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
