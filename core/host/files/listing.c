/* listing - see listing.h. */
#include "host/files/listing.h"

#include <string.h>
#include <strings.h>

#include "base/base.h"

enum { WORDS_MAX = 12, DAY_S = 86400 };

struct word {
    const char *text;
    size_t length;
};

/* ---- Words, numbers, moments */

/* The next word of blanks, from *at on. */
static bool next_word(struct word *word, const char *line, size_t length, size_t *at)
{
    while (*at < length && line[*at] == ' ')
        (*at)++;
    size_t from = *at;
    while (*at < length && line[*at] != ' ')
        (*at)++;
    *word = (struct word){line + from, *at - from};
    return word->length > 0;
}

/* Only digits, and no more than fit. */
static bool number_of(const char *text, size_t length, int64_t *number)
{
    *number = 0;
    if (length == 0 || length > 18)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *number = *number * 10 + (text[i] - '0');
    }
    return true;
}

static bool part_of(struct word word, size_t from, size_t length, int64_t least,
                    int64_t most, int64_t *number)
{
    return from + length <= word.length && number_of(word.text + from, length, number) &&
           *number >= least && *number <= most;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool is_date(int64_t year, int64_t month, int64_t day)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return year >= 1970 && year <= 2199 && month >= 1 && month <= 12 && day >= 1 &&
           day <= DAYS[month - 1] + (month == 2 && is_leap(year));
}

/* Seconds since 1970; the years begin in March, so that the leap day is the last. */
static int64_t moment(int64_t year, int64_t month, int64_t day, int64_t seconds)
{
    int64_t y = year - (month <= 2), m = (month + 9) % 12;
    int64_t days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
    return (days - 719468) * DAY_S + seconds;
}

static int64_t year_of(int64_t now_s)
{
    int64_t year = 1970 + now_s / (365 * DAY_S);
    while (moment(year, 1, 1, 0) > now_s)
        year--;
    return year;
}

static void set_time(struct listing_entry *entry, int64_t time_s, int within_s)
{
    entry->time_s = time_s;
    entry->within_s = within_s;
}

static void set_told(struct listing_entry *entry, struct word first, struct word last)
{
    entry->told = first.text;
    entry->told_length = (size_t)(last.text + last.length - first.text);
}

/* ---- Names */

/* What is in this folder has a name without a path. */
static enum listing_found look_at_name(struct listing_entry *entry)
{
    const char *name = entry->name;
    size_t length = entry->name_length;
    if ((length == 1 && name[0] == '.') || (length == 2 && memcmp(name, "..", 2) == 0))
        return LISTING_NOTHING;
    for (size_t i = 0; i < length; i++)
        if (name[i] == '/' || (unsigned char)name[i] < ' ' || name[i] == 127)
            return LISTING_STRANGE;
    return length > 0 ? LISTING_ENTRY : LISTING_STRANGE;
}

static enum listing_found set_name(struct listing_entry *entry, const char *line,
                                   size_t length, size_t at)
{
    entry->name = line + at;
    entry->name_length = at < length ? length - at : 0;
    return look_at_name(entry);
}

/* ---- Facts: "type=file;size=1024;modify=20261121030405.123; name" */

static bool is_named(struct word fact, const char *name)
{
    size_t length = strlen(name);
    return fact.length > length && strncasecmp(fact.text, name, length) == 0;
}

static struct word value_of(struct word fact)
{
    const char *equals = memchr(fact.text, '=', fact.length);
    size_t before = (size_t)(equals - fact.text) + 1;
    return (struct word){fact.text + before, fact.length - before};
}

static bool is_value(struct word value, const char *text)
{
    return value.length >= strlen(text) &&
           strncasecmp(value.text, text, strlen(text)) == 0;
}

static enum listing_found read_type(struct listing_entry *entry, struct word value)
{
    if (is_value(value, "cdir") || is_value(value, "pdir"))
        return LISTING_NOTHING;
    entry->kind = is_value(value, "file")              ? LISTING_FILE
                  : is_value(value, "dir")             ? LISTING_FOLDER
                  : is_value(value, "OS.unix=slink")   ? LISTING_LINK
                  : is_value(value, "OS.unix=symlink") ? LISTING_LINK
                                                       : LISTING_OTHER;
    return LISTING_ENTRY;
}

