/* The configuration as it is handed down, and what is wrong with one. */
#include "keeper/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static const char GOOD[] =
    "{\"office\":{\"id\":\"350105-003\",\"suite\":\"sm3+sm2\"},\"lua\":\"/lua\","
    "\"city\":{\"url\":\"mqtt://h\",\"verifier\":\"/etc/city.pub\"},\"plugins\":["
    "{\"plugin\":\"band\",\"instance\":\"gate\",\"needs\":[\"modbus\"],"
    "\"config\":{\"every\":250},\"events\":{\"band.opened\":\"alarm\","
    "\"pulse.read\":\"telemetry\"}},{\"plugin\":\"band\",\"instance\":\"hall\"}]}";

static int open_text(struct config **config, const char *text)
{
    return config_open(config, text, strlen(text));
}

static void all_that_is_needed_is_taken(void **state)
{
    struct config *config;
    (void)state;
    assert_int_equal(open_text(&config, GOOD), 0);
    assert_string_equal(config->office, "350105-003");
    assert_string_equal(config->suite, "sm3+sm2");
    assert_true(config->has_city);
    assert_string_equal(config->verifier, "/etc/city.pub");
    assert_int_equal(config->plugin_count, 2);
    assert_int_equal(config_lane(&config->plugins[0], "band.opened"), LANE_ALARM);
    assert_int_equal(config_lane(&config->plugins[0], "pulse.read"), LANE_TELEMETRY);
    assert_int_equal(config_lane(&config->plugins[0], "pulse"), -1);
    assert_int_equal(config_lane(&config->plugins[1], "band.opened"), -1);
    config_close(config);
}

static void what_is_left_out_has_its_default(void **state)
{
    struct config *config;
    (void)state;
    assert_int_equal(open_text(&config, "{\"office\":{\"id\":\"o\"}}"), 0);
    assert_string_equal(config->suite, "sha256+ed25519");
    assert_false(config->has_city);
    assert_int_equal(config->plugin_count, 0);
    assert_int_equal(config->quota, 4LL << 30);
    assert_int_equal(config->reserve, 64 << 20);
    assert_int_equal(config->keep_ms, 7 * 24 * 3600 * 1000);
    config_close(config);
}

static int open_storage(struct config **config, const char *storage)
{
    char text[256];
    snprintf(text, sizeof(text), "{\"office\":{\"id\":\"o\"},\"storage\":%s}", storage);
    return open_text(config, text);
}

static void the_room_for_the_journal_has_its_bounds(void **state)
{
    static const char *const WRONG[] = {"{\"quota\":67108863}", "{\"reserve\":8388607}",
                                        "{\"quota\":67108864,\"reserve\":16777217}",
                                        "{\"keep\":{\"telemetry\":-1}}"};
    struct config *config;
    (void)state;
    assert_int_equal(open_storage(&config, "{\"quota\":67108864,\"reserve\":16777216,"
                                           "\"keep\":{\"telemetry\":1000}}"),
                     0);
    assert_int_equal(config->quota, 67108864);
    assert_int_equal(config->reserve, 16777216);
    assert_int_equal(config->keep_ms, 1000);
    config_close(config);
    for (size_t i = 0; i < countof(WRONG); i++)
        assert_int_equal(open_storage(&config, WRONG[i]), -EPROTO);
}

static void what_a_plugin_may_say_has_its_bounds(void **state)
{
    static const char *const WRONG[] = {"{\"messages\":199}", "{\"messages\":1000001}",
                                        "{\"bytes\":65535}", "{\"bytes\":1073741825}"};
    struct config *config;
    char text[256];
    (void)state;
    assert_int_equal(open_text(&config, "{\"office\":{\"id\":\"o\"}}"), 0);
    assert_int_equal(config->rate.messages, 2000);
    assert_int_equal(config->rate.bytes, 2 << 20);
    config_close(config);
    for (size_t i = 0; i < countof(WRONG); i++) {
        snprintf(text, sizeof(text), "{\"office\":{\"id\":\"o\"},\"limits\":%s}",
                 WRONG[i]);
        assert_int_equal(open_text(&config, text), -EPROTO);
    }
}

