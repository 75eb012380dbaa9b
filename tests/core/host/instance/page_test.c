#include "host/instance/page.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "wire/talk.h"

static struct field text(const char *text)
{
    return (struct field){.bytes = (const uint8_t *)text, .length = strlen(text)};
}

static void change(struct page *page, const char *key, const char *value)
{
    struct field name = text(key), what = text(value != NULL ? value : "");
    page_change(page, &name, value != NULL ? &what : NULL);
}

/* The keeper's answer: a, c, e, and more if so. */
static struct buffer values(bool more)
{
    static const char *const KEYS[] = {"a", "c", "e"};
    struct buffer frame = {0};
    frame_begin(&frame, TALK_VALUES, 1);
    for (size_t i = 0; i < 3; i++) {
        size_t mark = frame_open(&frame, TAG_PUT);
        frame_put_text(&frame, TAG_KEY, KEYS[i]);
        frame_put_text(&frame, TAG_VALUE, "1");
        frame_close(&frame, mark);
    }
    if (more)
        frame_put(&frame, TAG_MORE, "", 0);
    return frame;
}

static void fill(struct page *page, struct buffer *frame, const char *from,
                 const char *until)
{
    struct fields fields = {(uint8_t *)frame->bytes + FRAME_HEAD,
                            (uint8_t *)frame->bytes + frame->length};
    page_fill(page, &fields, from, until);
}

static const char *keys(const struct page *page)
{
    static char letters[32];
    for (int i = 0; i < page_count(page); i++)
        letters[i] = (char)page_row(page, i)->key.bytes[0];
    letters[page_count(page)] = '\0';
    return letters;
}

static void changes_are_laid_over_in_their_place(void **state)
{
    lua_State *L = luaL_newstate();
    struct buffer frame = values(false);
    (void)state;
    page_open(L);
    struct page *page = page_new(L);
    fill(page, &frame, NULL, NULL);
    change(page, "d", "2");
    change(page, "a", NULL);
    change(page, "c", "22");
    change(page, "f", "3");
    change(page, "x", NULL);
    assert_string_equal(keys(page), "cdef");
    assert_int_equal(page_row(page, 0)->value.length, 2);
    assert_false(page_has_more(page));
    buffer_free(&frame);
    lua_close(L);
}

static void changes_outside_or_behind_a_cut_are_left_out(void **state)
{
    lua_State *L = luaL_newstate();
    struct buffer frame = values(true);
    (void)state;
    page_open(L);
    struct page *page = page_new(L);
    fill(page, &frame, "a", "x");
    change(page, "f", "2"); /* the next page has it */
    change(page, "y", "2");
    change(page, "b", "2");
    assert_string_equal(keys(page), "abce");
    assert_true(page_has_more(page));
    buffer_free(&frame);
    lua_close(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_laid_over_in_their_place),
        cmocka_unit_test(changes_outside_or_behind_a_cut_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
