/* What is kept comes back to the byte, or not at all. */
#include "proof/keepsake.h"

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

enum { MOST = 4096 };

static char folder[200];
static char path[256];

static int start(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/keepsake-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/kept", folder);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void put(const char *words)
{
    struct buffer text = {0};
    buffer_append_text(&text, words);
    assert_int_equal(keepsake_put(path, &text), 0);
    buffer_free(&text);
}

static void what_was_kept_comes_back(void **state)
{
    struct buffer text = {0};
    struct stat file;
    (void)state;
    assert_int_equal(keepsake_get(&text, path, MOST), -ENOENT);
    put("{\"a\":1}");
    put("{\"a\":2}");
    assert_int_equal(keepsake_get(&text, path, MOST), 0);
    assert_string_equal(buffer_text(&text), "{\"a\":2}");
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    buffer_free(&text);
}

static void the_same_is_not_written_again(void **state)
{
    struct stat before, after;
    (void)state;
    put("{\"a\":1}");
    assert_int_equal(stat(path, &before), 0);
    put("{\"a\":1}");
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static void any_changed_byte_is_refused(void **state)
{
    struct buffer file = {0}, text = {0};
    (void)state;
    put("{\"a\":1}");
    assert_int_equal(file_read(&file, path, MOST), 0);
    for (size_t at = 0; at < file.length; at++) {
        file.bytes[at] ^= 1;
        assert_int_equal(file_put(path, file.bytes, file.length, 0600), 0);
        assert_int_equal(keepsake_get(&text, path, MOST), -EBADMSG);
        file.bytes[at] ^= 1;
    }
    assert_int_equal(file_put(path, file.bytes, 20, 0600), 0);
    assert_int_equal(keepsake_get(&text, path, MOST), -EBADMSG);
    assert_int_equal(text.length, 0);
    buffer_free(&file);
}

static void what_is_too_long_is_not_read(void **state)
{
    struct buffer text = {0};
    (void)state;
    put("12345678");
    assert_int_equal(keepsake_get(&text, path, 8), 0);
    assert_int_equal(keepsake_get(&text, path, 7), -EFBIG);
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_kept_comes_back, start, stop),
        cmocka_unit_test_setup_teardown(the_same_is_not_written_again, start, stop),
        cmocka_unit_test_setup_teardown(any_changed_byte_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(what_is_too_long_is_not_read, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
