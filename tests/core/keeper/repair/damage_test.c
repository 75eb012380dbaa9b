/* What is damaged is set aside whole. */
#include "keeper/repair/damage.h"

#include "keeper/fixture.h"

static void the_folder_has_another_name_and_all_that_was_in_it(void **state)
{
    char folder[256], journal[300], aside[400], path[500];
    (void)state;
    fixture_folder(folder, sizeof(folder));
    snprintf(journal, sizeof(journal), "%s/journal", folder);
    snprintf(path, sizeof(path), "%s/tile/0", journal);
    assert_int_equal(file_make_folders(path), 0);
    snprintf(path, sizeof(path), "%s/tile/0/000", journal);
    assert_int_equal(file_put(path, "x", 1, 0600), 0);
    assert_int_equal(damage_set_aside(aside, sizeof(aside), journal), 0);
    assert_false(file_exists(journal));
    snprintf(path, sizeof(path), "%s/journal-damaged-2", folder);
    assert_int_equal(strncmp(aside, path, strlen(path)), 0);
    assert_null(strpbrk(aside + strlen(folder), ":."));
    snprintf(path, sizeof(path), "%s/tile/0/000", aside);
    assert_true(file_exists(path));
    fixture_remove(folder);
}

static void what_cannot_be_renamed_is_an_error(void **state)
{
    char aside[400];
    (void)state;
    assert_int_equal(damage_set_aside(aside, sizeof(aside), "/no/such/journal"), -ENOENT);
    assert_int_equal(damage_set_aside(aside, 10, "/no/such/journal"), -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folder_has_another_name_and_all_that_was_in_it),
        cmocka_unit_test(what_cannot_be_renamed_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
