/* The last good configuration comes back to the byte, or not at all. */
#include "cli/office/lastgood.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "proof/keepsake.h"

static void what_the_keeper_kept_comes_back(void **state)
{
    char folder[] = "/tmp/lastgood-test-XXXXXX", path[256];
    struct buffer text = {0}, json = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/config.good", folder);
    assert_int_equal(lastgood_get(&json, folder), -ENOENT);
    buffer_append_text(&text, "{\"a\":1}");
    assert_int_equal(keepsake_put(path, &text), 0);
    assert_int_equal(lastgood_get(&json, folder), 0);
    assert_string_equal(buffer_text(&json), "{\"a\":1}");
    assert_int_equal(file_put(path, "{\"a\":1}", 7, 0600), 0);
    assert_int_equal(lastgood_get(&json, folder), -EBADMSG);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
    buffer_free(&text);
    buffer_free(&json);
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
        cmocka_unit_test(what_the_keeper_kept_comes_back),
        cmocka_unit_test(the_mark_names_the_first_errors_without_their_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
