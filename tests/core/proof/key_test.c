/* Keys: names, files, vkeys. */
#include "proof/key.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/file.h"

/* The example of the documentation of Go's sumdb/note. */
static const char PETER[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char *const SUITES[] = {"sha256+ed25519", "sm3+sm2"};

static char folder[] = "/tmp/key_test-XXXXXX";
static char path[64], public_path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/a.key", folder);
    snprintf(public_path, sizeof(public_path), "%s/a.pub", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(public_path);
    return rmdir(folder);
}

static void names_have_no_space_and_no_plus(void **state)
{
    (void)state;
    char longest[KEY_NAME_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    longest[KEY_NAME_MAX + 1] = '\0';
    assert_true(key_is_name("outpost/350105-003"));
    assert_false(key_is_name(""));
    assert_false(key_is_name("a b"));
    assert_false(key_is_name("a+b"));
    assert_false(key_is_name("a\n"));
    assert_false(key_is_name("\xe5\xb8\x82"));
    assert_false(key_is_name(longest));
    longest[KEY_NAME_MAX] = '\0';
    assert_true(key_is_name(longest));
    struct key *key;
    assert_int_equal(key_make(&key, suite_named(SUITES[0]), "a b"), -EINVAL);
}

static void check_files(const char *suite)
{
    struct key *key, *loaded, *verifier;
    struct buffer signature = {0}, vkey = {0};
    struct stat status;
    unlink(path);
    assert_int_equal(key_make(&key, suite_named(suite), "outpost/x"), 0);
    assert_int_equal(key_save(key, path), 0);
    assert_int_equal(key_save(key, path), -EEXIST);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(key_load(&loaded, path), 0);
    assert_string_equal(key_name(loaded), "outpost/x");
    assert_ptr_equal(key_suite(loaded), suite_named(suite));
    key_print_verifier(key, &vkey);
    buffer_append_text(&vkey, "\n");
    assert_int_equal(file_put(public_path, vkey.bytes, vkey.length, 0644), 0);
    assert_int_equal(key_load_verifier(&verifier, public_path), 0);
    assert_int_equal(key_id(verifier), key_id(key));
    key_sign(loaded, &signature, "text", 4);
    assert_true(signature.length <= KEY_SIGNATURE_MAX);
    assert_int_equal(key_check(verifier, signature.bytes, signature.length, "text", 4),
                     0);
    assert_int_equal(key_check(verifier, signature.bytes, signature.length, "Text", 4),
                     -EBADMSG);
    buffer_free(&signature);
    buffer_free(&vkey);
    key_free(key);
    key_free(loaded);
    key_free(verifier);
}

static void a_saved_key_is_private_and_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(SUITES); i++)
        check_files(SUITES[i]);
}

static void a_foreign_vkey_is_read_and_printed_the_same(void **state)
{
    (void)state;
    struct key *key;
    struct buffer vkey = {0}, spaced = {0};
    buffer_printf(&spaced, " \t%s\r\n", PETER);
    assert_int_equal(key_read_verifier(&key, buffer_text(&spaced)), 0);
    assert_string_equal(key_name(key), "PeterNeumann");
    assert_int_equal(key_id(key), 0xc74f20a3);
    key_print_verifier(key, &vkey);
    assert_string_equal(buffer_text(&vkey), PETER);
    buffer_free(&vkey);
    buffer_free(&spaced);
    key_free(key);
}

static void a_changed_vkey_is_refused(void **state)
{
    (void)state;
    struct key *key;
    for (size_t i = 0; i < sizeof(PETER) - 1; i++) {
        char bad[sizeof(PETER)];
        memcpy(bad, PETER, sizeof(PETER));
        bad[i] ^= 1;
        assert_int_equal(key_read_verifier(&key, bad), -EPROTO);
        memcpy(bad, PETER, sizeof(PETER));
        bad[i] = '\0';
        assert_int_equal(key_read_verifier(&key, bad), -EPROTO);
    }
    assert_int_equal(key_read_verifier(&key, "+c74f20a3+AR=="), -EPROTO);
    assert_int_equal(key_read_verifier(&key, "name+C74F20A3+AR=="), -EPROTO);
}

static void what_is_no_key_file_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",
                                      "\n",
                                      "# x\n",
                                      "# a b\nnonsense\n",
                                      "x\n",
                                      "# x\n-----BEGIN PRIVATE KEY-----\nAAAA\n"
                                      "-----END PRIVATE KEY-----\n"};
    struct key *key;
    for (size_t i = 0; i < countof(BAD); i++) {
        assert_int_equal(file_put(path, BAD[i], strlen(BAD[i]), 0600), 0);
        assert_int_equal(key_load(&key, path), -EPROTO);
        assert_int_equal(key_load_verifier(&key, path), -EPROTO);
    }
    unlink(path);
    assert_int_equal(key_load(&key, path), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_no_space_and_no_plus),
        cmocka_unit_test(a_saved_key_is_private_and_comes_back),
        cmocka_unit_test(a_foreign_vkey_is_read_and_printed_the_same),
        cmocka_unit_test(a_changed_vkey_is_refused),
        cmocka_unit_test(what_is_no_key_file_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
