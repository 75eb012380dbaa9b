/* strict - see strict.h.
 *
 * Invariant: whatever strict_is_json() accepts, cJSON reads too (tests/fuzz/base/strict_fuzz.c). */
#include "base/strict.h"

#include <stdint.h>
#include <string.h>

#include "base/base.h"

/* What the grammar has room for next. */
enum awaited { VALUE, VALUE_OR_END, NAME, NAME_OR_END, COLON, COMMA_OR_END, NOTHING };

struct place {
    enum awaited awaited;
    int depth;
    uint64_t objects; /* a bit for each level: it is an object; else an array */
};

size_t strict_sequence(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } FORMS[] = {
        {0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t form = 0; form < countof(FORMS) && form < left; form++) {
        if ((at[0] & FORMS[form].mask) != FORMS[form].lead)
            continue;
        uint32_t point = at[0] & (unsigned char)~FORMS[form].mask;
        for (size_t i = 1; i <= form; i++) {
            if ((at[i] & 0xc0) != 0x80)
                return 0;
            point = point << 6 | (at[i] & 0x3f);
        }
        bool good = point >= FORMS[form].least && point <= 0x10ffff &&
                    (point < 0xd800 || point > 0xdfff);
        return good ? form + 1 : 0;
    }
    return 0;
}

/* Whether none of these eight bytes ends a text, begins an escape or needs a closer look. A byte that
 * does sets its highest bit below; one above it may then be taken for another, which harms nothing. */
static bool are_plain(const unsigned char *at)
{
    static const uint64_t ONES = 0x0101010101010101, HIGHEST = 0x8080808080808080;
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    uint64_t found = (word - ONES * ' ') | ((word ^ ONES * '"') - ONES) |
                     ((word ^ ONES * '\\') - ONES) | word;
    return (found & HIGHEST) == 0;
}

/* Four hexadecimal digits, or -1. */
static int read_unit(const unsigned char *at)
{
    int unit = 0;
    for (int i = 0; i < 4; i++) {
        int letter = at[i] | 0x20;
        bool is_digit = at[i] >= '0' && at[i] <= '9';
        if (!is_digit && (letter < 'a' || letter > 'f'))
            return -1;
        unit = unit * 16 + (is_digit ? at[i] - '0' : letter - 'a' + 10);
    }
    return unit;
}

/* "\\n" or "\\u6240"; of a surrogate both halves. */
static size_t escape_length(const unsigned char *at, size_t left)
{
    if (left >= 2 && at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) != NULL)
        return 2;
    int unit = left >= 6 && at[1] == 'u' ? read_unit(at + 2) : -1;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit < 0 ? 0 : 6;
    bool has_second = unit < 0xdc00 && left >= 12 && at[6] == '\\' && at[7] == 'u';
    int second = has_second ? read_unit(at + 8) : -1;
    return second >= 0xdc00 && second <= 0xdfff ? 12 : 0;
}

size_t strict_text(const unsigned char *at, size_t left)
{
    size_t i = 1;
    while (i < left && at[i] != '"') {
        if (left - i >= sizeof(uint64_t) && are_plain(at + i)) {
            i += sizeof(uint64_t);
            continue;
        }
        size_t step = at[i] >= ' ';
        if (at[i] == '\\')
            step = escape_length(at + i, left - i);
        else if (at[i] >= 0x80)
            step = strict_sequence(at + i, left - i);
        if (step == 0)
            return 0;
        i += step;
    }
    return i < left ? i + 1 : 0;
}

static size_t digits_length(const unsigned char *at, size_t left)
{
    size_t i = 0;
    while (i < left && at[i] >= '0' && at[i] <= '9')
        i++;
    return i;
}

