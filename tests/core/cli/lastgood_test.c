/* The last good configuration comes back to the byte, or not at all. */
#include "cli/lastgood.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"

static char state_folder[200];
static char good[256];

static int start(void **state)
{
    (void)state;
    snprintf(state_folder, sizeof(state_folder), "/tmp/lastgood-test-XXXXXX");
    assert_non_null(mkdtemp(state_folder));
    snprintf(good, sizeof(good), "%s/config.good", state_folder);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    unlink(good);
    return rmdir(state_folder);
}

static void put(const char *text)
{
    struct buffer json = {0};
    buffer_append_text(&json, text);
    assert_int_equal(lastgood_put(state_folder, &json), 0);
    buffer_free(&json);
}

static void what_was_kept_comes_back(void **state)
{
    struct buffer json = {0};
    struct stat file;
    (void)state;
    assert_int_equal(lastgood_get(&json, state_folder), -ENOENT);
    put("{\"a\":1}");
    put("{\"a\":2}");
    assert_int_equal(lastgood_get(&json, state_folder), 0);
    assert_string_equal(buffer_text(&json), "{\"a\":2}");
    assert_int_equal(stat(good, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    buffer_free(&json);
}

static void any_changed_byte_is_refused(void **state)
{
    struct buffer file = {0}, json = {0};
    (void)state;
    put("{\"a\":1}");
    assert_int_equal(file_read(&file, good, 4096), 0);
    for (size_t at = 0; at < file.length; at++) {
        if (at == 64)
            continue; /* the end of the line is not looked at */
        file.bytes[at] ^= 1;
        assert_int_equal(file_put(good, file.bytes, file.length, 0600), 0);
        assert_int_equal(lastgood_get(&json, state_folder), -EBADMSG);
        file.bytes[at] ^= 1;
    }
    assert_int_equal(file_put(good, file.bytes, 20, 0600), 0);
    assert_int_equal(lastgood_get(&json, state_folder), -EBADMSG);
    assert_int_equal(json.length, 0);
    buffer_free(&file);
}

static void the_mark_names_the_first_errors_without_their_values(void **state)
{
    struct buffer json = {0};
    struct json *marked;
    (void)state;
    buffer_append_text(&json, "{\"office\":{\"id\":\"o\"}}");
    lastgood_mark(&json, "/etc/x.lua",
                  "x.lua:1: phone: expected a number, got \"Zhang San\"\n\nx.lua:2: "
                  "unexpected symbol near 'Li Si'\n3\n4\n5\n6\n");
    assert_null(strstr(buffer_text(&json), "Zhang"));
    assert_null(strstr(buffer_text(&json), "Li Si"));
    assert_int_equal(json_parse(&marked, json.bytes, json.length), 0);
    assert_string_equal(json_text(json_get(marked, "office"), "id"), "o");
    const struct json *refused = json_get(marked, "refused");
    assert_string_equal(json_text(refused, "file"), "/etc/x.lua");
    const struct json *error = json_first(json_get(refused, "errors"));
    assert_string_equal(json_value(error), "x.lua:1: phone: expected a number");
    int count = 0;
    for (; error != NULL; error = json_next(error))
        count++;
    assert_int_equal(count, 5);
    json_free(marked);
    buffer_free(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_kept_comes_back, start, stop),
        cmocka_unit_test_setup_teardown(any_changed_byte_is_refused, start, stop),
        cmocka_unit_test(the_mark_names_the_first_errors_without_their_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