static void read_modify(struct listing_entry *entry, struct word value)
{
    int64_t year, month, day, hour, minute, second;
    set_told(entry, value, value);
    if (part_of(value, 0, 4, 1970, 2199, &year) && part_of(value, 4, 2, 1, 12, &month) &&
        part_of(value, 6, 2, 1, 31, &day) && part_of(value, 8, 2, 0, 23, &hour) &&
        part_of(value, 10, 2, 0, 59, &minute) && part_of(value, 12, 2, 0, 60, &second) &&
        is_date(year, month, day) && (value.length == 14 || value.text[14] == '.')) {
        set_time(entry, moment(year, month, day, hour * 3600 + minute * 60 + second), 1);
        entry->is_utc = true;
    }
}

static enum listing_found read_facts(struct listing_entry *entry, const char *line,
                                     size_t length)
{
    enum listing_found found = LISTING_ENTRY;
    const char *blank = memchr(line, ' ', length);
    if (blank == NULL)
        return LISTING_STRANGE;
    size_t end = (size_t)(blank - line);
    for (size_t at = 0; at < end;) {
        const char *semicolon = memchr(line + at, ';', end - at);
        size_t until = semicolon != NULL ? (size_t)(semicolon - line) : end;
        struct word fact = {line + at, until - at};
        if (is_named(fact, "type="))
            found = read_type(entry, value_of(fact));
        else if (is_named(fact, "size=") &&
                 !number_of(value_of(fact).text, value_of(fact).length, &entry->size))
            entry->size = -1;
        else if (is_named(fact, "modify="))
            read_modify(entry, value_of(fact));
        at = until + 1;
    }
    if (found != LISTING_ENTRY)
        return found;
    return set_name(entry, line, length, end + 1);
}

/* ---- Of Unix: "-rw-r--r-- 1 user group 1024 Nov 21 11:04 name" */

