/* dns - a question to a name server and its answer, as bytes (RFC 1035). Pure.
 *
 * Only what a stub needs: the addresses of a name. The server has followed its other names (CNAME)
 * already, so every address in the answer counts. */
#ifndef HOST_LINES_DNS_H
#define HOST_LINES_DNS_H

#include <stddef.h>
#include <stdint.h>

#include "host/lines/address.h"

enum { DNS_NAME_MAX = 253, DNS_QUESTION_MAX = 12 + DNS_NAME_MAX + 2 + 4 };

enum dns_type { DNS_A = 1, DNS_AAAA = 28 };

struct dns_question {
    uint8_t bytes[DNS_QUESTION_MAX];
    size_t length;
};

/* 0, or -EINVAL when that can be no name. */
int dns_ask(struct dns_question *question, uint16_t id, enum dns_type type,
            const char *name);

/* Puts the addresses of the answer into `found`, at most `most`, each with that port. Their number, or
 * -EPROTO: not an answer of this question; -ENOENT: there is no such name; -EAGAIN: the server
 * cannot tell. */
int dns_read(const struct dns_question *question, const uint8_t *bytes, size_t length,
             struct address *found, int most, int port);

#endif
