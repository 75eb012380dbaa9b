/* Listings of file servers as they are met: name, size, time, and how far the time can be trusted. */
#include "host/files/listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/buffer.h"
#include "base/file.h"

#define NOW 1795316645 /* 2026-11-22T03:04:05Z */

/* "kind name size time+within zone", or what else the line is. */
static const char *said(bool facts, const char *line)
{
    static const char *const KINDS[] = {"file", "folder", "link", "other"};
    static char text[300];
    struct listing_entry entry;
    enum listing_found found = listing_read(&entry, facts, line, strlen(line), NOW);
    if (found != LISTING_ENTRY)
        return found == LISTING_NOTHING ? "nothing" : "strange";
    int length = snprintf(text, sizeof(text), "%s [%.*s] %lld", KINDS[entry.kind],
                          (int)entry.name_length, entry.name, (long long)entry.size);
    if (entry.within_s > 0)
        snprintf(text + length, sizeof(text) - (size_t)length, " %lld+%d%s%s",
                 (long long)entry.time_s, entry.within_s, entry.is_utc ? " utc" : "",
                 entry.is_guessed ? " guessed" : "");
    return text;
}

struct expected {
    const char *line, *says;
};

static void all_say(bool facts, const struct expected *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(said(facts, lines[i].line), lines[i].says) != 0)
            fail_msg("%s:\nexpected %s\n     got %s", lines[i].line, lines[i].says,
                     said(facts, lines[i].line));
}

static void facts_are_exact_and_utc(void **state)
{
    static const struct expected LINES[] = {
        {"type=file;size=1063889248;modify=20260411083015;perm=r; T1 A.MP4\r",
         "file [T1 A.MP4] 1063889248 1775896215+1 utc"},
        {"Modify=20260411083015.123;Size=0;Type=file;  lead",
         "file [ lead] 0 1775896215+1 utc"},
        {"type=dir;modify=20260411000000;sizd=4096; 2026",
         "folder [2026] -1 1775865600+1 utc"},
        {"type=OS.unix=slink:/srv; now", "link [now] -1"},
        {"type=OS.unix=symlink; now", "link [now] -1"},
        {"type=OS.unix=chr-1/3; null", "other [null] -1"},
        {"Type=File;Modify=20260411083015;Size=5;UNIX.mode=0644;UNIX.owner=0; a=b;c",
         "file [a=b;c] 5 1775896215+1 utc"},
        {"size=5;type=file; \xd6\xb4.MP4", "file [\xd6\xb4.MP4] 5"},
        {"modify=20260230083015;type=file;size=1x; a", "file [a] -1"},
        {"modify=2026041108301;type=file; a", "file [a] -1"},
        {"modify=20260411083015Z;type=file; a", "file [a] -1"},
        {"type=cdir;modify=20260411000000; /2026", "nothing"},
        {"type=pdir; ..", "nothing"},
        {"type=file;size=5; ../../etc/passwd", "strange"},
        {"type=file;size=5;", "strange"},
        {"type=file; ", "strange"},
        {" bare", "file [bare] -1"},
        {"", "nothing"},
        {"\r", "nothing"},
    };
    (void)state;
    all_say(true, LINES, countof(LINES));
}

