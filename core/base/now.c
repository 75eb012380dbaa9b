/* now - see now.h. */
#include "base/now.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

/* Seconds since 1970 of SOURCE_DATE_EPOCH or of the commit's day; the Makefile says which. */
#ifndef OUTPOST_BUILT
#define OUTPOST_BUILT 1767225600 /* 2026-01-01 */
#endif

enum {
    NOW_SECOND_LENGTH = 19,
    ASK_EVERY_US = 1000 * 1000,
    /* A clock on its own may be that much behind the city's and still be a plausible one. */
    SLACK_US = 5 * 60 * 1000 * 1000
};

static const int64_t BUILT_US = (int64_t)OUTPOST_BUILT * 1000000;
static int64_t lifted_us, lifted_mono_us; /* the floor that was told, and when */

static int64_t read_clock(clockid_t clock)
{
    struct timespec at;
    int err = clock_gettime(clock, &at);
    ASSERT(err == 0);
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

int64_t now_mono_us(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

int64_t now_utc_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

/* "2026-11-21T03:04:05"; the second before is kept, for times come in runs. */
static const char *format_second(int64_t second)
{
    static char text[NOW_TEXT_ROOM];
    static int64_t kept = INT64_MIN;
    time_t when = (time_t)second;
    struct tm parts;
    if (second == kept)
        return text;
    if (gmtime_r(&when, &parts) == NULL || parts.tm_year < -1900 || parts.tm_year > 8099)
        parts = (struct tm){.tm_mday = 1}; /* no year of four digits: 1900 */
    int length = snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d",
                          parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                          parts.tm_hour, parts.tm_min, parts.tm_sec);
    ASSERT(length == NOW_SECOND_LENGTH); /* strftime() would write the year 5 as "5" */
    kept = second;
    return text;
}

void now_format(char *text, int64_t utc_us)
{
    int64_t second = utc_us / 1000000;
    int64_t rest = utc_us % 1000000;
    if (rest < 0) {
        rest += 1000000;
        second -= 1;
    }
    memcpy(text, format_second(second), NOW_SECOND_LENGTH);
    text[NOW_SECOND_LENGTH] = '.';
    for (int i = 6; i > 0; i--, rest /= 10)
        text[NOW_SECOND_LENGTH + i] = (char)('0' + rest % 10);
    memcpy(text + NOW_SECOND_LENGTH + 7, "Z", 2);
}

static int parse_fraction(int64_t *micros, const char *text)
{
    *micros = 0;
    int digits = 0;
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++, digits++)
            if (digits < 6)
                *micros = *micros * 10 + (*text - '0');
        if (digits == 0)
            return -EINVAL;
    }
    for (; digits < 6; digits++)
        *micros *= 10;
    return strcmp(text, "Z") == 0 ? 0 : -EINVAL;
}

static bool has_form(const char *text)
{
    static const char FORM[] = "0000-00-00T00:00:00";
    for (size_t i = 0; FORM[i] != '\0'; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (FORM[i] == '0' ? !digit : text[i] != FORM[i])
            return false;
    }
    return true;
}

/* The city reads two times of each event: sscanf() would be a tenth of its work. */
static int digits(const char *text, int count)
{
    int number = 0;
    for (int i = 0; i < count; i++)
        number = number * 10 + (text[i] - '0');
    return number;
}

int now_parse(int64_t *utc_us, const char *text)
{
    struct tm parts = {0};
    int64_t micros;
    if (!has_form(text))
        return -EINVAL;
    parts.tm_year = digits(text, 4);
    parts.tm_mon = digits(text + 5, 2);
    parts.tm_mday = digits(text + 8, 2);
    parts.tm_hour = digits(text + 11, 2);
    parts.tm_min = digits(text + 14, 2);
    parts.tm_sec = digits(text + 17, 2);
    if (parts.tm_mon < 1 || parts.tm_mon > 12 || parts.tm_mday < 1 ||
        parts.tm_mday > 31 || parts.tm_hour > 23 || parts.tm_min > 59 ||
        parts.tm_sec > 60)
        return -EINVAL;
    int err = parse_fraction(&micros, text + 19);
    if (err)
        return err;
    int day = parts.tm_mday;
    int leap = parts.tm_sec == 60; /* which may belong to the next day */
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    parts.tm_sec -= leap;
    int64_t second = timegm(&parts);
    if (parts.tm_mday != day) /* no such day: 30 February */
        return -EINVAL;
    *utc_us = (second + leap) * 1000000 + micros;
    return 0;
}

static int64_t floor_at(int64_t mono_us)
{
    int64_t passed_us = mono_us - lifted_mono_us;
    return lifted_us == 0 || lifted_us + passed_us < BUILT_US ? BUILT_US
                                                              : lifted_us + passed_us;
}

int64_t now_floor_us(void)
{
    return floor_at(now_mono_us());
}

int64_t now_latest_us(void)
{
    int64_t utc_us = now_utc_us(), floor_us = now_floor_us();
    return utc_us > floor_us ? utc_us : floor_us;
}

void now_lift_floor(int64_t utc_us)
{
    if (utc_us <= now_floor_us() || utc_us > INT64_MAX / 2)
        return;
    lifted_us = utc_us;
    lifted_mono_us = now_mono_us();
}

static enum now_quality judge_at(int64_t utc_us, bool is_synced, int64_t mono_us)
{
    if (utc_us < BUILT_US)
        return NOW_UNSET;
    if (is_synced)
        return NOW_SYNCED;
    return utc_us + SLACK_US < floor_at(mono_us) ? NOW_UNSET : NOW_HOLDOVER;
}

enum now_quality now_judge(int64_t utc_us, bool is_synced)
{
    return judge_at(utc_us, is_synced, now_mono_us());
}

static bool ask_kernel(void)
{
    struct timex state = {.modes = 0};
    int answer = adjtimex(&state);
    return answer >= 0 && answer != TIME_ERROR && !(state.status & STA_UNSYNC);
}

/* The kernel is asked once a second, its answer costs it more than all else of an event; and when
 * the clock has been set, for then it is on its own again. */
void now_read(struct now_reading *now)
{
    static bool is_synced;
    static int64_t asked_us = INT64_MIN, asked_offset_us;
    int64_t mono_us = now_mono_us(), utc_us = now_utc_us();
    int64_t moved_us = utc_us - mono_us - asked_offset_us;
    if (asked_us == INT64_MIN || mono_us - asked_us >= ASK_EVERY_US ||
        moved_us > ASK_EVERY_US || moved_us < -ASK_EVERY_US) {
        is_synced = ask_kernel();
        asked_us = mono_us;
        asked_offset_us = utc_us - mono_us;
    }
    *now = (struct now_reading){utc_us, mono_us, judge_at(utc_us, is_synced, mono_us)};
}

enum now_quality now_quality(void)
{
    struct now_reading now;
    now_read(&now);
    return now.quality;
}

const char *now_quality_name(enum now_quality quality)
{
    static const char *const NAMES[] = {"synced", "holdover", "unset"};
    return NAMES[quality];
}

const char *now_boot(void)
{
    static char boot[NOW_BOOT_ROOM];
    if (boot[0] != '\0')
        return boot;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, boot, sizeof(boot) - 1);
    if (fd >= 0)
        close(fd);
    if (length != (ssize_t)sizeof(boot) - 1)
        strcpy(boot, "00000000-0000-0000-0000-000000000000");
    return boot;
}
