/* json - see json.h. The door to cJSON: a struct json is a cJSON by another name.
 *
 * cJSON keeps a number as a double. A whole number that a double may have changed is kept as its
 * digits instead: an item of type cJSON_Raw. */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"

/* A whole number of fewer digits is below 10^15 and a double holds it. */
enum { LONG_DIGITS = 16 };
static const double LONG_LEAST = 1e14; /* with its sign it has as many letters */

static const cJSON *inside(const struct json *json)
{
    return (const cJSON *)json;
}

static const struct json *outside(const cJSON *item)
{
    return (const struct json *)item;
}

static size_t digits_length(const unsigned char *at, size_t left)
{
    size_t i = 0;
    while (i < left && at[i] >= '0' && at[i] <= '9')
        i++;
    return i;
}

/* What is left to be read of a text that strict_is_json() and cJSON have accepted. */
struct rest {
    const unsigned char *at;
    size_t length;
};

/* Takes the next number. */
static size_t take_number(struct rest *rest, const unsigned char **digits)
{
    for (size_t step = 1; rest->length > 0; rest->at += step, rest->length -= step) {
        step = *rest->at == '"' ? strict_text(rest->at, rest->length) : 1;
        if (*rest->at != '-' && (*rest->at < '0' || *rest->at > '9'))
            continue;
        step = strict_number(rest->at, rest->length);
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

static bool has_long(const cJSON *item)
{
    if (cJSON_IsNumber(item) && fabs(item->valuedouble) >= LONG_LEAST)
        return true;
    for (const cJSON *child = item->child; child != NULL; child = child->next)
        if (has_long(child))
            return true;
    return false;
}

/* Numbers stand in the tree in the order of the text. Nesting is bounded before. */
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
    item->valuestring = mem_text_of(digits, length);
}

/* cJSON reads more than RFC 8259 allows (raw control letters, any bytes as text, 01) and recurses
 * deeper than wanted: that is refused first. */
int json_parse(struct json **out, const void *bytes, size_t length)
{
    struct rest rest = {bytes, length};
    if (!strict_is_json(bytes, length, JSON_DEPTH_MAX))
        return -EPROTO;
    cJSON *tree = cJSON_ParseWithLength(bytes, length);
    if (tree == NULL)
        return -EPROTO;
    if (has_long(tree))
        keep_digits(tree, &rest);
    *out = (struct json *)tree;
    return 0;
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

static int by_name(const void *a, const void *b)
{
    const struct json *const *one = a, *const *other = b;
    return strcmp(json_name(*one), json_name(*other));
}

/* The members of an object in the order of their names; the caller frees the list. */
static const struct json **sort_members(const struct json *json, size_t *count)
{
    *count = (size_t)cJSON_GetArraySize(inside(json));
    const struct json **members = mem_zeroed((*count + 1) * sizeof(*members));
    size_t at = 0;
    for (const struct json *item = json_first(json); item; item = json_next(item))
        members[at++] = item;
    qsort(members, *count, sizeof(*members), by_name);
    return members;
}

static void print_object(struct buffer *out, const struct json *json)
{
    size_t count;
    const struct json **members = sort_members(json, &count);
    buffer_append_text(out, "{");
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(out, i > 0 ? "," : "");
        json_put_text(out, json_name(members[i]));
        buffer_append_text(out, ":");
        json_print_sorted(out, members[i]);
    }
    buffer_append_text(out, "}");
    mem_free(members);
}

static void print_array(struct buffer *out, const struct json *json)
{
    buffer_append_text(out, "[");
    for (const struct json *item = json_first(json); item; item = json_next(item)) {
        json_print_sorted(out, item);
        buffer_append_text(out, json_next(item) ? "," : "");
    }
    buffer_append_text(out, "]");
}

void json_print_sorted(struct buffer *out, const struct json *json)
{
    if (json_is_object(json))
        print_object(out, json);
    else if (json_is_array(json))
        print_array(out, json);
    else
        json_print(out, json);
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
        size_t sequence = strict_sequence(at + i, length - i);
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
