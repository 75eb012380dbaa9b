/* Whose key is believed. */
#include "city/offices.h"

#include "base/file.h"
#include "fixture.h"

static int open_file(struct fixture *f, struct offices **offices, const char *text,
                     char *why)
{
    char path[80];
    snprintf(path, sizeof(path), "%s.lock", f->path); /* removed by the fixture */
    assert_int_equal(file_put(path, text, strlen(text), 0644), 0);
    return offices_open(offices, f->store, path, why);
}

static void with_a_file_only_its_keys_are_believed(void **state)
{
    struct fixture *f = *state;
    struct buffer text = {0};
    struct offices *offices;
    enum offices_answer answer;
    struct key *other;
    char why[OFFICES_WHY_ROOM];
    buffer_append_text(&text, "# our offices\n\n");
    key_print_verifier(f->office_key, &text);
    assert_int_equal(open_file(f, &offices, buffer_text(&text), why), 0);
    assert_non_null(offices_key(offices, "office-1"));
    assert_null(offices_key(offices, "office-2"));
    key_make(&other, suite_named("sha256+ed25519"), "outpost/office-2");
    buffer_clear(&text);
    key_print_verifier(other, &text);
    assert_int_equal(
        offices_show(offices, "office-2", buffer_text(&text), "now", &answer), 0);
    assert_int_equal(answer, OFFICES_IGNORED);
    assert_null(offices_key(offices, "office-2"));
    key_free(other);
    buffer_free(&text);
    offices_close(offices);
}

static void a_wrong_file_is_refused_by_line(void **state)
{
    struct fixture *f = *state;
    struct offices *offices;
    struct buffer twice = {0};
    char why[OFFICES_WHY_ROOM];
    assert_int_equal(open_file(f, &offices, "# fine\nrubbish\n", why), -EPROTO);
    assert_non_null(strstr(why, ":2: expected a key line"));
    key_print_verifier(f->city, &twice);
    assert_int_equal(open_file(f, &offices, buffer_text(&twice), why), -EPROTO);
    buffer_clear(&twice);
    key_print_verifier(f->office_key, &twice);
    buffer_append_text(&twice, "\n");
    key_print_verifier(f->office_key, &twice);
    assert_int_equal(open_file(f, &offices, buffer_text(&twice), why), -EEXIST);
    assert_non_null(strstr(why, ":2: expected each office once"));
    assert_int_equal(offices_open(&offices, f->store, "/no/such/file", why), -ENOENT);
    buffer_free(&twice);
}

static void a_pinned_key_outlives_the_process_but_not_a_rollback(void **state)
{
    struct fixture *f = *state;
    struct buffer text = {0};
    enum offices_answer answer;
    key_print_verifier(f->office_key, &text);
    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(
        offices_show(f->offices, "office-1", buffer_text(&text), "now", &answer), 0);
    assert_int_equal(answer, OFFICES_PINNED);
    store_rollback(f->store);
    offices_forget(f->offices);
    assert_null(offices_key(f->offices, "office-1"));
    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(
        offices_show(f->offices, "office-1", buffer_text(&text), "now", &answer), 0);
    assert_int_equal(store_commit(f->store), 0);
    fixture_close_city(f);
    fixture_open_city(f);
    assert_non_null(offices_key(f->offices, "office-1"));
    assert_int_equal(
        offices_show(f->offices, "office-2", buffer_text(&text), "now", &answer), 0);
    assert_int_equal(answer, OFFICES_IGNORED); /* another office's key */
    buffer_free(&text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(with_a_file_only_its_keys_are_believed),
        TEST(a_wrong_file_is_refused_by_line),
        TEST(a_pinned_key_outlives_the_process_but_not_a_rollback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
