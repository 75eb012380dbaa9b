/* xml - see xml.h.
 *
 * The library is loaded by hand, because it costs every host that is linked with it 40 KB.
 *
 * Invariant: while an element is open, texts[depth - 1] holds its own text so far. A handler that
 * refuses says why and stops the parser; what comes after it is not looked at. */
#include "host/module/xml.h"

#include <errno.h>
#include <expat.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "host/module/library.h"
#include "host/module/charset.h"

enum { DECLARATION_MAX = 200, CHARSET_ROOM = 32 };

/* ---- The library */

static const char LIBRARY[] = "libexpat.so.1";

static struct expat {
    __typeof__(&XML_ParserCreate) new;
    __typeof__(&XML_ParserFree) free;
    __typeof__(&XML_SetUserData) set_owner;
    __typeof__(&XML_SetElementHandler) on_element;
    __typeof__(&XML_SetCharacterDataHandler) on_text;
    __typeof__(&XML_SetStartDoctypeDeclHandler) on_type;
    __typeof__(&XML_Parse) parse;
    __typeof__(&XML_StopParser) stop;
    __typeof__(&XML_GetErrorCode) error;
    __typeof__(&XML_ErrorString) words;
    __typeof__(&XML_GetCurrentLineNumber) line;
    bool is_open;
} expat;

static const struct library_symbol SYMBOLS[] = {
    {"XML_ParserCreate", offsetof(struct expat, new)},
    {"XML_ParserFree", offsetof(struct expat, free)},
    {"XML_SetUserData", offsetof(struct expat, set_owner)},
    {"XML_SetElementHandler", offsetof(struct expat, on_element)},
    {"XML_SetCharacterDataHandler", offsetof(struct expat, on_text)},
    {"XML_SetStartDoctypeDeclHandler", offsetof(struct expat, on_type)},
    {"XML_Parse", offsetof(struct expat, parse)},
    {"XML_StopParser", offsetof(struct expat, stop)},
    {"XML_GetErrorCode", offsetof(struct expat, error)},
    {"XML_ErrorString", offsetof(struct expat, words)},
    {"XML_GetCurrentLineNumber", offsetof(struct expat, line)},
};

int xml_open(void)
{
    int err = charset_open();
    if (err || expat.is_open)
        return err;
    err = library_load(LIBRARY, SYMBOLS, countof(SYMBOLS), &expat);
    expat.is_open = err == 0;
    return err;
}

/* ---- What the document is written in */