static void a_host_is_told_of_its_own_instance_only(void **state)
{
    struct config *config;
    struct json *json;
    struct buffer out = {0};
    (void)state;
    assert_int_equal(open_text(&config, GOOD), 0);
    config_print_plugin(&config->plugins[0], config->office, "/band", "/lua", &out);
    assert_int_equal(json_parse(&json, out.bytes, out.length), 0);
    assert_string_equal(json_text(json, "office"), "350105-003");
    assert_string_equal(json_text(json, "lua"), "/lua");
    assert_string_equal(json_text(json, "instance"), "gate");
    assert_int_equal(json_number(json_get(json, "config"), "every", 0), 250);
    assert_string_equal(json_value(json_first(json_get(json, "needs"))), "modbus");
    assert_null(strstr(buffer_text(&out), "hall"));
    assert_null(strstr(buffer_text(&out), "mqtt"));
    json_free(json);
    buffer_free(&out);
    config_close(config);
}

#define OFFICE "{\"office\":{\"id\":\"o\"},"

static void what_is_not_as_agreed_is_refused(void **state)
{
    static const char *const BAD[] = {
        "",
        "[]",
        "{}",
        "{\"office\":{\"id\":\"a/b\"}}",
        "{\"office\":{\"id\":\"\"}}",
        "{\"office\":{\"id\":\"o\",\"suite\":\"0123456789012345678901234567890123456\"}}",
        OFFICE "\"city\":{}}",
        OFFICE "\"courier\":{\"select\":[\"case\"]}}",
        OFFICE "\"city\":{\"verifier\":\"/v\"},\"courier\":{\"select\":[\"all\"]}}",
        OFFICE "\"plugins\":[{\"plugin\":\"courier\",\"instance\":\"i\"}]}",
        OFFICE "\"plugins\":[{\"plugin\":\"p\",\"instance\":\"courier\"}]}",
        OFFICE "\"plugins\":[{\"plugin\":\"p\",\"instance\":\"i\",\"events\":{"
               "\"evidence.uploaded\":\"record\"}}]}",
        OFFICE "\"plugins\":[1]}",
        OFFICE "\"plugins\":[{\"plugin\":\"p\"}]}",
        OFFICE "\"plugins\":[{\"plugin\":\"p\",\"instance\":\"i\"},"
               "{\"plugin\":\"q\",\"instance\":\"i\"}]}",
        OFFICE "\"plugins\":[{\"plugin\":\"p\",\"instance\":\"i\",\"events\":{\"a\":"
               "\"alarm\"}}]}",
        OFFICE
        "\"plugins\":[{\"plugin\":\"p\",\"instance\":\"i\",\"events\":{\"a.b\":\"x\"}}]}",
        OFFICE
        "\"plugins\":[{\"plugin\":\"p\",\"instance\":\"i\",\"events\":{\"a.b\":1}}]}",
        OFFICE "\"plugins\":[{\"plugin\":\"keeper\",\"instance\":\"i\"}]}",
        OFFICE "\"plugins\":[{\"plugin\":\"p\",\"instance\":\"i\",\"events\":{"
               "\"journal.thinned\":\"record\"}}]}",
        OFFICE
        "\"plugins\":[{\"plugin\":\"p\",\"instance\":\"i\",\"events\":[\"alarm\"]}]}",
    };
    struct config *config = NULL;
    (void)state;
    for (size_t i = 0; i < countof(BAD); i++) {
        if (open_text(&config, BAD[i]) != -EPROTO)
            fail_msg("taken: %s", BAD[i]);
        assert_null(config);
    }
}

static void more_instances_than_fit_are_refused(void **state)
{
    struct config *config = NULL;
    struct buffer text = {0};
    (void)state;
    buffer_append_text(&text, OFFICE "\"plugins\":[");
    for (int i = 0; i < CONFIG_PLUGINS_MAX; i++)
        buffer_printf(&text, "%s{\"plugin\":\"p\",\"instance\":\"i%d\"}", i ? "," : "",
                      i);
    size_t full = text.length;
    buffer_append_text(&text, "]}");
    assert_int_equal(config_open(&config, text.bytes, text.length), 0);
    config_close(config);
    text.length = full;
    buffer_append_text(&text, ",{\"plugin\":\"p\",\"instance\":\"one-more\"}]}");
    config = NULL;
    assert_int_equal(config_open(&config, text.bytes, text.length), -EPROTO);
    buffer_free(&text);
}

static int open_update(struct config **config, const char *update)
{
    char text[256];
    snprintf(text, sizeof(text), OFFICE "\"update\":%s}", update);
    return open_text(config, text);
}

