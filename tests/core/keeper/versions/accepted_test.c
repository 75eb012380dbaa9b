/* What is kept of what runs, and that it comes back. */
#include "keeper/versions/accepted.h"

#include "base/now.h"

#include "keeper/fixture.h"

static char folder[200];
static struct config *config;
static struct accepted accepted;

static const char TEXT[] =
    "{\"office\":{\"id\":\"o\"},\"city\":{\"verifier\":\"/v\",\"url\":\"mqtt://h\"},"
    "\"lua\":\"/lua\",\"refused\":{\"file\":\"x\"},\"plugins\":["
    "{\"plugin\":\"band\",\"instance\":\"gate\",\"folder\":\"/"
    "band\",\"config\":{\"a\":1}},"
    "{\"plugin\":\"band\",\"instance\":\"hall\",\"folder\":\"/"
    "band\",\"config\":{\"a\":2}}]}";

static int start(void **state)
{
    (void)state;
    fixture_folder(folder, sizeof(folder));
    assert_int_equal(config_open(&config, TEXT, strlen(TEXT)), 0);
    accepted_open(&accepted, folder, "o");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    accepted_close(&accepted);
    config_close(config);
    fixture_remove(folder);
    return 0;
}

/* A version of an instance whose code lies in versions/CODE/band. */
static struct version *make(size_t instance, const char *code)
{
    struct version *version;
    char path[100];
    snprintf(path, sizeof(path), "versions/%s/band", code);
    assert_int_equal(version_open(&version, &config->plugins[instance], "o", path,
                                  "versions/l/lua", folder),
                     0);
    return version;
}

static void put(size_t instance, const char *code)
{
    struct version *version = make(instance, code);
    assert_int_equal(accepted_put(&accepted, version), 0);
    version_drop(version);
}

static void come_back(void)
{
    assert_int_equal(accepted_save(&accepted, config), 0);
    accepted_close(&accepted);
    accepted_open(&accepted, folder, "o");
}

static void expect_code(const char *instance, const char *code)
{
    char path[400];
    const struct version *version = accepted_find(&accepted, instance);
    snprintf(path, sizeof(path), "%s/versions/%s/band", folder, code);
    assert_non_null(version);
    assert_string_equal(json_text(version->start, "folder"), path);
}

static void at_first_there_is_nothing(void **state)
{
    (void)state;
    assert_null(accepted_find(&accepted, "gate"));
    assert_null(accepted_mark_of(&accepted, "gate"));
}

static void expect_former(const char *instance, const char *code)
{
    char path[400];
    const struct version *version = accepted_former(&accepted, instance);
    snprintf(path, sizeof(path), "%s/versions/%s/band", folder, code);
    assert_non_null(version);
    assert_string_equal(json_text(version->start, "folder"), path);
}

static void what_was_accepted_before_is_kept_for_a_day(void **state)
{
    (void)state;
    put(0, "a");
    assert_null(accepted_former(&accepted, "gate"));
    put(0, "b");
    put(0, "b"); /* the same again is no other */
    put(1, "a");
    come_back();
    expect_former("gate", "a");
    assert_null(accepted_former(&accepted, "hall"));
    accepted.formers[0].until_us = now_utc_us() - 1;
    assert_null(accepted_former(&accepted, "gate"));
    come_back();
    assert_int_equal(accepted.former_count, 0);
}

static void one_goes_back_to_it_once(void **state)
{
    (void)state;
    put(0, "a");
    put(0, "b");
    accepted_go_back(&accepted, "gate");
    come_back();
    expect_code("gate", "a");
    assert_null(accepted_former(&accepted, "gate"));
    struct version *bad = make(0, "b");
    assert_string_equal(accepted_mark_of(&accepted, "gate")->version, bad->id);
    assert_false(accepted_mark_of(&accepted, "gate")->on_trial);
    version_drop(bad);
}

static void with_the_instance_its_former_version_goes(void **state)
{
    (void)state;
    put(0, "a");
    put(0, "b");
    accepted_remove(&accepted, "gate");
    assert_null(accepted_former(&accepted, "gate"));
}

static void versions_come_back_as_they_were(void **state)
{
    char id[SNAPSHOT_HASH_ROOM];
    (void)state;
    put(0, "aa");
    put(1, "bb");
    put(0, "cc"); /* in the place of aa */
    strcpy(id, accepted_find(&accepted, "gate")->id);
    come_back();
    assert_int_equal(accepted.count, 2);
    expect_code("gate", "cc");
    expect_code("hall", "bb");
    assert_string_equal(accepted_find(&accepted, "gate")->id, id);
    accepted_remove(&accepted, "gate");
    come_back();
    assert_null(accepted_find(&accepted, "gate"));
    expect_code("hall", "bb");
}

static void a_mark_stays_until_its_instance_has_another_version(void **state)
{
    struct version *trial = make(0, "bad");
    (void)state;
    put(0, "aa");
    assert_int_equal(accepted_mark(&accepted, trial, true), 0);
    come_back();
    assert_true(accepted_mark_of(&accepted, "gate")->on_trial);
    assert_string_equal(accepted_mark_of(&accepted, "gate")->version, trial->id);
    assert_int_equal(accepted_mark(&accepted, trial, false), 0);
    come_back();
    assert_false(accepted_mark_of(&accepted, "gate")->on_trial);
    expect_code("gate", "aa");
    put(0, "cc");
    come_back();
    assert_null(accepted_mark_of(&accepted, "gate"));
    version_drop(trial);
}

/* `outpost run` hands it to a keeper when the office's file does not check. */
static void it_is_a_configuration_itself(void **state)
{
    struct buffer text = {0};
    struct config *kept;
    char path[300];
    (void)state;
    put(0, "aa");
    assert_int_equal(accepted_save(&accepted, config), 0);
    snprintf(path, sizeof(path), "%s/config.good", folder);
    assert_int_equal(file_read(&text, path, CONFIG_MAX), 0);
    assert_int_equal(config_open(&kept, text.bytes + 65, text.length - 65), 0);
    assert_int_equal(kept->plugin_count, 1);
    assert_true(kept->has_city);
    assert_null(json_get(kept->json, "refused"));
    assert_string_equal(json_text(kept->plugins[0].json, "folder"), "versions/aa/band");
    config_close(kept);
    buffer_free(&text);
}

static void one_that_was_changed_is_not_believed(void **state)
{
    char path[300];
    (void)state;
    put(0, "aa");
    assert_int_equal(accepted_save(&accepted, config), 0);
    snprintf(path, sizeof(path), "%s/config.good", folder);
    struct buffer text = {0};
    assert_int_equal(file_read(&text, path, CONFIG_MAX), 0);
    text.bytes[text.length - 3] ^= 1;
    assert_int_equal(file_put(path, text.bytes, text.length, 0600), 0);
    accepted_close(&accepted);
    accepted_open(&accepted, folder, "o");
    assert_int_equal(accepted.count, 0);
    buffer_free(&text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_was_accepted_before_is_kept_for_a_day),
        CASE(one_goes_back_to_it_once),
        CASE(with_the_instance_its_former_version_goes),
        CASE(at_first_there_is_nothing),
        CASE(versions_come_back_as_they_were),
        CASE(a_mark_stays_until_its_instance_has_another_version),
        CASE(it_is_a_configuration_itself),
        CASE(one_that_was_changed_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
