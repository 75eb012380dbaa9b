/* note - see note.h.
 *
 *   text\n
 *   \n
 *   <em dash> <key name> <base64 of 4 bytes of key id and the signature>\n
 *   ...
 *
 * The text ends where the last empty line begins, so it may hold empty lines itself. */
#include "proof/note.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"
#include "proof/base64.h"

static const char DASH[] = "\xe2\x80\x94 "; /* U+2014 and a space */

enum { SIGNATURES_MAX = 16, ID_BYTES = 4, DASH_BYTES = sizeof(DASH) - 1 };

static void append_signature(struct buffer *out, const char *text, size_t length,
                             const struct key *key)
{
    struct buffer signature = {0};
    uint32_t id = key_id(key);
    const char bytes[ID_BYTES] = {(char)(id >> 24), (char)(id >> 16), (char)(id >> 8),
                                  (char)id};
    buffer_append(&signature, bytes, ID_BYTES);
    key_sign(key, &signature, text, length);
    buffer_printf(out, "%s%s ", DASH, key_name(key));
    base64_encode(out, signature.bytes, signature.length);
    buffer_append(out, "\n", 1);
    buffer_free(&signature);
}

void note_sign(struct buffer *out, const char *text, const struct key *key)
{
    size_t length = strlen(text);
    ASSERT(length > 0 && text[length - 1] == '\n');
    buffer_append(out, text, length);
    buffer_append(out, "\n", 1);
    append_signature(out, text, length, key);
}

/* One signature line, its parts still in the note. */
struct line {
    const char *name;
    size_t name_length;
    const char *code;
    size_t code_length;
};

/* Takes the line at *next; 1, 0 at the end, -EPROTO. */
static int next_line(struct line *line, const char **next, const char *end)
{
    const char *at = *next;
    if (at == end)
        return 0;
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    if (stop == NULL || stop - at < DASH_BYTES || memcmp(at, DASH, DASH_BYTES) != 0)
        return -EPROTO;
    line->name = at + DASH_BYTES;
    const char *space = memchr(line->name, ' ', (size_t)(stop - line->name));
    if (space == NULL || space == line->name || space + 1 == stop)
        return -EPROTO;
    line->name_length = (size_t)(space - line->name);
    line->code = space + 1;
    line->code_length = (size_t)(stop - line->code);
    *next = stop + 1;
    return 1;
}

static bool has_only_text(const char *note, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)note[i] < ' ' && note[i] != '\n') || note[i] == 0x7f)
            return false;
    return true;
}

static int check_lines(const char *next, const char *end)
{
    struct line line;
    int count = 0;
    int more;
    while ((more = next_line(&line, &next, end)) > 0)
        if (++count > SIGNATURES_MAX)
            return -EPROTO;
    return count == 0 ? -EPROTO : more;
}

int note_split(const void *note, size_t length, size_t *text_length)
{
    const char *text = note;
    if (length < 3 || length > NOTE_MAX || !has_only_text(text, length))
        return -EPROTO;
    size_t split = length - 2;
    while (split > 0 && memcmp(text + split, "\n\n", 2) != 0)
        split--;
    if (split == 0)
        return -EPROTO;
    int err = check_lines(text + split + 2, text + length);
    if (!err)
        *text_length = split + 1;
    return err;
}

int note_countersign(struct buffer *note, const struct key *key)
{
    size_t text_length;
    int err = note_split(note->bytes, note->length, &text_length);
    if (err)
        return err;
    struct buffer whole = {0};
    buffer_append(&whole, note->bytes, note->length);
    append_signature(&whole, note->bytes, text_length, key);
    err = note_split(whole.bytes, whole.length, &text_length);
    if (!err)
        buffer_append(note, whole.bytes + note->length, whole.length - note->length);
    buffer_free(&whole);
    return err;
}

static bool is_of(const struct line *line, const struct buffer *signature,
                  const struct key *key)
{
    const unsigned char *id = (const unsigned char *)signature->bytes;
    const char *name = key_name(key);
    return line->name_length == strlen(name) &&
           memcmp(line->name, name, line->name_length) == 0 &&
           signature->length > ID_BYTES &&
           ((uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 |
            id[3]) == key_id(key);
}

/* 0 or -EBADMSG when the line is of the key, else -ENOKEY. */
static int check_line(const struct line *line, const struct key *key, const char *text,
                      size_t length)
{
    struct buffer signature = {0};
    int err = base64_decode(&signature, line->code, line->code_length);
    if (!err && is_of(line, &signature, key))
        err = key_check(key, signature.bytes + ID_BYTES, signature.length - ID_BYTES,
                        text, length);
    else
        err = -ENOKEY;
    buffer_free(&signature);
    return err;
}

int note_open(const void *note, size_t length, const struct key *key, size_t *text_length)
{
    size_t split;
    int err = note_split(note, length, &split);
    if (err)
        return err;
    const char *next = (const char *)note + split + 1;
    struct line line;
    while (next_line(&line, &next, (const char *)note + length) > 0) {
        err = check_line(&line, key, note, split);
        if (err == 0)
            *text_length = split;
        if (err != -ENOKEY)
            return err;
    }
    return -ENOKEY;
}
