/* transfer - an HTTP request on its way, and the connections that many of them share.
 *
 * A transfer is opened, given its headers, started, and says `news` from the loop, never from inside
 * a call, whenever there is more to look at: the head of the answer, bytes of a stream, the end. Only
 * http and https; no proxy, no cookies, no netrc. A password is tried once: after the answer 401 the
 * request goes out a second time, and that answer is the answer, unless it says that only the nonce
 * was stale. Until then a body waits here, in case a login is asked for; of several challenges the
 * strongest is answered (challenge.h). A redirect is followed when it was wished for, by GET and HEAD,
 * and only on the same host and never from https to http.
 *
 * Bounds: TRANSFERS_MAX at once; three connections to one host, kept and used again; the head of an
 * answer TRANSFER_HEAD_MAX; the body of a request what was wished, after decompression; a stream that
 * nobody reads waits, with TRANSFER_ROOM and what the library had in hand. No name of a user, no
 * password and no path is in `why`. */
#ifndef HOST_WEB_TRANSFER_H
#define HOST_WEB_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/loop.h"
#include "host/web/headers.h"
#include "host/web/transfer_fault.h"

enum {
    TRANSFERS_MAX = 16,
    TRANSFER_HEAD_MAX = 64 * 1024,
    TRANSFER_SENT_MAX = 8 * 1024 * 1024, /* bytes of a request's body */
    TRANSFER_REDIRECTS_MAX = 3
};

#ifdef SMALL_BOUNDS
enum { TRANSFER_ROOM = 1 };
#else
enum { TRANSFER_ROOM = 64 * 1024 };
#endif

enum transfer_auth { TRANSFER_NONE, TRANSFER_BASIC, TRANSFER_DIGEST, TRANSFER_ANY };

struct transfer_wish {
    const char *method; /* NULL: GET, or POST when there is a body */
    const char *url;
    const char *body; /* NULL: none */
    size_t body_length;
    const char *user;
    const char *password;
    enum transfer_auth auth;
    const char *ca; /* a file; NULL: those of the system */
    bool insecure;  /* whoever it is */
    bool stream;    /* the body is read bit by bit; the time-out is for the head only */
    int redirects;
    int64_t timeout_ms;
    int64_t low_bytes; /* fewer a second than this */
    int64_t low_ms;    /* for so long end it; 0: never */
    size_t most;       /* bytes of the answer's body, when it is no stream */
};

struct transfer_answer {
    bool has_head; /* then status and headers are those of the answer */
    bool over;     /* then fault, why, url and took_ms are set */
    int status;
    struct headers headers;
    struct buffer body; /* of a stream: what has not been taken yet */
    enum transfer_fault fault;
    const char *why;
    const char *url;
    int64_t took_ms;
};

struct transfers;
struct transfer;

/* Once per process, before anything else: the library opens what it needs. */
int transfer_prepare(void);

/* What many transfers share: their connections. */
int transfer_open_all(struct transfers **out, struct loop *loop);
/* All of its transfers are closed. */
void transfer_close_all(struct transfers *transfers);

/* -EBUSY when there are TRANSFERS_MAX. */
int transfer_open(struct transfer **out, struct transfers *transfers,
                  void (*news)(void *owner), void *owner);
void transfer_close(struct transfer *transfer);

/* A line "Name: value" of the request. */
void transfer_header(struct transfer *transfer, const char *line);

/* Nothing of the wish is used after this. A fault is told in `why`. */
enum transfer_fault transfer_start(struct transfer *transfer,
                                   const struct transfer_wish *wish);

/* What there is of the answer; true until the transfer is closed. */
const struct transfer_answer *transfer_answer(const struct transfer *transfer);

/* Takes bytes of a stream away from the front of the body. */
void transfer_take(struct transfer *transfer, size_t length);

#endif
