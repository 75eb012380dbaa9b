/* dns - see dns.h.
 *
 * Rule of this file: no byte is read before it is known to be there, and every step of a loop goes
 * forward in the message: names are skipped, their pointers never followed. */
#include "host/lines/dns.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
    HEAD = 12,
    CLASS_INTERNET = 1,
    FLAG_ANSWER = 0x80,  /* of byte 2 */
    FLAG_RECURSE = 0x01, /* of byte 2 */
    CODE_NO_NAME = 3,    /* of the low half of byte 3 */
    LABEL_MAX = 63,
    POINTER = 0xC0,
    RECORD_HEAD = 10
};

static uint16_t number(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put_number(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* The name as labels, each after its length; 0 when it can be none. */
static size_t put_name(uint8_t *out, const char *name)
{
    size_t at = 0, length = strlen(name);
    if (length > 0 && name[length - 1] == '.')
        length--;
    if (length == 0 || length > DNS_NAME_MAX)
        return 0;
    while (length > 0) {
        const char *dot = memchr(name, '.', length);
        size_t label = dot != NULL ? (size_t)(dot - name) : length;
        if (label == 0 || label > LABEL_MAX)
            return 0;
        out[at++] = (uint8_t)label;
        memcpy(out + at, name, label);
        at += label;
        size_t done = dot != NULL ? label + 1 : label;
        if (done == length && dot != NULL)
            return 0; /* a second dot at the end */
        name += done;
        length -= done;
    }
    out[at++] = 0;
    return at;
}

int dns_ask(struct dns_question *question, uint16_t id, enum dns_type type,
            const char *name)
{
    uint8_t *bytes = question->bytes;
    memset(bytes, 0, HEAD);
    put_number(bytes, id);
    bytes[2] = FLAG_RECURSE;
    put_number(bytes + 4, 1);
    size_t length = put_name(bytes + HEAD, name);
    if (length == 0)
        return -EINVAL;
    put_number(bytes + HEAD + length, (uint16_t)type);
    put_number(bytes + HEAD + length + 2, CLASS_INTERNET);
    question->length = HEAD + length + 4;
    return 0;
}

static bool is_answer(const struct dns_question *question, const uint8_t *bytes,
                      size_t length)
{
    return length >= question->length && memcmp(bytes, question->bytes, 2) == 0 &&
           (bytes[2] & FLAG_ANSWER) != 0 && number(bytes + 4) == 1 &&
           memcmp(bytes + HEAD, question->bytes + HEAD, question->length - HEAD) == 0;
}

/* Behind the name at `at`; beyond `length` when it has no end. */
static size_t skip_name(const uint8_t *bytes, size_t length, size_t at)
{
    while (at < length) {
        if (bytes[at] == 0)
            return at + 1;
        if ((bytes[at] & POINTER) == POINTER)
            return at + 2;
        at += 1 + (size_t)bytes[at];
    }
    return length + 1;
}

/* One record at *at: whether it was whole. */
static bool read_record(const uint8_t *bytes, size_t length, size_t *at, uint16_t type,
                        const uint8_t **value)
{
    size_t head = skip_name(bytes, length, *at);
    *value = NULL;
    if (head + RECORD_HEAD > length)
        return false;
    size_t size = number(bytes + head + 8);
    size_t wanted = type == DNS_A ? 4 : 16;
    if (head + RECORD_HEAD + size > length)
        return false;
    if (number(bytes + head) == type && number(bytes + head + 2) == CLASS_INTERNET &&
        size == wanted)
        *value = bytes + head + RECORD_HEAD;
    *at = head + RECORD_HEAD + size;
    return true;
}

int dns_read(const struct dns_question *question, const uint8_t *bytes, size_t length,
             struct address *found, int most, int port)
{
    const uint8_t *value;
    int count = 0;
    if (!is_answer(question, bytes, length))
        return -EPROTO;
    int code = bytes[3] & 0x0f;
    if (code != 0)
        return code == CODE_NO_NAME ? -ENOENT : -EAGAIN;
    uint16_t type = number(question->bytes + question->length - 4);
    size_t at = question->length;
    for (int left = number(bytes + 6); left > 0 && count < most; left--) {
        if (!read_record(bytes, length, &at, type, &value))
            break; /* cut off: what came before it is good */
        if (value != NULL)
            address_from_bytes(&found[count++], value, type == DNS_A ? 4 : 16, port);
    }
    return count;
}
