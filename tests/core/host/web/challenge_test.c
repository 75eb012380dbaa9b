/* Logins: the examples of RFC 2617 and 7616, and what devices make of them. */
#include "host/web/challenge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

#define RFC_NONCE "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define RFC_REALM                                                                        \
    "realm=\"http-auth@example.org\", nonce=\"" RFC_NONCE "\", qop=\"auth, auth-int\""
#define RFC_CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define DVR        "Digest realm=\"DVR\", nonce=\"abc123\""

static struct headers head;
static struct challenge asked;
static struct buffer answer;

static void hear(const char *challenge)
{
    char line[2000];
    snprintf(line, sizeof(line), "WWW-Authenticate: %s\r\n", challenge);
    headers_add(&head, line, strlen(line));
}

static int forget(void **state)
{
    (void)state;
    headers_free(&head);
    buffer_free(&answer);
    head = (struct headers){0};
    return 0;
}

static int prepare(void **state)
{
    (void)state;
    return digest_open();
}

static bool is_read(const char *challenge)
{
    forget(NULL);
    hear(challenge);
    return challenge_read(&asked, &head);
}

static const char *said(const struct challenge_login *login)
{
    buffer_clear(&answer);
    challenge_answer(&answer, &asked, login);
    return buffer_text(&answer);
}

static void assert_has(const char *text, const char *piece)
{
    if (strstr(text, piece) == NULL)
        fail_msg("expected %s in %s", piece, text);
}

static const struct challenge_login MUFASA = {.user = "Mufasa",
                                              .password = "Circle of Life",
                                              .method = "GET",
                                              .target = "/dir/index.html",
                                              .cnonce = RFC_CNONCE};
static const struct challenge_login ADMIN = {.user = "admin",
                                             .password = "pw",
                                             .method = "GET",
                                             .target = "/x",
                                             .cnonce = "0a4f113b"};