size_t strict_number(const unsigned char *at, size_t left)
{
    size_t i = at[0] == '-';
    size_t whole = digits_length(at + i, left - i);
    if (whole == 0 || (whole > 1 && at[i] == '0'))
        return 0;
    i += whole;
    if (i < left && at[i] == '.') {
        size_t part = digits_length(at + i + 1, left - i - 1);
        if (part == 0)
            return 0;
        i += 1 + part;
    }
    if (i < left && (at[i] == 'e' || at[i] == 'E')) {
        i += 1 + (i + 1 < left && (at[i + 1] == '+' || at[i + 1] == '-'));
        size_t power = digits_length(at + i, left - i);
        if (power == 0)
            return 0;
        i += power;
    }
    return i <= STRICT_NUMBER_MAX ? i : 0;
}

static size_t word_length(const unsigned char *at, size_t left)
{
    static const char *const WORDS[] = {"true", "false", "null"};
    for (size_t i = 0; i < countof(WORDS); i++) {
        size_t length = strlen(WORDS[i]);
        if (left >= length && memcmp(at, WORDS[i], length) == 0)
            return length;
    }
    return 0;
}

static bool is_in_object(const struct place *place)
{
    return (place->objects >> place->depth & 1) != 0;
}

static void value_ends(struct place *place)
{
    place->awaited = place->depth > 0 ? COMMA_OR_END : NOTHING;
}

static size_t open_level(struct place *place, bool is_object, int deepest)
{
    if (place->depth == deepest)
        return 0;
    uint64_t bit = (uint64_t)1 << ++place->depth;
    place->objects = is_object ? place->objects | bit : place->objects & ~bit;
    place->awaited = is_object ? NAME_OR_END : VALUE_OR_END;
    return 1;
}

static size_t close_level(struct place *place, bool is_object)
{
    enum awaited empty = is_object ? NAME_OR_END : VALUE_OR_END;
    if (place->awaited != empty &&
        (place->awaited != COMMA_OR_END || is_in_object(place) != is_object))
        return 0;
    place->depth--;
    value_ends(place);
    return 1;
}

static size_t take_value(struct place *place, const unsigned char *at, size_t left,
                         int deepest)
{
    if (*at == '{' || *at == '[')
        return open_level(place, *at == '{', deepest);
    value_ends(place);
    if (*at == '"')
        return strict_text(at, left);
    if (*at == '-' || (*at >= '0' && *at <= '9'))
        return strict_number(at, left);
    return word_length(at, left);
}

static size_t take_sign(struct place *place, unsigned char sign)
{
    if (sign == '}' || sign == ']')
        return close_level(place, sign == '}');
    if (sign == ':' && place->awaited == COLON) {
        place->awaited = VALUE;
        return 1;
    }
    if (sign != ',' || place->awaited != COMMA_OR_END)
        return 0;
    place->awaited = is_in_object(place) ? NAME : VALUE;
    return 1;
}

static bool is_sign(unsigned char c)
{
    return c == '}' || c == ']' || c == ':' || c == ',';
}

/* Takes the next word of the grammar; 0 when it may not stand here. */
static size_t take(struct place *place, const unsigned char *at, size_t left, int deepest)
{
    if (is_sign(*at))
        return take_sign(place, *at);
    if (place->awaited == VALUE || place->awaited == VALUE_OR_END)
        return take_value(place, at, left, deepest);
    if (*at != '"' || (place->awaited != NAME && place->awaited != NAME_OR_END))
        return 0;
    place->awaited = COLON;
    return strict_text(at, left);
}

static bool is_space(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool strict_is_json(const void *bytes, size_t length, int deepest)
{
    const unsigned char *at = bytes;
    struct place place = {.awaited = VALUE};
    ASSERT(deepest <= STRICT_DEPTH_MAX);
    for (size_t i = 0, step; i < length; i += step) {
        step = is_space(at[i]) ? 1 : take(&place, at + i, length - i, deepest);
        if (step == 0)
            return false;
    }
    return place.awaited == NOTHING;
}

bool strict_is_object(const void *bytes, size_t length, int deepest)
{
    const unsigned char *at = bytes;
    size_t i = 0;
    while (i < length && is_space(at[i]))
        i++;
    return i < length && at[i] == '{' && strict_is_json(bytes, length, deepest);
}
