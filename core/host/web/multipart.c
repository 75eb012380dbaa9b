/* multipart - see multipart.h.
 *
 * Invariant: `line` holds the bytes since the last line end, as far as they fit, in every state that
 * looks for a delimiter, and `line_start` is where that line begins in `body`. */
#include "host/web/multipart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "base/mem.h"

enum {
    DASHES = 2,
    MARK_MAX =
        DASHES + MULTIPART_BOUNDARY_MAX + DASHES + 8, /* the rest: line ends, blanks */
    COUNTED_MAX = 256 * 1024 * 1024,
    CERTAIN = 3
};

enum state { BETWEEN, HEAD, BODY };
enum mark { NONE, OPENS, CLOSES };

struct multipart {
    char delimiter[DASHES + MULTIPART_BOUNDARY_MAX + 1];
    size_t delimiter_length;
    enum state state;
    struct buffer line;
    bool line_is_long;
    struct headers headers;
    size_t head_bytes;
    struct buffer body;
    size_t line_start;
    size_t left;    /* of a body that says its length */
    bool counted;   /* it does */
    bool scanned;   /* its lines are looked at */
    bool skipping;  /* it is too big */
    bool delivered; /* the part was whole: the next feed begins anew */
    int64_t skipped;
    int64_t malformed;
};

/* ---- The boundary */

static const char *boundary_in(const char *type, size_t *length)
{
    static const char KIND[] = "multipart/", NAME[] = "boundary";
    if (strncasecmp(type, KIND, strlen(KIND)) != 0)
        return NULL;
    const char *found = strcasestr(type, NAME);
    if (found == NULL)
        return NULL;
    found += strlen(NAME);
    found += strspn(found, " \t");
    if (*found++ != '=')
        return NULL;
    found += strspn(found, " \t");
    if (*found == '"') {
        *length = strcspn(++found, "\"");
        return found;
    }
    *length = strcspn(found, ";");
    while (*length > 0 && (found[*length - 1] == ' ' || found[*length - 1] == '\t'))
        (*length)--;
    return found;
}

int multipart_open(struct multipart **out, const char *content_type)
{
    size_t length = 0;
    const char *boundary = content_type ? boundary_in(content_type, &length) : NULL;
    if (boundary == NULL || length == 0 || length > MULTIPART_BOUNDARY_MAX)
        return -EINVAL;
    struct multipart *multipart = mem_new(struct multipart);
    memcpy(multipart->delimiter, "--", DASHES);
    memcpy(multipart->delimiter + DASHES, boundary, length);
    multipart->delimiter_length = DASHES + length;
    *out = multipart;
    return 0;
}

void multipart_close(struct multipart *multipart)
{
    if (multipart == NULL)
        return;
    buffer_free(&multipart->line);
    buffer_free(&multipart->body);
    headers_free(&multipart->headers);
    mem_free(multipart);
}

/* ---- Lines */

static bool is_complete(const struct buffer *line)
{
    return line->length > 0 && line->bytes[line->length - 1] == '\n';
}

/* The line is the delimiter, up to blanks, or with two more dashes the one that closes. */
static enum mark mark_of(const struct buffer *line, const char *delimiter, size_t length)
{
    size_t end = line->length;
    while (end > 0 && strchr(" \t\r\n", line->bytes[end - 1]) != NULL)
        end--;
    if (end < length || memcmp(line->bytes, delimiter, length) != 0)
        return NONE;
    if (end == length)
        return OPENS;
    return end == length + DASHES && memcmp(line->bytes + length, "--", DASHES) == 0
               ? CLOSES
               : NONE;
}

static enum mark look_at_line(const struct multipart *multipart)
{
    const char *delimiter = multipart->delimiter;
    size_t length = multipart->delimiter_length;
    if (multipart->line_is_long || multipart->line.length == 0)
        return NONE;
    enum mark mark = mark_of(&multipart->line, delimiter, length);
    bool has_own = length > 2 * DASHES && memcmp(delimiter + DASHES, "--", DASHES) == 0;
    if (mark == NONE && has_own)
        mark = mark_of(&multipart->line, delimiter + DASHES, length - DASHES);
    return mark;
}