/* "Nov", or the month in figures and the letter that Chinese writes behind it. */
static int month_of(struct word word)
{
    static const char NAMES[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    static const char MONTH[] = "\xe6\x9c\x88", MONTH_GB[] = "\xd4\xc2";
    int64_t number;
    for (int i = 0; i < 12; i++)
        if (word.length == 3 && strncasecmp(word.text, NAMES + i * 3, 3) == 0)
            return i + 1;
    if (word.length == 4 && strncasecmp(word.text, "sept", 4) == 0)
        return 9;
    for (size_t digits = 1; digits <= 2 && digits < word.length; digits++) {
        struct word rest = {word.text + digits, word.length - digits};
        bool is_month = (rest.length == 3 && memcmp(rest.text, MONTH, 3) == 0) ||
                        (rest.length == 2 && memcmp(rest.text, MONTH_GB, 2) == 0);
        if (is_month && part_of(word, 0, digits, 1, 12, &number))
            return (int)number;
    }
    return 0;
}

/* "11:04", "11:04:05" or "11:04:05.123". */
static bool clock_of(struct word word, int64_t *seconds)
{
    int64_t hour, minute, second = 0;
    size_t colon = word.length > 1 && word.text[1] == ':' ? 1 : 2, end = colon + 3;
    if (word.length < end || word.text[colon] != ':' ||
        !part_of(word, 0, colon, 0, 23, &hour) ||
        !part_of(word, colon + 1, 2, 0, 59, &minute))
        return false;
    if (word.length > end &&
        (word.text[end] != ':' || !part_of(word, end + 1, 2, 0, 60, &second)))
        return false;
    if (word.length > end + 3 && word.text[end + 3] != '.')
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* The last year in which that moment is not more than a day ahead: clocks east of us show more. */
static void guess_year(struct listing_entry *entry, int64_t month, int64_t day,
                       int64_t seconds, int64_t now_s)
{
    int64_t year = year_of(now_s) + 1;
    for (int i = 0; i < 10; i++, year--) {
        if (!is_date(year, month, day) ||
            moment(year, month, day, seconds) > now_s + DAY_S)
            continue;
        set_time(entry, moment(year, month, day, seconds), 60);
        entry->is_guessed = true;
        return;
    }
}

static bool is_year(struct word word, int64_t *year)
{
    return word.length == 4 && part_of(word, 0, 4, 1970, 2199, year);
}

/* "Nov 21", or the other way round. */
static bool read_day(const struct word *words, int64_t *month, int64_t *day)
{
    bool is_turned = month_of(words[0]) == 0;
    struct word date = words[is_turned ? 0 : 1];
    size_t digits = date.length;
    *month = month_of(words[is_turned ? 1 : 0]);
    if (digits > 2 && digits <= 5) /* a letter behind it, as with the month */
        digits = date.text[1] >= '0' && date.text[1] <= '9' ? 2 : 1;
    if (digits < date.length && date.text[digits] >= '0' && date.text[digits] <= '9')
        return false;
    return *month > 0 && part_of(date, 0, digits, 1, 31, day);
}

/* The year is told, and the time of the day behind it where a name is behind that; else it is the name. */
static int read_year(struct listing_entry *entry, const struct word *words, int left,
                     int64_t month, int64_t day, int64_t year)
{
    int64_t seconds;
    bool has_clock = left > 4 && clock_of(words[3], &seconds);
    if (!is_date(year, month, day))
        return 3 + has_clock;
    if (has_clock)
        set_time(entry, moment(year, month, day, seconds), words[3].length > 5 ? 1 : 60);
    else
        set_time(entry, moment(year, month, day, 0), DAY_S);
    return 3 + has_clock;
}

/* Month, day, and the time of the day or the year, or both; how many words that is, or 0. */
static int read_month_day(struct listing_entry *entry, const struct word *words, int left,
                          int64_t now_s)
{
    int64_t day, year, seconds, month;
    int taken = 3;
    if (!read_day(words, &month, &day))
        return 0;
    if (clock_of(words[2], &seconds)) {
        bool is_whole = words[2].length > 5 && left > 4 && is_year(words[3], &year);
        if (!is_whole)
            guess_year(entry, month, day, seconds, now_s);
        else if (is_date(year, month, day))
            set_time(entry, moment(year, month, day, seconds), 1);
        taken += is_whole;
    } else if (is_year(words[2], &year)) {
        taken = read_year(entry, words, left, month, day, year);
    } else {
        return 0;
    }
    set_told(entry, words[0], words[taken - 1]);
    return taken;
}

/* "2026-11-21 11:04". */
static bool read_iso(struct listing_entry *entry, const struct word *words)
{
    int64_t year, month, day, seconds;
    if (words[0].length != 10 || words[0].text[4] != words[0].text[7] ||
        (words[0].text[4] != '-' && words[0].text[4] != '/') ||
        !part_of(words[0], 0, 4, 1970, 2199, &year) ||
        !part_of(words[0], 5, 2, 1, 12, &month) ||
        !part_of(words[0], 8, 2, 1, 31, &day) || !clock_of(words[1], &seconds))
        return false;
    set_told(entry, words[0], words[1]);
    if (is_date(year, month, day))
        set_time(entry, moment(year, month, day, seconds), words[1].length > 5 ? 1 : 60);
    return true;
}

static bool kind_of(char letter, enum listing_kind *kind)
{
    static const char LETTERS[] = "-dlbcps";
    if (letter == '\0' || strchr(LETTERS, letter) == NULL)
        return false;
    *kind = letter == '-'   ? LISTING_FILE
            : letter == 'd' ? LISTING_FOLDER
            : letter == 'l' ? LISTING_LINK
                            : LISTING_OTHER;
    return true;
}

static void drop_target(struct listing_entry *entry)
{
    for (size_t i = 0; i + 4 <= entry->name_length; i++)
        if (memcmp(entry->name + i, " -> ", 4) == 0) {
            entry->name_length = i;
            return;
        }
}

/* "+0800", which only stands behind a time of more than minutes. */
static bool is_zone(struct word word)
{
    int64_t number;
    return word.length == 5 && (word.text[0] == '+' || word.text[0] == '-') &&
           part_of(word, 1, 4, 0, 1400, &number);
}

/* How many words the time has that begins there behind a size; 0: none. */
static int read_unix_time(struct listing_entry *entry, const struct word *words, int left,
                          int64_t now_s)
{
    int taken = left >= 3 ? read_month_day(entry, words, left, now_s) : 0;
    if (taken > 0)
        return taken;
    if (left < 2 || !read_iso(entry, words))
        return 0;
    return left > 3 && is_zone(words[2]) ? 3 : 2;
}

/* Behind the rights there are two to four words, then size, time and, one blank behind it, the name. */
static enum listing_found read_unix(struct listing_entry *entry, const char *line,
                                    size_t length, int64_t now_s)
{
    struct word words[WORDS_MAX];
    int count = 0;
    for (size_t at = 0; count < WORDS_MAX && next_word(&words[count], line, length, &at);)
        count++;
    if (count < 4 || words[0].length < 10 || !kind_of(line[0], &entry->kind))
        return LISTING_STRANGE;
    for (int i = 1; i + 1 < count; i++) {
        if (!number_of(words[i].text, words[i].length, &entry->size))
            continue;
        int taken = read_unix_time(entry, words + i + 1, count - i - 1, now_s);
        if (taken == 0)
            continue;
        const struct word *last = &words[i + taken];
        enum listing_found found =
            set_name(entry, line, length, (size_t)(last->text + last->length - line) + 1);
        if (entry->kind != LISTING_LINK)
            return found;
        drop_target(entry);
        return look_at_name(entry);
    }
    return LISTING_STRANGE;
}

/* ---- Of Windows: "11-21-26  11:04AM       <DIR>          name" */

static bool read_windows_date(struct word word, int64_t *year, int64_t *month,
                              int64_t *day)
{
    bool is_long = word.length == 10;
    if ((word.length != 8 && !is_long) || word.text[2] != word.text[5] ||
        (word.text[2] != '-' && word.text[2] != '/') ||
        !part_of(word, 0, 2, 1, 12, month) || !part_of(word, 3, 2, 1, 31, day) ||
        !part_of(word, 6, is_long ? 4 : 2, 0, 2199, year))
        return false;
    if (!is_long)
        *year += *year < 70 ? 2000 : 1900;
    return true;
}

/* "11:04AM", or of 24 hours. */
static bool read_windows_clock(struct word word, int64_t *seconds)
{
    bool has_half = word.length > 2 && (word.text[word.length - 1] | 32) == 'm';
    bool is_late = has_half && (word.text[word.length - 2] | 32) == 'p';
    if (has_half)
        word.length -= 2;
    if (!clock_of(word, seconds) || (has_half && *seconds >= 13 * 3600))
        return false;
    if (has_half && *seconds >= 12 * 3600)
        *seconds -= 12 * 3600;
    *seconds += is_late ? 12 * 3600 : 0;
    return true;
}

/* "1063889248", or "1,063,889,248". */
static bool read_windows_size(struct word word, int64_t *size)
{
    char digits[20];
    size_t count = 0;
    for (size_t i = 0; i < word.length; i++) {
        bool is_comma = word.text[i] == ',' && i > 0 && (word.length - i) % 4 == 0;
        if (!is_comma && count == sizeof(digits))
            return false;
        if (!is_comma)
            digits[count++] = word.text[i];
    }
    return number_of(digits, count, size);
}

static enum listing_found read_windows(struct listing_entry *entry, const char *line,
                                       size_t length)
{
    struct word words[3];
    int64_t year, month, day, seconds;
    size_t at = 0;
    for (int i = 0; i < 3; i++)
        if (!next_word(&words[i], line, length, &at))
            return LISTING_STRANGE;
    if (read_windows_date(words[0], &year, &month, &day) &&
        read_windows_clock(words[1], &seconds)) {
        set_told(entry, words[0], words[1]);
        if (is_date(year, month, day))
            set_time(entry, moment(year, month, day, seconds), 60);
    } else if (!read_iso(entry, words)) {
        return LISTING_STRANGE;
    }
    bool is_folder = words[2].length == 5 && memcmp(words[2].text, "<DIR>", 5) == 0;
    entry->kind = is_folder ? LISTING_FOLDER : LISTING_FILE;
    if (!is_folder && !read_windows_size(words[2], &entry->size))
        return LISTING_STRANGE;
    while (is_folder && at < length && line[at] == ' ') /* aligned in a column */
        at++;
    return set_name(entry, line, length, is_folder ? at : at + 1);
}

enum listing_found listing_read(struct listing_entry *entry, bool facts, const char *line,
                                size_t length, int64_t now_s)
{
    *entry = (struct listing_entry){.size = -1};
    if (length > 0 && line[length - 1] == '\r')
        length--;
    if (length == 0)
        return LISTING_NOTHING;
    if (facts)
        return read_facts(entry, line, length);
    if (length >= 6 && strncasecmp(line, "total ", 6) == 0)
        return LISTING_NOTHING;
    enum listing_found found = line[0] >= '0' && line[0] <= '9'
                                   ? read_windows(entry, line, length)
                                   : read_unix(entry, line, length, now_s);
    if (entry->kind == LISTING_FOLDER)
        entry->size = -1; /* of the folder itself, which says nothing */
    return found;
}
