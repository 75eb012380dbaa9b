/* Text of devices: GB18030 and what is in it, broken letters, and what says one thing and is another. */
#include "host/module/charset.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static int open_charset(void **state)
{
    (void)state;
    return charset_open();
}

/* The text that came out, and how many were replaced. */
static struct {
    const char *text;
    size_t replaced;
} out;

static void keep(struct buffer *buffer, size_t replaced)
{
    static char kept[64 * 1024];
    assert_true(buffer->length < sizeof(kept));
    strcpy(kept, buffer_text(buffer));
    out.text = kept;
    out.replaced = replaced;
    buffer_free(buffer);
}

static void read_gb(const char *bytes)
{
    struct buffer text = {0};
    size_t replaced = charset_read_gb(&text, bytes, strlen(bytes));
    keep(&text, replaced);
}

static void read_utf8(const char *bytes)
{
    struct buffer text = {0};
    size_t replaced = charset_read_utf8(&text, bytes, strlen(bytes));
    keep(&text, replaced);
}

static void write_gb(const char *utf8, bool narrow)
{
    struct buffer bytes = {0};
    size_t replaced = charset_write_gb(&bytes, utf8, strlen(utf8), narrow);
    keep(&bytes, replaced);
}

static void assert_out(const char *text, size_t replaced)
{
    assert_string_equal(out.text, text);
    assert_int_equal(out.replaced, replaced);
}

#define ZHIFA_GB "\xd6\xb4\xb7\xa8"
#define ZHIFA    "\xe6\x89\xa7\xe6\xb3\x95"
#define DONG_GBK "\x96\x7c" /* only GBK has it */
#define DONG     "\xe6\x9d\xb1"
#define EMOJI_GB "\x94\x39\xfc\x36" /* only GB18030 */
#define EMOJI    "\xf0\x9f\x98\x80"
#define REPLACED "\xef\xbf\xbd"

static void gb2312_gbk_and_gb18030_are_read(void **state)
{
    (void)state;
    read_gb("01 " ZHIFA_GB "-A");
    assert_out("01 " ZHIFA "-A", 0);
    read_gb(DONG_GBK);
    assert_out(DONG, 0);
    read_gb(EMOJI_GB);
    assert_out(EMOJI, 0);
    read_gb("");
    assert_out("", 0);
}

static void a_broken_letter_costs_itself_alone(void **state)
{
    (void)state;
    read_gb(ZHIFA_GB "\xd6"); /* cut in the middle */
    assert_out(ZHIFA REPLACED, 1);
    read_gb("\xd6\"</Name>");
    assert_out(REPLACED "\"</Name>", 1);
    read_gb("\xff" ZHIFA_GB "\x80");
    assert_out(REPLACED ZHIFA REPLACED, 2);
    read_utf8("a\xe6\x89");
    assert_out("a" REPLACED REPLACED, 2);
    read_utf8("\xc0\x80" ZHIFA "\xed\xa0\x80");
    assert_out(REPLACED REPLACED ZHIFA REPLACED REPLACED REPLACED, 5);
    read_utf8(ZHIFA);
    assert_out(ZHIFA, 0);
}

static void what_is_longer_than_the_room_comes_whole(void **state)
{
    static char gb[2 * 10000 + 1], utf8[3 * 10000 + 1];
    (void)state;
    for (int i = 0; i < 10000; i++) {
        memcpy(gb + 2 * i, "\xd6\xb4", 2);
        memcpy(utf8 + 3 * i, "\xe6\x89\xa7", 3);
    }
    read_gb(gb);
    assert_out(utf8, 0);
    write_gb(utf8, true);
    assert_out(gb, 0);
}