static size_t skip_mark(const char *bytes, size_t length)
{
    return length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* The value of encoding="..." in the first line <?xml ... ?>; empty when it says none. */
static void read_declared(char name[CHARSET_ROOM], const char *bytes, size_t length)
{
    char line[DECLARATION_MAX + 1];
    name[0] = '\0';
    if (length < 6 || memcmp(bytes, "<?xml ", 6) != 0)
        return;
    snprintf(line, sizeof(line), "%.*s",
             length < DECLARATION_MAX ? (int)length : DECLARATION_MAX, bytes);
    line[strcspn(line, ">")] = '\0';
    const char *at = strstr(line, "encoding");
    if (at == NULL)
        return;
    at += strlen("encoding");
    at += strspn(at, " \t\r\n=");
    if (*at != '"' && *at != '\'')
        return;
    size_t named = strcspn(at + 1, at[0] == '"' ? "\"" : "'");
    if (named < CHARSET_ROOM)
        snprintf(name, CHARSET_ROOM, "%.*s", (int)named, at + 1);
}

/* What a stranger wrote goes into a line for people: letters, digits and marks only. */
static void make_plain(char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

int xml_decode(struct buffer *out, const char *charset, const void *bytes, size_t length,
               size_t *replaced, char why[XML_WHY_ROOM])
{
    char name[CHARSET_ROOM];
    const char *at = bytes;
    *replaced = 0;
    if (length > XML_BYTES_MAX) {
        snprintf(why, XML_WHY_ROOM, "expected a document of at most %d bytes, got %zu",
                 (int)XML_BYTES_MAX, length);
        return -EPROTO;
    }
    size_t mark = skip_mark(at, length);
    at += mark;
    length -= mark;
    if (charset != NULL)
        snprintf(name, sizeof(name), "%s", charset);
    else if (mark > 0)
        name[0] = '\0';
    else
        read_declared(name, at, length);
    if (name[0] == '\0')
        snprintf(name, sizeof(name), "UTF-8");
    if (charset_read(out, name, at, length, replaced) == 0)
        return 0;
    make_plain(name);
    snprintf(why, XML_WHY_ROOM,
             "encoding: expected UTF-8, GB2312, GBK or GB18030, got \"%s\"", name);
    return -EPROTO;
}

/* ---- Tokens */

static void put(struct buffer *tokens, enum xml_kind kind, const char *bytes,
                size_t length)
{
    uint32_t size = (uint32_t)length;
    char head = (char)kind;
    buffer_append(tokens, &head, 1);
    buffer_append(tokens, &size, sizeof(size));
    buffer_append(tokens, bytes, length);
}

bool xml_next(const struct buffer *tokens, size_t *at, struct xml_token *token)
{
    uint32_t size;
    if (*at == tokens->length)
        return false;
    token->kind = (enum xml_kind)tokens->bytes[*at];
    memcpy(&size, tokens->bytes + *at + 1, sizeof(size));
    token->bytes = tokens->bytes + *at + 1 + sizeof(size);
    token->length = size;
    *at += 1 + sizeof(size) + size;
    return true;
}

/* ---- Reading */

struct reader {
    XML_Parser parser;
    struct buffer *tokens;
    struct buffer texts[XML_DEPTH_MAX];
    int depth;
    int elements;
    char why[XML_WHY_ROOM]; /* empty: nothing is refused yet */
};

__attribute__((format(printf, 2, 3))) static void refuse(struct reader *reader,
                                                         const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(reader->why, sizeof(reader->why), format, values);
    va_end(values);
    expat.stop(reader->parser, XML_FALSE);
}

/* The parser still calls for what it has begun when it is stopped. */
static bool is_over(const struct reader *reader)
{
    return reader->why[0] != '\0';
}

/* "tt:Name" -> "Name" */
static const char *local_name(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon != NULL && colon[1] != '\0' ? colon + 1 : name;
}

static bool is_declaration(const char *name)
{
    return strcmp(name, "xmlns") == 0 || strncmp(name, "xmlns:", 6) == 0;
}

static void put_attributes(struct reader *reader, const char **attributes)
{
    for (int i = 0; attributes[i] != NULL; i += 2) {
        if (i / 2 == XML_ATTRIBUTES_MAX) {
            refuse(reader, "expected at most %d attributes of an element",
                   (int)XML_ATTRIBUTES_MAX);
            return;
        }
        if (is_declaration(attributes[i]))
            continue;
        const char *name = local_name(attributes[i]);
        put(reader->tokens, XML_NAME, name, strlen(name));
        put(reader->tokens, XML_VALUE, attributes[i + 1], strlen(attributes[i + 1]));
    }
}

static void opened(void *owner, const char *full_name, const char **attributes)
{
    struct reader *reader = owner;
    if (is_over(reader))
        return;
    if (reader->depth == XML_DEPTH_MAX) {
        refuse(reader, "expected elements nested at most %d deep", (int)XML_DEPTH_MAX);
        return;
    }
    if (++reader->elements > XML_ELEMENTS_MAX) {
        refuse(reader, "expected at most %d elements", (int)XML_ELEMENTS_MAX);
        return;
    }
    reader->depth++;
    const char *name = local_name(full_name);
    put(reader->tokens, XML_OPEN, name, strlen(name));
    put_attributes(reader, attributes);
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static void closed(void *owner, const char *name)
{
    struct reader *reader = owner;
    (void)name;
    if (is_over(reader))
        return;
    struct buffer *text = &reader->texts[--reader->depth];
    size_t from = 0, to = text->length;
    while (from < to && is_space(text->bytes[from]))
        from++;
    while (to > from && is_space(text->bytes[to - 1]))
        to--;
    put(reader->tokens, XML_CLOSE, from < to ? text->bytes + from : "", to - from);
    buffer_clear(text);
}

static void said(void *owner, const char *bytes, int length)
{
    struct reader *reader = owner;
    if (!is_over(reader))
        buffer_append(&reader->texts[reader->depth - 1], bytes, (size_t)length);
}

static void typed(void *owner, const char *name, const char *system, const char *public,
                  int is_inside)
{
    (void)name;
    (void)system;
    (void)public;
    (void)is_inside;
    refuse(owner, "expected no document type (<!DOCTYPE): entities are not read");
}

int xml_read(struct buffer *tokens, const char *text, size_t length,
             char why[XML_WHY_ROOM])
{
    struct reader reader = {.tokens = tokens};
    ASSERT(expat.is_open && length <= INT32_MAX);
    reader.parser = expat.new("UTF-8"); /* whatever its first line says */
    ASSERT(reader.parser != NULL);
    expat.set_owner(reader.parser, &reader);
    expat.on_element(reader.parser, opened, closed);
    expat.on_text(reader.parser, said);
    expat.on_type(reader.parser, typed);
    bool good = expat.parse(reader.parser, text, (int)length, 1) == XML_STATUS_OK;
    if (!good)
        snprintf(why, XML_WHY_ROOM, "line %lu: %.90s",
                 (unsigned long)expat.line(reader.parser),
                 is_over(&reader) ? reader.why : expat.words(expat.error(reader.parser)));
    expat.free(reader.parser);
    for (int i = 0; i < XML_DEPTH_MAX; i++)
        buffer_free(&reader.texts[i]);
    return good ? 0 : -EPROTO;
}
