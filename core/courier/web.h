/* web - one HTTPS request at a time, with our certificate. The door to libcurl.
 *
 * Only https, to a server that the given authority has signed; no proxy, no redirects, no cookies. A
 * body comes out of a pipe and is never held here. `ended` comes from the loop, never from inside a
 * call. No user, no path and no query is in what is said. */
#ifndef COURIER_WEB_H
#define COURIER_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/loop.h"

enum {
    WEB_BODY_MAX = 16 * 1024, /* of an answer; a longer one is cut */
    WEB_WHY_ROOM = 120,
    WEB_ANSWER_MS = 60 * 1000,
    WEB_SILENCE_MS = 120 * 1000 /* no byte moves: it is over */
};

struct web;

struct web_wish {
    const char *method; /* "GET", "HEAD", "POST", "PATCH" */
    const char *url;
    const char *const *headers; /* "Name: value" ..., ended by NULL */
    int body;                   /* a pipe whose bytes are the body; -1 none. Taken over */
    int64_t length;             /* of the body */
    int64_t rate;               /* bytes a second at most; 0: as fast as it goes */
};

/* SHORT: the body's pipe ended before the body did. */
enum web_fault { WEB_GOOD, WEB_CUT, WEB_TRUST, WEB_SHORT };

struct web_answer {
    enum web_fault fault;
    int status;
    int64_t offset, length; /* Upload-Offset and Upload-Length, -1 none */
    int64_t retry_s;        /* Retry-After in seconds, -1 none */
    bool is_tus;            /* it says Tus-Resumable */
    const char *location;   /* made absolute, when it is on the same server; else NULL */
    const void *body;
    size_t body_length;
    const char *why; /* of a fault */
};

/* Once per process, before anything else. */
int web_prepare(void);

/* The files are read anew for each connection. NULL: the system's authorities, no certificate. */
struct web_trust {
    const char *ca, *cert, *key;
};

int web_open(struct web **out, struct loop *loop, const struct web_trust *trust,
             void (*ended)(void *owner, const struct web_answer *answer), void *owner);
void web_close(struct web *web);

/* None is under way. */
void web_start(struct web *web, const struct web_wish *wish);
/* Ends it without `ended`. Fine when there is none, and for NULL. */
void web_stop(struct web *web);
bool web_is_busy(const struct web *web);

/* Bytes of the body that have gone out so far. */
int64_t web_sent(const struct web *web);

/* Whether both lead to the same host and port. */
bool web_is_same_server(const char *url, const char *other);

#endif
