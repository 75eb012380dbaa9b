/* A document as tokens: written here as name(attribute=value){text}, elements inside in between. */
#include "host/module/xml.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static char why[XML_WHY_ROOM];

static void print(struct buffer *out, const struct buffer *tokens)
{
    static const char *const HEADS[] = {"<", " ", "=", ">"};
    struct xml_token token;
    for (size_t at = 0; xml_next(tokens, &at, &token);) {
        buffer_append_text(out, HEADS[token.kind]);
        buffer_append(out, token.bytes, token.length);
        if (token.kind == XML_CLOSE)
            buffer_append_text(out, ";");
    }
}

/* The tokens, or why there are none. */
static const char *read_bytes(const char *text, size_t length)
{
    static struct buffer out;
    struct buffer tokens = {0};
    buffer_clear(&out);
    int err = xml_read(&tokens, text, length, why);
    assert_true(err == 0 || err == -EPROTO);
    if (err)
        buffer_append_text(&out, why);
    else
        print(&out, &tokens);
    buffer_free(&tokens);
    return buffer_text(&out);
}

static const char *read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void elements_attributes_and_text_are_told(void **state)
{
    (void)state;
    assert_string_equal(read_text("<a/>"), "<a>;");
    assert_string_equal(read_text("<a><b x='1' y=\"2\">t</b><b/></a>"),
                        "<a<b x=1 y=2>t;<b>;>;");
    assert_string_equal(read_text("<a> \n <b> 0 </b>\r\n\t</a>"), "<a<b>0;>;");
    assert_string_equal(read_text("<a>x<b>y</b>z</a>"), "<a<b>y;>xz;");
    assert_string_equal(read_text("<a>&lt;&amp;&#x6267;&#10;<![CDATA[<b>]]></a>"),
                        "<a><&\xe6\x89\xa7\n<b>;");
    assert_string_equal(
        read_text("<?xml version='1.0'?><!-- n --><a><?p i?>t</a><!-- m -->"), "<a>t;");
}

static void namespaces_are_dropped(void **state)
{
    (void)state;
    assert_string_equal(
        read_text(
            "<s:a xmlns='u' xmlns:s='v' s:x='1' y='2'><s:b xmlns='w'>t</s:b></s:a>"),
        "<a x=1 y=2<b>t;>;");
    assert_string_equal(read_text("<a:/>"), "<a:>;");
}

static void a_document_type_is_refused_and_its_entities_with_it(void **state)
{
    static const char REFUSED[] =
        "expected no document type (<!DOCTYPE): entities are not read";
    static const char *const BAD[] = {
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY b 'lol'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<!DOCTYPE a SYSTEM 'http://127.0.0.1/x.dtd'><a/>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1/'> %p;]><a/>",
    };
    (void)state;
    for (size_t i = 0; i < countof(BAD); i++)
        assert_non_null(strstr(read_text(BAD[i]), REFUSED));
    assert_string_equal(read_text("<a>&b;</a>"), "line 1: undefined entity");
}

static void what_is_no_document_is_refused_with_its_line(void **state)
{
    (void)state;
    assert_string_equal(read_text(""), "line 1: no element found");
    assert_string_equal(read_text("hello"), "line 1: syntax error");
    assert_string_equal(read_text("<a>\n<b>\n</a>"), "line 3: mismatched tag");
    assert_string_equal(read_text("<a>"), "line 1: no element found");
    assert_string_equal(read_text("<a/><b/>"), "line 1: junk after document element");
    assert_string_equal(read_text("<a x='1' x='2'/>"), "line 1: duplicate attribute");
    assert_string_equal(read_text("<a>\x01</a>"),
                        "line 1: not well-formed (invalid token)");
    assert_string_equal(read_bytes("<a>\0</a>", 8),
                        "line 1: not well-formed (invalid token)");
    assert_string_equal(read_text("{\"a\":1}"),
                        "line 1: not well-formed (invalid token)");
}

static char *repeat(const char *begin, const char *part, int times, const char *end)
{
    struct buffer text = {0};
    buffer_append_text(&text, begin);
    for (int i = 0; i < times; i++)
        buffer_append_text(&text, part);
    buffer_append_text(&text, end);
    buffer_append(&text, "", 1);
    return text.bytes;
}

static void assert_read(char *text, const char *wanted)
{
    const char *got = read_text(text);
    if (wanted == NULL)
        assert_null(strstr(got, "expected"));
    else
        assert_non_null(strstr(got, wanted));
    free(text);
}

