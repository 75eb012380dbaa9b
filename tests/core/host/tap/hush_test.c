/* Nothing with which somebody logs in stays in what is kept, and lengths stay. */
#include "host/tap/hush.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static void the_headers_that_log_in_are_covered(void **state)
{
    static const char *const HEADS[][2] = {
        {"GET / HTTP/1.1\r\nAuthorization: Basic YTpi\r\nHost: x\r\n\r\n",
         "GET / HTTP/1.1\r\nAuthorization:***********\r\nHost: x\r\n\r\n"},
        {"AUTHORIZATION:Digest a=\"b\",\r\n response=\"c\"\r\nHost: x",
         "AUTHORIZATION:*************\r\n*************\r\nHost: x"},
        {"Cookie: a\nSet-Cookie: b\nProxy-Authorization: c\n",
         "Cookie:**\nSet-Cookie:**\nProxy-Authorization:**\n"},
        {"X: Authorization: no\r\n y\r\n", "X: Authorization: no\r\n y\r\n"},
        {"authorization", "authorization"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < countof(HEADS); i++) {
        char head[200];
        strcpy(head, HEADS[i][0]);
        hush_head(head, strlen(head));
        assert_string_equal(head, HEADS[i][1]);
    }
}

static void what_logs_in_by_ftp_is_covered(void **state)
{
    static const char *const LINES[][2] = {
        {"PASS Dock 2026\r\n", "PASS *********\r\n"},
        {"pass x\r\n", "pass *\r\n"},
        {"ACCT a", "ACCT *"},
        {"PASS", "PASS"},
        {"PASV\r\n", "PASV\r\n"},
        {"331 PASS please\r\n", "331 PASS please\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < countof(LINES); i++) {
        char line[40];
        strcpy(line, LINES[i][0]);
        hush_command(line, strlen(line));
        assert_string_equal(line, LINES[i][1]);
    }
}

static void a_password_is_covered_wherever_it_stands(void **state)
{
    char text[] = "secret=secretsecre&x=secret";
    (void)state;
    hush_word(text, strlen(text), "secret");
    assert_string_equal(text, "******=******secre&x=******");
    hush_word(text, strlen(text), "x=");
    hush_word(text, strlen(text), NULL);
    hush_word(text, 0, "secre");
    assert_string_equal(text, "******=******secre&x=******");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_headers_that_log_in_are_covered),
        cmocka_unit_test(what_logs_in_by_ftp_is_covered),
        cmocka_unit_test(a_password_is_covered_wherever_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