static void text_is_written_wide_or_narrow(void **state)
{
    (void)state;
    write_gb(ZHIFA DONG "x" EMOJI, false);
    assert_out(ZHIFA_GB DONG_GBK "x" EMOJI_GB, 0);
    write_gb(ZHIFA DONG "x" EMOJI "y", true);
    assert_out(ZHIFA_GB DONG_GBK "x?y", 1);
    write_gb("\xe6\x89" ZHIFA, false);
    assert_out("??" ZHIFA_GB, 2);
}

static void every_letter_of_the_first_plane_comes_back(void **state)
{
    char utf8[4] = "";
    (void)state;
    for (unsigned point = 0x800; point < 0x10000; point++) {
        if (point >= 0xd800 && point < 0xf900)
            continue; /* surrogates, and what is for private use */
        utf8[0] = (char)(0xe0 | point >> 12);
        utf8[1] = (char)(0x80 | (point >> 6 & 0x3f));
        utf8[2] = (char)(0x80 | (point & 0x3f));
        write_gb(utf8, false);
        assert_int_equal(out.replaced, 0);
        char gb[8];
        strcpy(gb, out.text);
        read_gb(gb);
        assert_out(utf8, 0);
    }
}

static int read_as(const char *name, const char *bytes)
{
    struct buffer text = {0};
    size_t replaced = 0;
    int err = charset_read(&text, name, bytes, strlen(bytes), &replaced);
    keep(&text, replaced);
    return err;
}

static void charsets_have_the_names_that_xml_and_http_use(void **state)
{
    static const char *const GB[] = {"GB2312", "gb2312",  "GBK",
                                     "gbk",    "GB18030", "cp936"};
    (void)state;
    for (size_t i = 0; i < countof(GB); i++) {
        assert_int_equal(read_as(GB[i], ZHIFA_GB), 0);
        assert_out(ZHIFA, 0);
    }
    assert_int_equal(read_as("utf-8", ZHIFA), 0);
    assert_out(ZHIFA, 0);
    assert_int_equal(read_as("us-ascii", "x"), 0);
    assert_int_equal(read_as("UTF-16", "x"), -ENOTSUP);
    assert_int_equal(read_as("", "x"), -ENOTSUP);
}

static void utf8_that_says_gb_is_known_for_what_it_is(void **state)
{
    (void)state;
    assert_int_equal(read_as("GB2312", "<Name>" ZHIFA "01</Name>"), 0);
    assert_out("<Name>" ZHIFA "01</Name>", 0);
    /* two letters of GB that are also two of UTF-8, but of two bytes each */
    assert_int_equal(read_as("GB2312", "\xc4\xa3\xca\xbd"), 0);
    assert_out("\xe6\xa8\xa1\xe5\xbc\x8f", 0);
    /* a name that was cut within a letter, in a body that says more */
    assert_int_equal(read_as("GB2312", "<Name>" ZHIFA ZHIFA "\xe6\x89</Name>"), 0);
    assert_out("<Name>" ZHIFA ZHIFA REPLACED REPLACED "</Name>", 2);
    assert_int_equal(read_as("GB2312", ZHIFA ZHIFA "\xe6<a/>" ZHIFA "\xe6"), 0);
    assert_string_not_equal(out.text, ZHIFA ZHIFA REPLACED "<a/>" ZHIFA REPLACED);
    /* too few letters to be sure */
    assert_int_equal(read_as("GB2312", ZHIFA "\xe6"), 0);
    assert_string_not_equal(out.text, ZHIFA REPLACED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gb2312_gbk_and_gb18030_are_read),
        cmocka_unit_test(a_broken_letter_costs_itself_alone),
        cmocka_unit_test(what_is_longer_than_the_room_comes_whole),
        cmocka_unit_test(text_is_written_wide_or_narrow),
        cmocka_unit_test(every_letter_of_the_first_plane_comes_back),
        cmocka_unit_test(charsets_have_the_names_that_xml_and_http_use),
        cmocka_unit_test(utf8_that_says_gb_is_known_for_what_it_is),
    };
    return cmocka_run_group_tests(tests, open_charset, NULL);
}
