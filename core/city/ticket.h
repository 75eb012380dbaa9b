/* ticket - what a tus server wrote down of one upload (ID.json of @tus/file-store), and whether an
 * event names the file. Every byte is foreign. Pure. */
#ifndef CITY_TICKET_H
#define CITY_TICKET_H

#include <stddef.h>
#include <stdint.h>

#include "base/word.h"
#include "proof/suite.h"
#include "wire/talk.h"

enum { TICKET_BYTES_MAX = 16 * 1024, TICKET_HEX_ROOM = TALK_DIGEST_HEX + 1 };

struct ticket {
    char office[WORD_ID_MAX + 1];
    char log[WORD_ID_MAX + 1];
    int64_t seq;                  /* of the first event of the commit that named it */
    char sha256[TICKET_HEX_ROOM]; /* what the office says, in small letters */
    char sm3[TICKET_HEX_ROOM];
    int64_t size;
    enum talk_class class;
};

/* 0 or -EPROTO. */
int ticket_read(struct ticket *ticket, const void *json, size_t length);

/* Whether the event's data names this file: 1 yes, 0 no, -EBADMSG by its SHA-256, but says that the
 * size or the SM3 is another. */
int ticket_is_named(const struct ticket *ticket, const void *body, size_t length);

#endif
