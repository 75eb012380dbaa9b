/* Plain memory. */
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void new_memory_is_zeroed(void **state)
{
    (void)state;
    struct thing {
        int number;
        void *pointer;
    } *thing = mem_new(struct thing);
    assert_int_equal(thing->number, 0);
    assert_null(thing->pointer);
    mem_free(thing);
    mem_free(mem_zeroed(0));
    mem_free(NULL);
}

static void copies_are_their_own(void **state)
{
    (void)state;
    char from[] = "text";
    char *text = mem_text(from), *part = mem_text_of(from, 2), *bytes = mem_copy(from, 4);
    char *nothing = mem_text_of(NULL, 0);
    from[0] = 'n';
    assert_string_equal(text, "text");
    assert_string_equal(part, "te");
    assert_memory_equal(bytes, "text", 4);
    assert_string_equal(nothing, "");
    mem_free(text);
    mem_free(part);
    mem_free(bytes);
    mem_free(nothing);
}

static void resizing_keeps_what_is_there(void **state)
{
    (void)state;
    char *memory = mem_resize(NULL, 3);
    memcpy(memory, "ab", 3);
    memory = mem_resize(memory, 100000);
    assert_string_equal(memory, "ab");
    mem_free(mem_resize(memory, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_memory_is_zeroed),
        cmocka_unit_test(copies_are_their_own),
        cmocka_unit_test(resizing_keeps_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