static void a_trial_has_its_bounds(void **state)
{
    struct config *config;
    (void)state;
    assert_int_equal(open_update(&config, "{\"trial\":2000}"), 0);
    assert_int_equal(config->trial_ms, 2000);
    config_close(config);
    assert_int_equal(open_update(&config, "null"), 0);
    assert_int_equal(config->trial_ms, 90 * 1000);
    config_close(config);
    assert_int_equal(open_update(&config, "{\"trial\":1999}"), -EPROTO);
    assert_int_equal(open_update(&config, "{\"trial\":3600001}"), -EPROTO);
}

static void what_a_change_takes_to_hold_is_known(void **state)
{
    static const struct {
        const char *text;
        const char *restart;
        bool moves;
    } CHANGES[] = {
        {GOOD, NULL, false},
        {"{\"city\":{\"verifier\":\"/etc/city.pub\",\"url\":\"mqtt://h\"},\"office\":{"
         "\"suite\":\"sm3+sm2\",\"id\":\"350105-003\"},\"update\":{\"trial\":5000}}",
         NULL, false},
        {"{\"city\":{\"verifier\":\"/etc/city.pub\",\"url\":\"mqtt://i\"},\"office\":{"
         "\"suite\":\"sm3+sm2\",\"id\":\"350105-003\"}}",
         NULL, true},
        {"{\"city\":{\"verifier\":\"/other.pub\",\"url\":\"mqtt://h\"},\"office\":{"
         "\"suite\":\"sm3+sm2\",\"id\":\"350105-003\"}}",
         "city.verifier", true},
        {"{\"city\":{\"verifier\":\"/etc/city.pub\",\"url\":\"mqtt://h\"},\"office\":{"
         "\"suite\":\"sm3+sm2\",\"id\":\"350105-003\"},\"courier\":{}}",
         "courier", false},
        {"{\"office\":{\"suite\":\"sm3+sm2\",\"id\":\"350105-003\"}}", "city", true},
        {"{\"office\":{\"suite\":\"sm3+sm2\",\"id\":\"350105-004\"}}", "office", true},
        {"{\"office\":{\"suite\":\"sm3+sm2\",\"id\":\"350105-003\"},\"storage\":{"
         "\"quota\":67108864,\"reserve\":8388608}}",
         "storage", true},
    };
    struct config *from, *to;
    (void)state;
    assert_int_equal(open_text(&from, GOOD), 0);
    for (size_t i = 0; i < countof(CHANGES); i++) {
        assert_int_equal(open_text(&to, CHANGES[i].text), 0);
        const char *restart = config_needs_restart(from, to);
        if (CHANGES[i].restart == NULL)
            assert_null(restart);
        else
            assert_string_equal(restart, CHANGES[i].restart);
        assert_int_equal(config_moves_city(from, to), CHANGES[i].moves);
        config_close(to);
    }
    config_close(from);
}

static void which_files_go_to_the_city_is_taken(void **state)
{
    static const char ONE[] =
        OFFICE "\"city\":{\"verifier\":\"/v\"},\"courier\":{\"select\":[\"important\","
               "\"case\"],\"url\":\"https://c/\"}}";
    static const char OTHER[] =
        OFFICE "\"city\":{\"verifier\":\"/v\"},\"courier\":{\"select\":[\"case\"],"
               "\"url\":\"https://c/\"}}";
    struct config *one, *other;
    (void)state;
    assert_int_equal(open_text(&one, ONE), 0);
    assert_int_equal(open_text(&other, OTHER), 0);
    assert_true(one->has_courier);
    assert_int_equal(one->sends, 1 << CLASS_IMPORTANT | 1 << CLASS_CASE);
    assert_int_equal(other->sends, 1 << CLASS_CASE);
    assert_true(config_moves_courier(one, other));
    assert_false(config_moves_courier(one, one));
    assert_null(config_needs_restart(one, other));
    config_close(one);
    config_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_files_go_to_the_city_is_taken),
        cmocka_unit_test(all_that_is_needed_is_taken),
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(the_room_for_the_journal_has_its_bounds),
        cmocka_unit_test(what_a_plugin_may_say_has_its_bounds),
        cmocka_unit_test(a_host_is_told_of_its_own_instance_only),
        cmocka_unit_test(what_is_not_as_agreed_is_refused),
        cmocka_unit_test(more_instances_than_fit_are_refused),
        cmocka_unit_test(a_trial_has_its_bounds),
        cmocka_unit_test(what_a_change_takes_to_hold_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