/* Whether the line so far can only become a delimiter. */
static bool is_becoming_one(const struct multipart *multipart)
{
    const struct buffer *line = &multipart->line;
    size_t length = multipart->delimiter_length;
    size_t same = line->length < length ? line->length : length;
    if (multipart->line_is_long || line->length < CERTAIN ||
        memcmp(line->bytes, multipart->delimiter, same) != 0)
        return false;
    for (size_t i = same; i < line->length; i++)
        if (strchr("- \t\r", line->bytes[i]) == NULL)
            return false;
    return true;
}

static void add_to_line(struct multipart *multipart, const char *bytes, size_t length)
{
    size_t most = multipart->state == HEAD ? (size_t)MULTIPART_HEAD_MAX : MARK_MAX;
    if (multipart->line.length + length > most)
        multipart->line_is_long = true;
    else
        buffer_append(&multipart->line, bytes, length);
}

static void drop_line(struct multipart *multipart)
{
    buffer_clear(&multipart->line);
    multipart->line_is_long = false;
}

/* ---- Parts */

static void begin_part(struct multipart *multipart, enum mark mark)
{
    multipart->state = mark == OPENS ? HEAD : BETWEEN;
    multipart->head_bytes = 0;
    if (!multipart->delivered)
        headers_clear(&multipart->headers);
    drop_line(multipart);
}

static void look_between(struct multipart *multipart)
{
    enum mark mark = look_at_line(multipart);
    if (mark != NONE)
        begin_part(multipart, mark);
    drop_line(multipart);
}

static void deliver(struct multipart *multipart)
{
    multipart->delivered = !multipart->skipping;
    multipart->state = BETWEEN;
}

static bool is_text(const struct headers *headers)
{
    const char *type = headers_find(headers, "content-type");
    return type != NULL && (strncasecmp(type, "text/", 5) == 0 ||
                            strcasestr(type, "json") || strcasestr(type, "xml"));
}

static void skip(struct multipart *multipart)
{
    multipart->skipping = true;
    multipart->skipped++;
    buffer_free(&multipart->body);
}

static void begin_body(struct multipart *multipart, size_t most)
{
    const char *said = headers_find(&multipart->headers, "content-length");
    char *end = NULL;
    unsigned long long length = 0;
    if (said != NULL && said[0] >= '0' && said[0] <= '9')
        length = strtoull(said, &end, 10);
    multipart->counted = end != NULL && *end == '\0' && length <= COUNTED_MAX;
    multipart->left = multipart->counted ? (size_t)length : 0;
    multipart->scanned = !multipart->counted || is_text(&multipart->headers);
    multipart->skipping = false;
    multipart->state = BODY;
    multipart->line_start = 0;
    drop_line(multipart);
    if (multipart->counted && multipart->left > most)
        skip(multipart);
    if (multipart->counted && multipart->left == 0)
        deliver(multipart);
}

static void step_head(struct multipart *multipart, const char *bytes, size_t length,
                      size_t most)
{
    struct buffer *line = &multipart->line;
    multipart->head_bytes += length;
    add_to_line(multipart, bytes, length);
    if (multipart->head_bytes > MULTIPART_HEAD_MAX) {
        multipart->malformed++;
        multipart->state = BETWEEN;
        if (bytes[length - 1] == '\n')
            drop_line(multipart);
        return;
    }
    if (!is_complete(line))
        return;
    if (line->length == 1 || (line->length == 2 && line->bytes[0] == '\r')) {
        begin_body(multipart, most);
        return;
    }
    enum mark mark = look_at_line(multipart);
    if (mark != NONE) { /* the part before it had no body */
        multipart->malformed++;
        begin_part(multipart, mark);
        return;
    }
    headers_add(&multipart->headers, line->bytes, line->length);
    drop_line(multipart);
}

/* The line that is no part of the body, and the line end before it, which belongs to it. */
static void cut_line(struct multipart *multipart)
{
    struct buffer *body = &multipart->body;
    body->length = multipart->skipping ? 0 : multipart->line_start;
    if (body->length > 0 && body->bytes[body->length - 1] == '\n')
        body->length--;
    if (body->length > 0 && body->bytes[body->length - 1] == '\r')
        body->length--;
}

/* Firmware that counts letters instead of bytes says too little where a name is Chinese. JSON shows it
 * by its braces: then the body goes on to the next delimiter. */
static bool is_too_short(const struct multipart *multipart)
{
    const struct buffer *body = &multipart->body;
    bool quoted = false;
    int depth = 0;
    if (!multipart->scanned || body->length == 0 || body->bytes[0] != '{')
        return false;
    for (size_t i = 0; i < body->length; i++) {
        char letter = body->bytes[i];
        if (quoted && letter == '\\')
            i++;
        else if (letter == '"')
            quoted = !quoted;
        else if (!quoted)
            depth += (letter == '{') - (letter == '}');
    }
    return depth > 0;
}

