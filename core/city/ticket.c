/* ticket - see ticket.h. The metadata of a tus upload are texts, all of them. */
#include "city/ticket.h"

#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "proof/text.h"

static bool read_id(char id[WORD_ID_MAX + 1], const struct json *said, const char *name)
{
    const char *text = json_text(said, name);
    if (text == NULL || !word_is_id(text))
        return false;
    strcpy(id, text);
    return true;
}

static bool read_count(int64_t *count, const struct json *said, const char *name)
{
    const char *text = json_text(said, name);
    uint64_t number;
    if (text == NULL || !text_is_number(&(struct text){text, strlen(text)}, &number) ||
        number > INT64_MAX)
        return false;
    *count = (int64_t)number;
    return true;
}

static bool read_digest(char hex[TICKET_HEX_ROOM], const struct json *said,
                        const char *name)
{
    const char *text = json_text(said, name);
    struct digest digest;
    if (text == NULL || strlen(text) != TALK_DIGEST_HEX ||
        hex_decode(digest.bytes, DIGEST_BYTES, text) != 0)
        return false;
    hex_encode(hex, digest.bytes, DIGEST_BYTES);
    return strcmp(hex, text) == 0;
}

static bool read_class(enum talk_class *class, const struct json *said)
{
    const char *name = json_text(said, "class");
    int found = name == NULL ? -1 : talk_class_of(name);
    *class = (enum talk_class)found;
    return found >= 0;
}

static bool read_all(struct ticket *ticket, const struct json *json)
{
    const struct json *said = json_get(json, "metadata");
    return read_id(ticket->office, said, "office") && read_id(ticket->log, said, "log") &&
           read_count(&ticket->seq, said, "seq") &&
           read_digest(ticket->sha256, said, "sha256") &&
           read_digest(ticket->sm3, said, "sm3") &&
           read_count(&ticket->size, said, "size") && read_class(&ticket->class, said) &&
           json_number(json, "size", -1) == ticket->size;
}

int ticket_read(struct ticket *ticket, const void *bytes, size_t length)
{
    struct json *json;
    *ticket = (struct ticket){.size = 0};
    if (length > TICKET_BYTES_MAX || json_parse(&json, bytes, length) != 0)
        return -EPROTO;
    bool good = read_all(ticket, json);
    json_free(json);
    return good ? 0 : -EPROTO;
}

/* An event of a picture only has its SHA-256. */
static int look_at_names(const struct ticket *ticket, const struct json *names)
{
    const char *sha256 = json_text(names, "sha256"), *sm3 = json_text(names, "sm3");
    const char *picture = json_text(names, "picture");
    if (picture != NULL && strcmp(picture, ticket->sha256) == 0)
        return 1;
    if (sha256 == NULL || strcmp(sha256, ticket->sha256) != 0)
        return 0;
    if (json_number(names, "size", ticket->size) != ticket->size ||
        (sm3 != NULL && strcmp(sm3, ticket->sm3) != 0))
        return -EBADMSG;
    return 1;
}

int ticket_is_named(const struct ticket *ticket, const void *body, size_t length)
{
    struct json *json;
    if (memmem(body, length, ticket->sha256, TALK_DIGEST_HEX) == NULL ||
        json_parse(&json, body, length) != 0)
        return 0;
    int found = look_at_names(ticket, json_get(json, "data"));
    json_free(json);
    return found;
}
