/* json - see json.h. The door to cJSON: a struct json is a cJSON by another name.
 *
 * cJSON keeps a number as a double. A whole number that a double may have changed is kept as its
 * digits instead: an item of type cJSON_Raw. */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* Fewer digits are below 10^15 and a double holds them. */
enum { LONG_DIGITS = 16 };

static const cJSON *inside(const struct json *json)
{
    return (const cJSON *)json;
}

static const struct json *outside(const cJSON *item)
{
    return (const struct json *)item;
}

/* The length of the UTF-8 sequence that begins here, or 0 when none does. */
static size_t sequence_length(const unsigned char *at, size_t left)
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

/* The length of the text that begins with this quote, or 0 when it holds what no text may. */
static size_t text_length(const unsigned char *at, size_t left)
{
    size_t i = 1;
    while (i < left && at[i] != '"') {
        if (left - i >= sizeof(uint64_t) && are_plain(at + i)) {
            i += sizeof(uint64_t);
            continue;
        }
        size_t step = at[i] == '\\' ? 2 : at[i] >= ' ';
        if (at[i] >= 0x80)
            step = sequence_length(at + i, left - i);
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

/* The length of the number that begins here, or 0 when its spelling is not that of RFC 8259. */
static size_t number_length(const unsigned char *at, size_t left)
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
        return power ? i + power : 0;
    }
    return i;
}

/* cJSON reads more than RFC 8259 allows (raw control letters, any bytes as text, 01) and recurses
 * deeper than wanted: that is refused first. Structure and words are left to it. *has_long: there
 * is a number of so many letters that a double may not hold it. */
static bool is_strict(const unsigned char *at, size_t length, int deepest, bool *has_long)
{
    int depth = 0;
    size_t step;
    *has_long = false;
    for (size_t i = 0; i < length; i += step) {
        unsigned char c = at[i];
        step = c < 0x80 && (c >= ' ' || c == '\t' || c == '\n' || c == '\r');
        if (c == '"')
            step = text_length(at + i, length - i);
        else if (c == '-' || (c >= '0' && c <= '9'))
            *has_long |= (step = number_length(at + i, length - i)) >= LONG_DIGITS;
        else if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        if (step == 0 || depth > deepest)
            return false;
    }
    return true;
}

static bool only_space_after(const char *from, const char *end)
{
    while (from < end && strchr(" \t\r\n", *from) != NULL && *from != '\0')
        from++;
    return from == end;
}

/* What is left to be read of a text that is_strict() and cJSON have accepted. */
struct rest {
    const unsigned char *at;
    size_t length;
};

/* Takes the next number. */
static size_t take_number(struct rest *rest, const unsigned char **digits)
{
    for (size_t step = 1; rest->length > 0; rest->at += step, rest->length -= step) {
        step = *rest->at == '"' ? text_length(rest->at, rest->length) : 1;
        if (*rest->at != '-' && (*rest->at < '0' || *rest->at > '9'))
            continue;
        step = number_length(rest->at, rest->length);
        *digits = rest->at;
        rest->at += step;
        rest->length -= step;
        return step;
    }
    return 0;
}

static bool is_whole(const unsigned char *digits, size_t length)
{
    size_t sign = digits[0] == '-';
    return digits_length(digits + sign, length - sign) == length - sign;
}

/* Numbers stand in the tree in the order of the text. Nesting is bounded by is_strict(). */
static void keep_digits(cJSON *item, struct rest *rest)
{
    for (cJSON *child = item->child; child != NULL; child = child->next)
        keep_digits(child, rest);
    if (!cJSON_IsNumber(item))
        return;
    const unsigned char *digits = NULL;
    size_t length = take_number(rest, &digits);
    if (length < LONG_DIGITS || !is_whole(digits, length))
        return;
    item->type = (item->type & ~0xff) | cJSON_Raw;
    item->valuestring = strndup((const char *)digits, length);
    ASSERT(item->valuestring != NULL);
}

int json_parse_within(struct json **out, const void *bytes, size_t length, int depth)
{
    const char *end = NULL;
    bool has_long;
    if (!is_strict(bytes, length, depth, &has_long))
        return -EPROTO;
    cJSON *tree = cJSON_ParseWithLengthOpts(bytes, length, &end, 0);
    if (tree == NULL)
        return -EPROTO;
    if (!only_space_after(end, (const char *)bytes + length)) {
        cJSON_Delete(tree);
        return -EPROTO;
    }
    struct rest rest = {bytes, length};
    if (has_long)
        keep_digits(tree, &rest);
    *out = (struct json *)tree;
    return 0;
}

int json_parse(struct json **out, const void *bytes, size_t length)
{
    return json_parse_within(out, bytes, length, JSON_DEPTH_MAX);
}

void json_free(struct json *json)
{
    cJSON_Delete((cJSON *)json);
}

const struct json *json_get(const struct json *json, const char *name)
{
    return outside(cJSON_GetObjectItemCaseSensitive(inside(json), name));
}

const char *json_text(const struct json *json, const char *name)
{
    return json_value(json_get(json, name));
}

int64_t json_number(const struct json *json, const char *name, int64_t otherwise)
{
    const cJSON *item = inside(json_get(json, name));
    if (cJSON_IsRaw(item)) {
        errno = 0;
        long long whole = strtoll(item->valuestring, NULL, 10);
        return errno == 0 ? whole : otherwise;
    }
    if (!cJSON_IsNumber(item))
        return otherwise;
    double value = item->valuedouble;
    if (!(value >= -9007199254740992.0 && value <= 9007199254740992.0))
        return otherwise;
    return (int64_t)value;
}

bool json_true(const struct json *json, const char *name)
{
    return cJSON_IsTrue(inside(json_get(json, name)));
}

bool json_is_object(const struct json *json)
{
    return cJSON_IsObject(inside(json));
}

bool json_is_array(const struct json *json)
{
    return cJSON_IsArray(inside(json));
}

const struct json *json_first(const struct json *json)
{
    return json == NULL ? NULL : outside(inside(json)->child);
}

const struct json *json_next(const struct json *item)
{
    return item == NULL ? NULL : outside(inside(item)->next);
}

const char *json_name(const struct json *item)
{
    return item == NULL ? NULL : inside(item)->string;
}

const char *json_value(const struct json *item)
{
    return cJSON_GetStringValue(inside(item));
}

void json_print(struct buffer *out, const struct json *json)
{
    char *text = cJSON_PrintUnformatted(inside(json));
    ASSERT(text != NULL);
    buffer_append_text(out, text);
    free(text);
}

static bool is_plain(unsigned char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static void put_escaped(struct buffer *out, unsigned char c)
{
    if (c == '"' || c == '\\')
        buffer_printf(out, "\\%c", c);
    else if (c == '\n')
        buffer_append_text(out, "\\n");
    else
        buffer_printf(out, "\\u%04x", c);
}

void json_put_bytes(struct buffer *out, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    buffer_append(out, "\"", 1);
    for (size_t i = 0; i < length;) {
        size_t plain = i;
        while (plain < length && is_plain(at[plain]))
            plain++;
        buffer_append(out, at + i, plain - i);
        i = plain;
        if (i == length)
            break;
        size_t sequence = sequence_length(at + i, length - i);
        if (sequence > 1)
            buffer_append(out, at + i, sequence);
        else if (sequence == 1)
            put_escaped(out, at[i]);
        else
            buffer_append_text(out, "\xef\xbf\xbd");
        i += sequence ? sequence : 1;
    }
    buffer_append(out, "\"", 1);
}

void json_put_text(struct buffer *out, const char *text)
{
    json_put_bytes(out, text, strlen(text));
}