/* Whether the body is longer than it says; it is not counted any more then. */
static bool goes_on(struct multipart *multipart)
{
    multipart->counted = is_becoming_one(multipart) || !is_too_short(multipart);
    return !multipart->counted;
}

static void end_counted(struct multipart *multipart)
{
    bool is_next = multipart->scanned && is_becoming_one(multipart);
    if (is_next)
        cut_line(multipart);
    deliver(multipart);
    if (!is_next)
        drop_line(multipart);
}

/* A delimiter ends the body whose last line it was. */
static void end_marked(struct multipart *multipart, enum mark mark, size_t most)
{
    cut_line(multipart);
    if (!multipart->skipping && multipart->body.length > most)
        skip(multipart);
    deliver(multipart);
    begin_part(multipart, mark);
}

static void step_body(struct multipart *multipart, const char *bytes, size_t length,
                      size_t most)
{
    if (!multipart->skipping)
        buffer_append(&multipart->body, bytes, length);
    if (multipart->counted)
        multipart->left -= length;
    if (multipart->scanned)
        add_to_line(multipart, bytes, length);
    bool is_line = multipart->scanned && bytes[length - 1] == '\n';
    enum mark mark = is_line ? look_at_line(multipart) : NONE;
    if (mark != NONE) {
        end_marked(multipart, mark, most);
        return;
    }
    if (multipart->counted && multipart->left == 0 && !goes_on(multipart)) {
        end_counted(multipart);
        return;
    }
    if (is_line) {
        drop_line(multipart);
        multipart->line_start = multipart->body.length;
    }
    if (!multipart->skipping && multipart->body.length > most + DASHES + MARK_MAX)
        skip(multipart);
}

/* How much is looked at in one go: to the end of the line, where lines matter. */
static size_t piece_of(const struct multipart *multipart, const char *bytes,
                       size_t length)
{
    bool in_body = multipart->state == BODY;
    if (in_body && multipart->counted && length > multipart->left)
        length = multipart->left;
    if (in_body && !multipart->scanned)
        return length;
    const char *end = memchr(bytes, '\n', length);
    return end != NULL ? (size_t)(end - bytes) + 1 : length;
}

static void step(struct multipart *multipart, const char *bytes, size_t length,
                 size_t most)
{
    if (multipart->state == HEAD) {
        step_head(multipart, bytes, length, most);
    } else if (multipart->state == BODY) {
        step_body(multipart, bytes, length, most);
    } else {
        add_to_line(multipart, bytes, length);
        if (bytes[length - 1] == '\n')
            look_between(multipart);
    }
}

size_t multipart_feed(struct multipart *multipart, const char *bytes, size_t length,
                      size_t most, bool *whole)
{
    size_t taken = 0;
    if (multipart->delivered) {
        multipart->delivered = false;
        headers_clear(&multipart->headers);
        buffer_free(&multipart->body);
    }
    while (taken < length && !multipart->delivered) {
        size_t piece = piece_of(multipart, bytes + taken, length - taken);
        step(multipart, bytes + taken, piece, most);
        taken += piece;
    }
    *whole = multipart->delivered;
    return taken;
}

bool multipart_finish(struct multipart *multipart, size_t most)
{
    bool is_open = multipart->state == BODY && !multipart->counted;
    bool is_cut = multipart->state == BODY
                      ? !is_open && !multipart->skipping
                      : multipart->state == HEAD && multipart->head_bytes > 0;
    if (multipart->delivered)
        return false;
    multipart->malformed += is_cut;
    if (is_open) {
        multipart->line_start =
            look_at_line(multipart) ? multipart->line_start : multipart->body.length;
        end_marked(multipart, CLOSES, most);
    }
    multipart->state = BETWEEN;
    return multipart->delivered;
}

const struct headers *multipart_headers(const struct multipart *multipart)
{
    return &multipart->headers;
}

const struct buffer *multipart_body(const struct multipart *multipart)
{
    return &multipart->body;
}

int64_t multipart_skipped(const struct multipart *multipart)
{
    return multipart->skipped;
}

int64_t multipart_malformed(const struct multipart *multipart)
{
    return multipart->malformed;
}
