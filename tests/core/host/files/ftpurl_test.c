/* Where file servers are: what is read, and what is said about what cannot be meant. */
#include "host/files/ftpurl.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static struct ftpurl url;
static char why[200];

static const char *why_not(const char *text)
{
    int err = ftpurl_parse(&url, text, why, sizeof(why));
    assert_true(err == -EINVAL || err == 0);
    return err ? why : "";
}

static void each_lock_has_its_port_and_data_its_range(void **state)
{
    (void)state;
    assert_string_equal(why_not("ftp://dock?passive=50000-50100"), "");
    assert_string_equal(url.host, "dock");
    assert_true(url.lock == FTPURL_PLAIN && url.port == 21 && !url.active);
    assert_true(url.from == 50000 && url.until == 50100);
    assert_string_equal(why_not("ftpes://10.0.0.8:2121/?active=40000"), "");
    assert_true(url.lock == FTPURL_EXPLICIT && url.port == 2121 && url.active);
    assert_true(url.from == 40000 && url.until == 40000);
    assert_string_equal(why_not("ftps://[2001:db8::1]?passive=1024-65535"), "");
    assert_true(url.lock == FTPURL_IMPLICIT && url.port == 990);
    assert_string_equal(url.host, "2001:db8::1");
    assert_string_equal(why_not("sftp://dock"), "");
    assert_true(url.lock == FTPURL_SSH && url.port == 22 && url.from == 0);
    assert_string_equal(why_not("sftp://10.0.0.8:2222/"), "");
    assert_int_equal(url.port, 2222);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *text, *why;
    } BAD[] = {
        {"http://h", "expected ftp://HOST, ftpes://HOST, ftps://HOST or sftp://HOST, got "
                     "\"http://h\""},
        {"ftp://h",
         "expected the ports of its data, ?passive=FROM-UNTIL or ?active=, got "
         "\"none\""},
        {"ftp://h?passive=", "expected ports such as 50000-50100, from 1024 to 65535"},
        {"ftp://h?passive=21-50", "expected ports such as 50000-50100"},
        {"ftp://h?passive=50000-49999", "expected ports such as 50000-50100"},
        {"ftp://h?passive=50000-70000", "expected ports such as 50000-50100"},
        {"ftp://h?active=5000-", "expected ports such as 50000-50100"},
        {"ftp://h?passive", "expected options such as passive=50000-50100"},
        {"ftp://h?port=50000", "expected passive= or active=, got \"port\""},
        {"ftp://h?passive=5000&active=5000", "expected passive= or active=, and once"},
        {"ftp://h/2026?passive=5000", "expected no path in it: there is path for that"},
        {"ftp://h:0?passive=5000", "expected a port from 1 to 65535"},
        {"ftp://?passive=5000", "expected a host name or address"},
        {"ftp://me:secret@h?passive=5000", "expected no user in it"},
        {"sftp://me:secret@h", "expected no user in it"},
        {"sftp://h?passive=5000", "expected no options: SFTP has one connection"},
        {"sftp://h/DCIM", "expected no path in it: there is path for that"},
        {"scp://me:secret@h", "got \"something else\""},
    };
    (void)state;
    for (size_t i = 0; i < countof(BAD); i++) {
        if (strstr(why_not(BAD[i].text), BAD[i].why) == NULL)
            fail_msg("%s: expected \"%s\", got \"%s\"", BAD[i].text, BAD[i].why, why);
        assert_null(strstr(why, "secret"));
    }
}

static void what_was_read_is_printed_without_what_is_usual(void **state)
{
    static const char *const URLS[][2] = {
        {"ftp://dock:21/?passive=50000", "ftp://dock"},
        {"ftpes://10.0.0.8:2121?active=40000", "ftpes://10.0.0.8:2121"},
        {"ftps://[2001:db8::1]:21?passive=1024-65535", "ftps://[2001:db8::1]:21"},
        {"sftp://dock:22", "sftp://dock"},
    };
    char text[200];
    (void)state;
    for (size_t i = 0; i < countof(URLS); i++) {
        assert_string_equal(why_not(URLS[i][0]), "");
        ftpurl_print(&url, text, sizeof(text));
        assert_string_equal(text, URLS[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_lock_has_its_port_and_data_its_range),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(what_was_read_is_printed_without_what_is_usual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
