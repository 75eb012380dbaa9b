/* Questions and answers as they are on the wire. */
#include "host/lines/dns.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/buffer.h"

enum { ROOM = 4 };

static struct dns_question asked(const char *name, enum dns_type type)
{
    struct dns_question question;
    assert_int_equal(dns_ask(&question, 0x1234, type, name), 0);
    return question;
}

/* The question's own bytes as an answer of `count` records with that code. */
static struct buffer answer_of(const struct dns_question *question, int code, int count)
{
    struct buffer answer = {0};
    buffer_append(&answer, question->bytes, question->length);
    answer.bytes[2] |= (char)0x80;
    answer.bytes[3] = (char)code;
    answer.bytes[7] = (char)count;
    return answer;
}

static void add_record(struct buffer *answer, int type, const void *bytes, size_t length)
{
    const uint8_t head[] = {0xc0, 12, 0, (uint8_t)type,  0, 1, 0, 0,
                            0,    60, 0, (uint8_t)length};
    buffer_append(answer, head, sizeof(head));
    buffer_append(answer, bytes, length);
}

static int read_answer(const struct dns_question *question, struct buffer *answer,
                       struct address *found)
{
    int count = dns_read(question, (const uint8_t *)answer->bytes, answer->length, found,
                         ROOM, 502);
    buffer_free(answer);
    return count;
}

static void a_question_is_as_the_standard_has_it(void **state)
{
    static const uint8_t WANTED[] =
        "\x12\x34\x01\0\0\1\0\0\0\0\0\0\3box\7example\0\0\1\0\1";
    struct dns_question question = asked("box.example", DNS_A);
    (void)state;
    assert_int_equal(question.length, sizeof(WANTED) - 1);
    assert_memory_equal(question.bytes, WANTED, question.length);
    struct dns_question same = asked("box.example.", DNS_A);
    assert_memory_equal(same.bytes, WANTED, question.length);
}

static void what_can_be_no_name_is_not_asked(void **state)
{
    static const char *const BAD[] = {
        "",
        ".",
        "a..b",
        ".a",
        "a..",
        "0123456789012345678901234567890123456789012345678901"
        "234567890123.x"};
    struct dns_question question;
    char most[300];
    (void)state;
    for (size_t i = 0; i < countof(BAD); i++)
        assert_int_equal(dns_ask(&question, 1, DNS_A, BAD[i]), -EINVAL);
    for (size_t i = 0; i < sizeof(most); i++)
        most[i] = i % 2 ? '.' : 'a';
    most[DNS_NAME_MAX] = '\0';
    assert_int_equal(dns_ask(&question, 1, DNS_A, most), 0);
    assert_in_range(question.length, 1, DNS_QUESTION_MAX);
    most[DNS_NAME_MAX] = '.';
    most[DNS_NAME_MAX + 1] = 'a';
    most[DNS_NAME_MAX + 2] = '\0';
    assert_int_equal(dns_ask(&question, 1, DNS_A, most), -EINVAL);
}

static void every_address_of_the_kind_asked_for_counts(void **state)
{
    struct dns_question question = asked("box.example", DNS_A);
    struct buffer answer = answer_of(&question, 0, 3);
    struct address found[ROOM];
    char text[ADDRESS_ROOM];
    (void)state;
    add_record(&answer, 5, "\1x\xc0\x10", 4); /* another name for it */
    add_record(&answer, DNS_A, "\x0a\0\0\5", 4);
    add_record(&answer, DNS_A, "\x0a\0\0\6", 4);
    assert_int_equal(read_answer(&question, &answer, found), 2);
    address_print(&found[1], text);
    assert_string_equal(text, "10.0.0.6");
    assert_int_equal(address_port(&found[1]), 502);
    question = asked("box.example", DNS_AAAA);
    answer = answer_of(&question, 0, 1);
    add_record(&answer, DNS_AAAA, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7", 16);
    assert_int_equal(read_answer(&question, &answer, found), 1);
    address_print(&found[0], text);
    assert_string_equal(text, "2001:db8::7");
}

static void more_than_there_is_room_for_is_left(void **state)
{
    struct dns_question question = asked("box", DNS_A);
    struct buffer answer = answer_of(&question, 0, 9);
    struct address found[ROOM];
    (void)state;
    for (int i = 0; i < 9; i++)
        add_record(&answer, DNS_A, "\x0a\0\0\5", 4);
    assert_int_equal(read_answer(&question, &answer, found), ROOM);
}

static void no_name_and_no_answer_are_told_apart(void **state)
{
    struct dns_question question = asked("box", DNS_A);
    struct address found[ROOM];
    struct buffer answer = answer_of(&question, 3, 0);
    (void)state;
    assert_int_equal(read_answer(&question, &answer, found), -ENOENT);
    answer = answer_of(&question, 2, 0);
    assert_int_equal(read_answer(&question, &answer, found), -EAGAIN);
    answer = answer_of(&question, 0, 0);
    assert_int_equal(read_answer(&question, &answer, found), 0);
}

static void what_answers_another_question_is_none(void **state)
{
    struct dns_question question = asked("box", DNS_A), other = asked("fox", DNS_A);
    struct address found[ROOM];
    struct buffer answer = answer_of(&other, 0, 1);
    (void)state;
    add_record(&answer, DNS_A, "\x0a\0\0\5", 4);
    assert_int_equal(read_answer(&question, &answer, found), -EPROTO);
    answer = answer_of(&question, 0, 1);
    answer.bytes[1]++; /* another number */
    assert_int_equal(read_answer(&question, &answer, found), -EPROTO);
    answer = answer_of(&question, 0, 0);
    answer.bytes[2] &= 0x7f; /* a question itself */
    assert_int_equal(read_answer(&question, &answer, found), -EPROTO);
}

/* Cut at every byte, and with every byte another: never beyond the end (under ASan). */
static void what_is_cut_or_spoilt_harms_nobody(void **state)
{
    struct dns_question question = asked("box.example", DNS_A);
    struct buffer answer = answer_of(&question, 0, 2);
    struct address found[ROOM];
    (void)state;
    add_record(&answer, 5, "\1x\xc0\x10", 4);
    add_record(&answer, DNS_A, "\x0a\0\0\5", 4);
    for (size_t length = 0; length < answer.length; length++) {
        struct buffer cut = {0};
        buffer_append(&cut, answer.bytes, length);
        assert_in_range(read_answer(&question, &cut, found) + 1000, 0, 1000);
    }
    for (size_t i = 0; i < answer.length; i++) {
        struct buffer spoilt = {0};
        buffer_append(&spoilt, answer.bytes, answer.length);
        spoilt.bytes[i] = (char)0xff;
        assert_in_range(read_answer(&question, &spoilt, found) + 1000, 0, 1001);
    }
    buffer_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_as_the_standard_has_it),
        cmocka_unit_test(what_can_be_no_name_is_not_asked),
        cmocka_unit_test(every_address_of_the_kind_asked_for_counts),
        cmocka_unit_test(more_than_there_is_room_for_is_left),
        cmocka_unit_test(no_name_and_no_answer_are_told_apart),
        cmocka_unit_test(what_answers_another_question_is_none),
        cmocka_unit_test(what_is_cut_or_spoilt_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