static void a_unix_listing_is_to_the_minute_or_the_day(void **state)
{
    static const struct expected LINES[] = {
        {"-rw-r--r--    1 1000     1000   1063889248 Apr 11 09:42 T1A0001_1.MP4\r",
         "file [T1A0001_1.MP4] 1063889248 1775900520+60 guessed"},
        {"-rw-r--r--    1 1000     1000       204800 Apr 11  2025 a b  c.JPG",
         "file [a b  c.JPG] 204800 1744329600+86400"},
        {"drwxr-xr-x    5 1000     1000         4096 Apr 11 09:40 ZJ330106-01",
         "folder [ZJ330106-01] -1 1775900400+60 guessed"},
        {"-rw-r--r-- 1 ftp ftp 5 Nov 22 17:04 ahead", /* of an east of UTC+8 */
         "file [ahead] 5 1795367040+60 guessed"},
        {"-rw-r--r-- 1 ftp ftp 5 Dec 31 23:59 lastyear",
         "file [lastyear] 5 1767225540+60 guessed"},
        {"-rw-r--r-- 1 ftp ftp 5 Feb 29 10:00 leap",
         "file [leap] 5 1709200800+60 guessed"},
        {"-rw-r--r-- 1 ftp ftp 5 Feb 30 10:00 never", "file [never] 5"},
        {"-rw-r--r--+ 1 ftp 77 Nov  1  2026 nogroup",
         "file [nogroup] 77 1793491200+86400"},
        {"-rw-rw-rw- 1 dom users team 12 Jan 5 2026 4words",
         "file [4words] 12 1767571200+86400"},
        {"-rwxrwxrwx 1 u g 3 2026-04-11 09:42 iso", "file [iso] 3 1775900520+60"},
        {"-rwxrwxrwx 1 u g 3 2026-04-11 09:42:07 iso s", "file [iso s] 3 1775900527+1"},
        {"-rw-r--r-- 1 u g 3 11\xe6\x9c\x88 21 11:04 cn",
         "file [cn] 3 1795259040+60 guessed"},
        {"-rw-r--r-- 1 u g 3 4\xd4\xc2 11\xc8\xd5 09:42 gb",
         "file [gb] 3 1775900520+60 guessed"},
        {"lrwxrwxrwx 1 u g 9 Apr 11 2025 now -> /srv/2026",
         "link [now] 9 1744329600+86400"},
        {"crw-rw-rw- 1 root root 1, 3 Apr 11 2025 null",
         "other [null] 3 1744329600+86400"},
        {"-rw-r--r-- 1 u 20 2026 Apr 11 2025 20 2026",
         "file [20 2026] 2026 1744329600+86400"},
        {"total 128", "nothing"},
        {"drwxr-xr-x 5 u g 4096 Apr 11 09:40 .", "nothing"},
        {"drwxr-xr-x 5 u g 4096 Apr 11 09:40 ..", "nothing"},
        {"-rw-r--r-- 1 u g 3 Apr 11 2025 ../x", "strange"},
        {"-rw-r--r-- 1 u g 3 Apr 11 2025 a\tb", "strange"},
        {"-rw-r--r-- 1 u g 3 Apr 11 2025", "strange"},
        {"-rw-r--r-- 1 u g 3 Apr 11 2025 ", "strange"},
        {"-rw-r--r-- 1 u g x Apr 11 2025 a", "strange"},
        {"-rw-r--r-- 1 u g 99999999999999999999 Apr 11 2025 a", "strange"},
        {"?rw-r--r-- 1 u g 3 Apr 11 2025 a", "strange"},
        {"ls: cannot access", "strange"},
    };
    (void)state;
    all_say(false, LINES, countof(LINES));
}

static void a_unix_listing_may_tell_its_time_in_other_ways(void **state)
{
    static const struct expected LINES[] = {
        {"-rw-r--r-- 1 u g 3 11 Apr 09:42 day first",
         "file [day first] 3 1775900520+60 guessed"},
        {"-rw-r--r-- 1 u g 3 11 Apr 2025 day first",
         "file [day first] 3 1744329600+86400"},
        {"-rw-r--r-- 1 u g 3 Apr 11 09:42:07 2026 bsd T", "file [bsd T] 3 1775900527+1"},
        {"-rw-r--r-- 1 u g 3 Apr 11 09:42 2026 name",
         "file [2026 name] 3 1775900520+60 guessed"},
        {"-rw-r--r-- 1 u g 3 Feb 30 09:42:07 2026 never", "file [never] 3"},
        {"-rw-r--r-- 1 u g 3 Apr 11 2026 09:42 year first",
         "file [year first] 3 1775900520+60"},
        {"-rw-r--r-- 1 u g 3 Apr 11 2026 09:42:07 year first",
         "file [year first] 3 1775900527+1"},
        {"-rw-r--r-- 1 u g 3 Feb 30 2026 09:42 never", "file [never] 3"},
        {"-rw-r--r-- 1 u g 3 Apr 11 2026 09:42", "file [09:42] 3 1775865600+86400"},
        {"-rw-r--r-- 1 u g 3 Apr 11 2026 09:42.mp4",
         "file [09:42.mp4] 3 1775865600+86400"},
        {"-rw-r--r-- 1 u g 3 Sept 11 2025 four letters",
         "file [four letters] 3 1757548800+86400"},
        {"-rw-r--r-- 1 u g 3 2026-04-11 09:42:07.123456789 +0800 full",
         "file [full] 3 1775900527+1"},
        {"-rw-r--r-- 1 u g 3 2026-04-11 09:42 +x", "file [+x] 3 1775900520+60"},
        {"-rw-r--r-- 1 u g 3 2026/04/11 09:42 slash", "file [slash] 3 1775900520+60"},
        {"-rw-r--r--. 1 root root 5 Apr  1  2025 selinux",
         "file [selinux] 5 1743465600+86400"},
        {"-r-xr-xr-x 1 owner group 5 apr 11 2025 lower",
         "file [lower] 5 1744329600+86400"},
        {"-rw-r--r-- 1 u g 3 Apr 2026 09:42 a", "strange"},
        {"-rw-r--r-- 1 u g 3 Apr 11 09:42x a", "strange"},
    };
    (void)state;
    all_say(false, LINES, countof(LINES));
}

