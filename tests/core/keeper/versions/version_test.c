/* What makes two versions the same, and what one holds. */
#include "keeper/versions/version.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char CODE[] = "versions/aa/band", LIBRARY[] = "versions/bb/lua";

/* The version of the first instance of this configuration. */
static struct version *version_of(const char *item, const char *folder)
{
    struct config *config;
    struct buffer text = {0};
    struct version *version = NULL;
    buffer_printf(&text, "{\"office\":{\"id\":\"o\"},\"plugins\":[%s]}", item);
    assert_int_equal(config_open(&config, text.bytes, text.length), 0);
    assert_int_equal(
        version_open(&version, &config->plugins[0], "o", folder, LIBRARY, "/state"), 0);
    config_close(config);
    buffer_free(&text);
    return version;
}

static const char ONE[] =
    "{\"plugin\":\"band\",\"instance\":\"gate\",\"folder\":\"/installed\",\"needs\":[],"
    "\"config\":{\"a\":1,\"b\":{\"c\":2,\"d\":3}},\"events\":{\"band.seen\":\"record\"}}";
static const char SAME[] =
    "{\"events\":{\"band.seen\":\"record\"},\"config\":{\"b\":{\"d\":3,\"c\":2},\"a\":1},"
    "\"needs\":[],\"instance\":\"gate\",\"folder\":\"/elsewhere\",\"plugin\":\"band\"}";
static const char OTHER[] =
    "{\"plugin\":\"band\",\"instance\":\"gate\",\"needs\":[],\"state\":2,"
    "\"config\":{\"a\":1,\"b\":{\"c\":2,\"d\":4}},\"events\":{\"band.seen\":\"record\"}}";

static void it_outlives_the_configuration_it_came_from(void **state)
{
    struct version *version = version_of(ONE, CODE);
    (void)state;
    assert_string_equal(version->plugin.instance, "gate");
    assert_int_equal(config_lane(&version->plugin, "band.seen"), LANE_RECORD);
    assert_string_equal(json_text(version->start, "folder"), "/state/versions/aa/band");
    assert_string_equal(json_text(version->start, "lua"), "/state/versions/bb/lua");
    assert_string_equal(json_text(version->start, "office"), "o");
    assert_null(strstr(buffer_text(&version->kept), "/state"));
    assert_int_equal(strlen(version->id), SNAPSHOT_HASH_ROOM - 1);
    assert_int_equal(version->state, 0);
    version_drop(version);
}

static void settings_in_another_order_are_the_same_version(void **state)
{
    struct version *one = version_of(ONE, CODE), *same = version_of(SAME, CODE);
    (void)state;
    assert_true(version_is(one, same));
    version_drop(one);
    version_drop(same);
}

static void another_setting_or_other_code_is_another_version(void **state)
{
    struct version *one = version_of(ONE, CODE), *other = version_of(OTHER, CODE);
    struct version *code = version_of(ONE, "versions/cc/band");
    (void)state;
    assert_false(version_is(one, other));
    assert_false(version_is(one, code));
    assert_false(version_is(one, NULL));
    assert_true(version_is(NULL, NULL));
    assert_int_equal(other->state, 2);
    version_drop(one);
    version_drop(other);
    version_drop(code);
}

static void code_that_could_not_be_kept_is_used_where_it_is(void **state)
{
    struct version *version = version_of(ONE, "/installed/band");
    (void)state;
    assert_string_equal(json_text(version->start, "folder"), "/installed/band");
    version_drop(version);
}

static void it_goes_when_nobody_holds_it(void **state)
{
    struct version *version = version_of(ONE, CODE);
    (void)state;
    assert_ptr_equal(version_hold(version), version);
    version_drop(version);
    assert_string_equal(version->plugin.instance, "gate");
    version_drop(version);
    assert_null(version_hold(NULL));
    version_drop(NULL);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    char *path = malloc(PATH_MAX + 8);
    struct config_plugin plugin = {.json = NULL};
    struct version *version = NULL;
    (void)state;
    memset(path, 'x', PATH_MAX + 7);
    path[PATH_MAX + 7] = '\0';
    assert_int_equal(version_open(&version, &plugin, "o", path, LIBRARY, "/state"),
                     -ENAMETOOLONG);
    path[0] = '/';
    assert_int_equal(version_open(&version, &plugin, "o", CODE, path, "/state"),
                     -ENAMETOOLONG);
    assert_null(version);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_outlives_the_configuration_it_came_from),
        cmocka_unit_test(settings_in_another_order_are_the_same_version),
        cmocka_unit_test(another_setting_or_other_code_is_another_version),
        cmocka_unit_test(code_that_could_not_be_kept_is_used_where_it_is),
        cmocka_unit_test(it_goes_when_nobody_holds_it),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
