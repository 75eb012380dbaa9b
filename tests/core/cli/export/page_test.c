/* The page of an export: what it says, and that nothing foreign becomes a tag of it. */
#include "cli/export/page.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct history history;
static const struct page_facts FACTS = {.sha256 = "5d41",
                                        .sm3 = "",
                                        .name = "a.mp4",
                                        .office = "x",
                                        .log = "y",
                                        .key = "k+1+<A>",
                                        .history = &history};

static void add(uint64_t seq, const char *body)
{
    struct history_event event = {seq, history.bodies.length, strlen(body)};
    buffer_append(&history.events, &event, sizeof(event));
    buffer_append_text(&history.bodies, body);
}

static int start(void **state)
{
    (void)state;
    history = (struct history){.unread = 0};
    add(7, "{\"type\":\"evidence.recorded\",\"time\":\"t1\",\"data\":{}}");
    add(19, "{\"type\":\"evidence.viewed\",\"time\":\"t2\",\"data\":{\"purpose\":"
            "\"export\",\"size\":9,\"reason\":"
            "\"<b>&'\\\"\",\"who\":{\"name\":\"zhang\"}}}");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    history_free(&history);
    return 0;
}

static void expect(const char *text, int err, const char *wanted)
{
    struct buffer out = {0};
    assert_int_equal(page_fill(&out, text, strlen(text), &FACTS), err);
    if (!err)
        assert_string_equal(buffer_text(&out), wanted);
    buffer_free(&out);
}

static void words_are_filled_in(void **state)
{
    (void)state;
    expect("a @FILE@, @SIZE@ @SHA256@@OFFICE@.", 0, "a a.mp4, 9 5d41x.");
    expect("@WHO@ @TIME@ @SM3@@UNREAD@", 0, "zhang t2 ");
    expect("", 0, "");
}

static void what_is_foreign_is_escaped(void **state)
{
    (void)state;
    expect("@REASON@", 0, "&lt;b&gt;&amp;&#39;&quot;");
    expect("@KEY@", 0, "k+1+&lt;A&gt;");
}

static void each_event_is_a_row(void **state)
{
    (void)state;
    expect("@HISTORY@", 0,
           "<tr><td><a href=\"events/7.json\">7</a></td><td>t1</td>"
           "<td><code>evidence.recorded</code></td><td></td><td></td></tr>\n"
           "<tr><td><a href=\"events/19.json\">19</a></td><td>t2</td>"
           "<td><code>evidence.viewed</code></td><td>zhang</td>"
           "<td>&lt;b&gt;&amp;&#39;&quot;</td></tr>\n");
}

static void an_event_has_the_word_that_the_template_gives_it(void **state)
{
    (void)state;
    history_free(&history);
    add(7, "{\"type\":\"evidence.viewed\",\"data\":{}}");
    add(8, "{\"type\":\"evidence\",\"data\":{}}");
    add(9, "{\"data\":{}}");
    expect("@HISTORY@@EVENT evidence.viewed Looked at@", 0,
           "<tr><td><a href=\"events/7.json\">7</a></td><td></td>"
           "<td>Looked at <code>evidence.viewed</code></td><td></td><td></td></tr>\n"
           "<tr><td><a href=\"events/8.json\">8</a></td><td></td>"
           "<td><code>evidence</code></td><td></td><td></td></tr>\n"
           "<tr><td><a href=\"events/9.json\">9</a></td><td></td>"
           "<td><code></code></td><td></td><td></td></tr>\n"
           "<tr><th>Looked at <code>evidence.viewed</code></th>");
    expect("@EVENT evidence.viewed@", -EPROTO, NULL);
}

static void times_are_those_of_beijing_to_the_second(void **state)
{
    (void)state;
    history_free(&history);
    add(7, "{\"time\":\"2025-12-31T16:00:59.999999Z\",\"type\":\"a.b\",\"data\":{"
           "\"purpose\":\"export\",\"at\":\"2026-04-11T00:30:15Z\","
           "\"local\":\"2026-04-11T00:30:15\"}}");
    expect("@TIME@", 0, "2026-01-01 00:00:59");
    expect("@RECORDED at A@@RECORDED local B@", 0,
           "<tr><th>A <code>at</code></th><td>2026-04-11 08:30:15</td></tr>\n"
           "<tr><th>B <code>local</code></th><td>2026-04-11T00:30:15</td></tr>\n");
    expect("@HISTORY@", 0,
           "<tr><td><a href=\"events/7.json\">7</a></td><td>2026-01-01 00:00:59</td>"
           "<td><code>a.b</code></td><td></td><td></td></tr>\n");
}

static void what_was_said_of_the_file_is_shown(void **state)
{
    (void)state;
    expect("@RECORDED@", 0, "");
    history_free(&history);
    expect("@RECORDED@@HISTORY@", 0, "");
    add(7, "{\"data\":{\"officer\":\"<1>\",\"size\":9,\"differs\":[\"a\"]}}");
    expect("@RECORDED@", 0,
           "<tr><th><code>officer</code></th><td>&lt;1&gt;</td></tr>\n"
           "<tr><th><code>size</code></th><td>9</td></tr>\n"
           "<tr><th><code>differs</code></th><td>[&quot;a&quot;]</td></tr>\n");
}

static void what_the_template_has_a_word_for_comes_in_its_place_and_once(void **state)
{
    (void)state;
    history_free(&history);
    expect("@RECORDED size How large@@RECORDED@", 0, "");
    add(7, "{\"data\":{\"officer\":\"<1>\",\"size\":9,\"of\":1}}");
    expect("@RECORDED size How large@@RECORDED device x@@RECORDED officer y@.@RECORDED@",
           0,
           "<tr><th>How large <code>size</code></th><td>9</td></tr>\n"
           "<tr><th>y <code>officer</code></th><td>&lt;1&gt;</td></tr>\n"
           ".<tr><th><code>of</code></th><td>1</td></tr>\n");
    expect("@RECORDED size@", -EPROTO, NULL);
    expect("@RECORDED  x@", -EPROTO, NULL);
}

static void events_that_cannot_be_read_are_counted(void **state)
{
    struct buffer out = {0};
    (void)state;
    history.unread = 3;
    assert_int_equal(page_fill(&out, "@UNREAD@", 8, &FACTS), 0);
    assert_non_null(strstr(buffer_text(&out), " 3 "));
    buffer_free(&out);
}

#define TEN "0123456789"

static void what_is_no_template_is_refused(void **state)
{
    (void)state;
    expect("a@b", -EPROTO, NULL);
    expect("@NOTHING@", -EPROTO, NULL);
    expect("@", -EPROTO, NULL);
    expect("@" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "@", -EPROTO, NULL);
    expect("@RECORDED size " TEN TEN TEN TEN TEN TEN TEN TEN "@", 0, "");
    expect("@RECORDED size " TEN TEN TEN TEN TEN TEN TEN TEN "12@", -EPROTO, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(words_are_filled_in),
        TEST(what_is_foreign_is_escaped),
        TEST(each_event_is_a_row),
        TEST(an_event_has_the_word_that_the_template_gives_it),
        TEST(times_are_those_of_beijing_to_the_second),
        TEST(what_was_said_of_the_file_is_shown),
        TEST(what_the_template_has_a_word_for_comes_in_its_place_and_once),
        TEST(events_that_cannot_be_read_are_counted),
        TEST(what_is_no_template_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