static void a_windows_listing_is_to_the_minute(void **state)
{
    static const struct expected LINES[] = {
        {"11-21-26  11:04AM       <DIR>          2026 11",
         "folder [2026 11] -1 1795259040+60"},
        {"11-21-26  11:04PM             81920 a b.wav\r",
         "file [a b.wav] 81920 1795302240+60"},
        {"11-21-2026  12:04AM           81920  b.wav",
         "file [ b.wav] 81920 1795219440+60"},
        {"11-21-99  12:04PM                 1 old", "file [old] 1 943185840+60"},
        {"11/21/26  23:04                   1 day", "file [day] 1 1795302240+60"},
        {"2026-11-21  11:04                 1 iso", "file [iso] 1 1795259040+60"},
        {"2026/11/21  11:04                 1 cn", "file [cn] 1 1795259040+60"},
        {"2026/11/21  11:04    <DIR>          cn", "folder [cn] -1 1795259040+60"},
        {"11-21-26  11:04am                 1 low", "file [low] 1 1795259040+60"},
        {"2026-11-21  11:04     1,063,889,248 a,b",
         "file [a,b] 1063889248 1795259040+60"},
        {"2026-11-21  11:04             1,024 a", "file [a] 1024 1795259040+60"},
        {"2026-11-21  11:04             10,24 a", "strange"},
        {"2026-11-21  11:04              ,024 a", "strange"},
        {"2026-11-21  11:04     999999999999999999999 a", "strange"},
        {"02-30-26  11:04AM                 1 never", "file [never] 1"},
        {"11-21-26  13:04PM                 1 a", "strange"},
        {"11-21-26  11:04AM       <SYM>       a", "strange"},
        {"11-21-26  11:04AM", "strange"},
        {"13-21-26  11:04AM                 1 a", "strange"},
    };
    (void)state;
    all_say(false, LINES, countof(LINES));
}

static void the_time_is_given_as_it_was_told(void **state)
{
    static const struct {
        bool facts;
        const char *line, *told;
    } LINES[] = {
        {true, "type=file;modify=20260411083015.1; a", "20260411083015.1"},
        {true, "type=file;modify=never; a", "never"},
        {false, "-rw-r--r-- 1 u g 3 Apr 11  2025 a", "Apr 11  2025"},
        {false, "-rw-r--r-- 1 u g 3 Feb 30 10:00 a", "Feb 30 10:00"},
        {false, "11-21-26  11:04AM  1 a", "11-21-26  11:04AM"},
    };
    struct listing_entry entry;
    (void)state;
    for (size_t i = 0; i < countof(LINES); i++) {
        const char *line = LINES[i].line;
        assert_int_equal(listing_read(&entry, LINES[i].facts, line, strlen(line), NOW),
                         LISTING_ENTRY);
        assert_int_equal(entry.told_length, strlen(LINES[i].told));
        assert_memory_equal(entry.told, LINES[i].told, entry.told_length);
    }
}

/* A sample of a real dock, which lies beside the project or not at all. */
static void the_listing_of_a_dock_is_understood(void **state)
{
    static const char PATH[] = "../shared/vectors/bodycam/ftp_list_unix.txt";
    struct buffer text = {0};
    int count = 0;
    (void)state;
    if (file_read(&text, PATH, 1 << 20) != 0) {
        print_message("skipped: %s is not here\n", PATH);
        skip();
    }
    char *rest = NULL, *lines = (char *)(uintptr_t)buffer_text(&text);
    for (char *line = strtok_r(lines, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest), count++) {
        struct listing_entry entry;
        assert_int_equal(listing_read(&entry, false, line, strlen(line), NOW),
                         LISTING_ENTRY);
        assert_true(entry.within_s > 0);
    }
    assert_true(count >= 4);
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_exact_and_utc),
        cmocka_unit_test(a_unix_listing_is_to_the_minute_or_the_day),
        cmocka_unit_test(a_unix_listing_may_tell_its_time_in_other_ways),
        cmocka_unit_test(a_windows_listing_is_to_the_minute),
        cmocka_unit_test(the_time_is_given_as_it_was_told),
        cmocka_unit_test(the_listing_of_a_dock_is_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
