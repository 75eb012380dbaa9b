/* What of a library that is loaded by hand is found. */
#include "host/module/library.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct places {
    int kept;
    size_t (*length_of)(const char *text);
} places;

static const struct library_symbol STRLEN = {"strlen",
                                             offsetof(struct places, length_of)};

static void what_it_has_is_put_in_its_place(void **state)
{
    (void)state;
    places.kept = 7;
    assert_int_equal(library_load("libc.so.6", &STRLEN, 1, &places), 0);
    assert_int_equal(places.length_of("four"), 4);
    assert_int_equal(places.kept, 7);
}

static void a_library_or_symbol_that_is_not_there_is_told(void **state)
{
    static const struct library_symbol NONE = {"no_such_symbol", 0};
    (void)state;
    assert_int_equal(library_load("libnone.so.99", &STRLEN, 1, &places), -ENOENT);
    assert_int_equal(library_load("libc.so.6", &NONE, 1, &places), -ENOSYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_has_is_put_in_its_place),
        cmocka_unit_test(a_library_or_symbol_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