static void the_examples_of_the_standards_are_answered(void **state)
{
    static const struct challenge_login OLD = {.user = "Mufasa",
                                               .password = "Circle Of Life",
                                               .method = "GET",
                                               .target = "/dir/index.html",
                                               .cnonce = "0a4f113b"};
    (void)state;
    assert_true(is_read("Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
                        "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
                        "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""));
    assert_has(said(&OLD), "response=\"6629fae49393a05397450978507c4ef1\"");
    assert_has(said(&OLD), "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"");
    assert_true(is_read("Digest algorithm=MD5, " RFC_REALM));
    assert_has(said(&MUFASA), "response=\"8ca523f5e9506fed4657c9700eebdbec\"");
    assert_true(is_read("Digest algorithm=SHA-256, " RFC_REALM));
    assert_has(said(&MUFASA),
               "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697"
               "cf8db5856cb6c1\"");
    assert_has(said(&MUFASA), "nc=00000001, qop=auth, ");
}

static void a_hidden_user_is_sent_as_a_digest(void **state)
{
    static const struct challenge_login JASON = {.user = "J\xC3\xA4s\xC3\xB8n Doe",
                                                 .password = "Secret, or not?",
                                                 .method = "GET",
                                                 .target = "/doe.json",
                                                 .cnonce =
                                                     "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm"};
    (void)state;
    assert_true(is_read("Digest realm=\"api@example.org\", qop=\"auth\", "
                        "algorithm=SHA-512-256, "
                        "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
                        "opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", "
                        "charset=UTF-8, userhash=true"));
    const char *text = said(&JASON);
    assert_has(text,
               "username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b"
               "0b\"");
    assert_has(text,
               "response=\"7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d84"
               "0c\"");
    assert_has(text, ", userhash=true");
    assert_null(strstr(text, "Doe"));
}

static void sessions_old_forms_and_bodies_are_answered(void **state)
{
    static const struct {
        const char *challenge, *response;
    } CASES[] = {
        {DVR ", algorithm=MD5-sess, qop=\"auth\"", "4f1ab944c7f902cc2d02c1c1be5286a1"},
        {DVR ", algorithm=\"SHA-256-SESS\", qop=auth",
         "8ee02b2cf08a67c479c6f6306b01979748064db1fee80845416ee961894a27c8"},
        {DVR ", algorithm=SHA-512-256-sess, qop=auth",
         "f9aa035c54b15b0837371f05489acc2e5f664472c8869388f9399f5ddf13594b"},
    };
    struct challenge_login login = ADMIN;
    (void)state;
    for (size_t i = 0; i < countof(CASES); i++) {
        assert_true(is_read(CASES[i].challenge));
        assert_has(said(&ADMIN), CASES[i].response);
    }
    login.target = "/ISAPI/System/deviceInfo";
    assert_true(is_read(DVR));
    assert_has(said(&login), "response=\"ff84650b8c2d4b320fadf94ca2c31c83\"");
    assert_null(strstr(said(&login), "qop"));
    login.target = "/x?format=json";
    login.method = "PUT";
    login.body = "{\"a\":1}";
    login.body_length = 7;
    assert_true(is_read(DVR ", qop=\"auth-int\""));
    assert_has(said(&login), "response=\"7967958dc45e4d0c680afdf99e2b8912\"");
    assert_has(said(&login), "qop=auth-int, ");
}

static void of_several_the_strongest_is_answered(void **state)
{
    static const char *const ALONE[] = {
        DVR ", algorithm=MD5", "Basic realm=\"x, y\"",
        "Digest realm=\"A\", nonce=\"256\", algorithm=SHA-256",
        DVR ", algorithm=MD5-sess"};
    (void)state;
    forget(NULL);
    for (size_t i = 0; i < countof(ALONE); i++)
        hear(ALONE[i]);
    assert_true(challenge_read(&asked, &head));
    assert_string_equal(asked.nonce, "256");
    assert_true(challenge_names(&head, "basic"));
    assert_true(
        is_read("Basic realm=\"a\", Digest realm=\"b\", nonce=\"1\", Digest nonce=\"2\","
                "algorithm=SHA-256,realm=\"c\" , Negotiate abc=="));
    assert_string_equal(asked.nonce, "2");
    assert_string_equal(asked.realm, "c");
    assert_true(challenge_names(&head, "Negotiate"));
    assert_false(challenge_names(&head, "realm"));
    assert_true(is_read(DVR ", algorithm=SHA-999, Digest nonce=7"));
    assert_string_equal(asked.nonce, "7");
}

static void quotes_commas_and_blanks_are_no_hindrance(void **state)
{
    static const struct challenge_login ODD = {
        .user = "a\"b", .password = "pw", .method = "GET", .target = "/x", .cnonce = "0"};
    (void)state;
    assert_true(
        is_read("digest  realm = \"a \\\"b\\\", c\" ,, nonce=abc123,stale=\"TRUE\","
                "domain=\"::\""));
    assert_string_equal(asked.realm, "a \\\"b\\\", c");
    assert_true(asked.stale);
    const char *text = said(&ODD);
    assert_has(text, "username=\"a\\\"b\", realm=\"a \\\"b\\\", c\", nonce=\"abc123\"");
    assert_has(text, "response=\"98832dd0a1c7601591477f4cf4f964e3\"");
    assert_true(is_read("Digest realm=\"x\" qop=auth-int,auth; nonce=n, NTLM"));
    assert_string_equal(asked.nonce, "n");
    assert_true(challenge_names(&head, "ntlm"));
    assert_true(is_read("Negotiate, Digest qop=auth,auth-int, nonce=n"));
    assert_int_equal(asked.guard, CHALLENGE_AUTH);
    assert_true(is_read("Digest qop=\"\", opaque=\"\", nonce=\"n\", stale=FALSE"));
    assert_int_equal(asked.guard, CHALLENGE_BARE);
    assert_false(asked.stale);
    assert_has(said(&ADMIN), ", opaque=\"\"");
}

static void what_cannot_be_answered_is_none(void **state)
{
    static const char *const NONE[] = {
        "Digest realm=\"x\"",      "Digest",      "",
        "Basic realm=\"nonce=1\"", "nonce=\"1\"", "Digest nonce=\"1\", algorithm=SHA-1",
        "Digest nonce=\"\"",       "=,\"",        "Digestive nonce=1",
        "Digest nonce=\"a\x01\"",
    };
    char text[CHALLENGE_TEXT_MAX + 100];
    (void)state;
    for (size_t i = 0; i < countof(NONE); i++)
        if (is_read(NONE[i]))
            fail_msg("expected none in %s", NONE[i]);
    for (int extra = 0; extra < 2; extra++) {
        snprintf(text, sizeof(text), "Digest nonce=\"%0*d\"", CHALLENGE_TEXT_MAX + extra,
                 7);
        assert_int_equal(is_read(text), extra == 0);
    }
}

int main(void)
{
#define CLEAN(test) cmocka_unit_test_teardown(test, forget)
    const struct CMUnitTest tests[] = {
        CLEAN(the_examples_of_the_standards_are_answered),
        CLEAN(a_hidden_user_is_sent_as_a_digest),
        CLEAN(sessions_old_forms_and_bodies_are_answered),
        CLEAN(of_several_the_strongest_is_answered),
        CLEAN(quotes_commas_and_blanks_are_no_hindrance),
        CLEAN(what_cannot_be_answered_is_none),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
