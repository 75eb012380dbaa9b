/* tus - one file on its way to the city, as a state machine: pure, no clock, no I/O.
 *
 *   new -> create (POST) -> note (the upload's URL is made durable) -> send (PATCH) -> sent, noted too
 *       -> fetch (its receipt) -> tell (the keeper checks it) -> done
 *
 * Whatever interrupts a PATCH is followed by `ask` (HEAD): only the server knows where to go on, and
 * no byte goes out again that it has confirmed. An upload that the server does not know any more may
 * have become evidence: its receipt is looked for before it is made anew. What a proxy says in the
 * server's place is no reason to begin anew. tus 1.0.0, core protocol and creation; no checksums, for
 * those need the whole body's before its first byte, and the city compares the whole file with the event
 * anyway. */
#ifndef COURIER_TUS_H
#define COURIER_TUS_H

#include <stdbool.h>
#include <stdint.h>

enum { TUS_URL_MAX = 1024, TUS_WHY_ROOM = 120 };

/* How many looks at a receipt in vain until the server is asked for the upload itself; and until
 * one that it does not know is made anew; how often one is asked for that is not known where no tus
 * server speaks. */
enum { TUS_LOOKS = 3, TUS_LAST_LOOKS = 3, TUS_DOUBTS = 5 };

/* Bounds of waits that double. */
enum {
    TUS_FIRST_MS = 1000,
    TUS_LOOK_MOST_MS = 60 * 1000,
    TUS_AGAIN_MOST_MS = 5 * 60 * 1000,
    TUS_REFUSED_MS = 10 * 60 * 1000, /* only a person can change that */
    TUS_ANEW_MOST_MS = 24 * 3600 * 1000,
    TUS_RETRY_MOST_MS = 3600 * 1000 /* that a server may ask for (Retry-After) */
};

enum tus_deed {
    TUS_CREATE, /* POST: Upload-Length, Upload-Metadata */
    TUS_NOTE,   /* make `url` and `is_sent` durable */
    TUS_ASK,    /* HEAD */
    TUS_SEND,   /* PATCH from `offset` */
    TUS_FETCH,  /* GET the receipt */
    TUS_TELL,   /* give the receipt to the keeper */
    TUS_DONE
};

struct tus {
    int64_t size;
    char url[TUS_URL_MAX + 1]; /* empty: none yet */
    bool is_sent;              /* all of it, as the server says */
    enum tus_deed deed;        /* what is to be done next */
    int64_t offset;            /* of TUS_SEND */
    int64_t best;              /* the most bytes that were ever confirmed */
    bool is_lost;              /* the server does not know it any more */
    unsigned looks;            /* for the receipt, in vain, in a row */
    unsigned failures;         /* in a row */
    unsigned anew;             /* how often it was made anew */
    bool has_moved;            /* the server has taken bytes of it since tus_begin() */
    bool is_refused;           /* in a way that no other try betters soon */
    int64_t aside_ms;          /* for how long it was set aside last, before; 0 never */
    int64_t least_ms;          /* the server wants to be left alone so long, */
    int64_t wait_ms;           /* the bound of the next wait, when one is due */
    char why[TUS_WHY_ROOM];    /* of that wait, for people; empty: nothing is wrong */
};

/* What became of a request. */
enum tus_fault {
    TUS_GOOD,  /* there is an answer */
    TUS_CUT,   /* no connection, or it broke */
    TUS_TRUST, /* the server is not whom we trust, or it does not trust us */
    TUS_SHORT  /* our own file cannot be read */
};

struct tus_answer {
    enum tus_fault fault;
    int status;
    int64_t offset, length; /* Upload-Offset, Upload-Length; -1 none */
    int64_t retry_s;        /* Retry-After; -1 none */
    bool is_tus;            /* Tus-Resumable: it is no proxy that answers */
    const char *location;   /* absolute and on the same server; or NULL */
    const char *said;       /* about a fault; or NULL */
};

enum tus_verdict {
    TUS_GO,   /* the next deed, now */
    TUS_REST, /* this file's next deed after a wait of at most wait_ms */
    TUS_HALT  /* the same, and the server is left alone meanwhile */
};

/* `url` as it was noted, or empty. */
void tus_begin(struct tus *tus, int64_t size, const char *url, bool is_sent);
/* The upload is on a server that is not ours any more: only a receipt that is here already counts. */
void tus_move(struct tus *tus);

/* The answer to the request of CREATE, ASK, SEND or FETCH. */
enum tus_verdict tus_answer(struct tus *tus, const struct tus_answer *answer);

/* A deed of this machine's own is done: NOTE, or (err a negative errno) TELL was refused. */
enum tus_verdict tus_noted(struct tus *tus);
enum tus_verdict tus_told(struct tus *tus, int err);

/* SEND was ended by ourselves, as when the hour is over: the server is asked before it goes on. */
void tus_interrupt(struct tus *tus);

/* The bound of the wait after so many failures in a row, the first being 1. */
int64_t tus_wait_ms(unsigned failures);

#endif