static void everything_has_a_bound(void **state)
{
    char deep[XML_DEPTH_MAX * 8 + 16];
    (void)state;
    assert_read(repeat("<a>", "<b/>", XML_ELEMENTS_MAX - 1, "</a>"), NULL);
    assert_read(repeat("<a>", "<b/>", XML_ELEMENTS_MAX, "</a>"),
                "expected at most 10000 elements");
    for (int more = 0; more < 2; more++) {
        deep[0] = '\0';
        for (int i = 0; i < XML_DEPTH_MAX - 1 + more; i++)
            strcat(deep, "<a>");
        strcat(deep, "<a/>");
        for (int i = 0; i < XML_DEPTH_MAX - 1 + more; i++)
            strcat(deep, "</a>");
        assert_read(strdup(deep),
                    more ? "expected elements nested at most 32 deep" : NULL);
    }
    for (int more = 0; more < 2; more++) {
        struct buffer text = {0};
        buffer_append_text(&text, "<a");
        for (int i = 0; i < XML_ATTRIBUTES_MAX + more; i++)
            buffer_printf(&text, " x%d=''", i);
        buffer_append(&text, "/>", 3);
        assert_read(text.bytes, more ? "expected at most 32 attributes" : NULL);
    }
}

/* The text in UTF-8, or why there is none. */
static const char *decoded(const char *charset, const char *bytes, size_t *replaced)
{
    static struct buffer out;
    buffer_clear(&out);
    int err = xml_decode(&out, charset, bytes, strlen(bytes), replaced, why);
    return err ? why : buffer_text(&out);
}

#define NAME_GB   "\xd6\xb4\xb7\xa8"
#define NAME_UTF8 "\xe6\x89\xa7\xe6\xb3\x95"

static void the_first_line_says_the_charset(void **state)
{
    static const char *const SAYING[] = {
        "<?xml version=\"1.0\" encoding=\"GB2312\"?><a>",
        "<?xml version='1.0' encoding = 'gbk' ?>\r\n<a>",
        "<?xml encoding=\"GB18030\" version=\"1.0\"?><a>",
    };
    char text[200];
    size_t replaced;
    (void)state;
    for (size_t i = 0; i < countof(SAYING); i++) {
        strcpy(text, SAYING[i]);
        strcat(text, NAME_GB);
        assert_non_null(strstr(decoded(NULL, text, &replaced), "<a>" NAME_UTF8));
        assert_int_equal(replaced, 0);
    }
    assert_string_equal(decoded(NULL, "<a>" NAME_UTF8, &replaced), "<a>" NAME_UTF8);
    assert_string_equal(decoded("gb18030", "<a>" NAME_GB, &replaced), "<a>" NAME_UTF8);
    assert_string_equal(
        decoded(NULL, "\xef\xbb\xbf<?xml version='1.0' encoding='GBK'?>" NAME_UTF8,
                &replaced),
        "<?xml version='1.0' encoding='GBK'?>" NAME_UTF8);
    assert_string_equal(decoded(NULL, "<a>\xe6\x89</a>", &replaced),
                        "<a>\xef\xbf\xbd\xef\xbf\xbd</a>");
    assert_int_equal(replaced, 2);
}

static void other_charsets_are_refused_by_name(void **state)
{
    size_t replaced;
    (void)state;
    assert_string_equal(
        decoded(NULL, "<?xml version='1.0' encoding='UTF-7'?><a/>", &replaced),
        "encoding: expected UTF-8, GB2312, GBK or GB18030, got \"UTF-7\"");
    assert_string_equal(
        decoded("x\x1b[1m", "<a/>", &replaced),
        "encoding: expected UTF-8, GB2312, GBK or GB18030, got \"x?[1m\"");
}

static void a_document_that_is_too_long_is_not_looked_at(void **state)
{
    struct buffer out = {0};
    size_t replaced;
    char *long_one = calloc(1, XML_BYTES_MAX + 1);
    (void)state;
    memset(long_one, ' ', XML_BYTES_MAX + 1);
    assert_int_equal(xml_decode(&out, NULL, long_one, XML_BYTES_MAX, &replaced, why), 0);
    assert_int_equal(xml_decode(&out, NULL, long_one, XML_BYTES_MAX + 1, &replaced, why),
                     -EPROTO);
    assert_string_equal(why, "expected a document of at most 1048576 bytes, got 1048577");
    free(long_one);
    buffer_free(&out);
}

static int open_library(void **state)
{
    (void)state;
    return xml_open();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_attributes_and_text_are_told),
        cmocka_unit_test(namespaces_are_dropped),
        cmocka_unit_test(a_document_type_is_refused_and_its_entities_with_it),
        cmocka_unit_test(what_is_no_document_is_refused_with_its_line),
        cmocka_unit_test(everything_has_a_bound),
        cmocka_unit_test(the_first_line_says_the_charset),
        cmocka_unit_test(other_charsets_are_refused_by_name),
        cmocka_unit_test(a_document_that_is_too_long_is_not_looked_at),
    };
    return cmocka_run_group_tests(tests, open_library, NULL);
}
