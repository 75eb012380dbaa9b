/* challenge - what a server asks of who logs in (WWW-Authenticate), and the answer: digest by RFC 7616.
 *
 * Of several the strongest is answered: SHA-512-256, SHA-256, MD5, each with or without -sess. One that
 * names another algorithm, no nonce, or a text of more than CHALLENGE_TEXT_MAX is none. The library of
 * digests is open (digest.h). */
#ifndef HOST_WEB_CHALLENGE_H
#define HOST_WEB_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "host/module/digest.h"
#include "host/web/headers.h"

enum { CHALLENGE_TEXT_MAX = 511 };

enum challenge_guard { CHALLENGE_BARE, CHALLENGE_AUTH, CHALLENGE_BODY }; /* qop */

struct challenge {
    enum digest_kind kind;
    int strength; /* 0: there is none */
    enum challenge_guard guard;
    bool session;    /* "-sess" */
    bool stale;      /* only the nonce was too old */
    bool hides_user; /* "userhash" */
    bool has_opaque;
    char algorithm[20]; /* as the server writes it; "": it does not */
    char realm[CHALLENGE_TEXT_MAX + 1];
    char nonce[CHALLENGE_TEXT_MAX + 1];
    char opaque[CHALLENGE_TEXT_MAX + 1];
};

/* Who answers, and for which request. */
struct challenge_login {
    const char *user;
    const char *password;
    const char *method;
    const char *target; /* path and query, as they are sent */
    const char *body;
    size_t body_length;
    const char *cnonce; /* a text of ours that nobody foresees */
};

/* The strongest of a head; false when there is none that can be answered. */
bool challenge_read(struct challenge *challenge, const struct headers *headers);

/* Whether a head asks for a login of that name, such as "Basic". */
bool challenge_names(const struct headers *headers, const char *scheme);

/* Appends what the header Authorization says then. */
void challenge_answer(struct buffer *out, const struct challenge *challenge,
                      const struct challenge_login *login);

#endif
