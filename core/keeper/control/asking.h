/* asking - what a person asks of a plugin: an action, which changes something, or a view.
 *
 * The configuration says which there are and which roles may ask for each; what is allowed goes to the
 * instance's host, and its answer back to who asked. At most ASKING_MAX questions are open at once;
 * one without an answer after ASKING_DEADLINE_MS is answered -ETIMEDOUT, and one whose host goes away
 * -ECONNRESET: of both nobody knows whether it was done. A view whose asker goes away is forgotten.
 *
 * Each action, done, refused or failed, is an event action.performed (self.h), and the answer goes out
 * only when that is on disk. So an action goes on, and has its event, when its asker is gone. */
#ifndef KEEPER_CONTROL_ASKING_H
#define KEEPER_CONTROL_ASKING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/word.h"
#include "keeper/children/group.h"
#include "keeper/children/peer.h"
#include "keeper/config.h"
#include "keeper/control/access.h"

#ifdef SMALL_BOUNDS
enum { ASKING_MAX = 4, ASKING_DEADLINE_MS = 150 };
#else
enum { ASKING_MAX = 16, ASKING_DEADLINE_MS = 30 * 1000 };
#endif

enum { ASKING_NAME_MAX = 48 };

struct children;

struct asking_question {
    struct asking *asking; /* NULL: the place is free */
    struct peer *asker;    /* NULL: gone */
    uint32_t asker_id;
    struct peer *host; /* NULL: it has answered, or was never asked */
    uint32_t id;       /* of the question to the host */
    struct loop_timer deadline;
    bool is_action;
    char instance[WORD_ID_MAX + 1];
    char name[ASKING_NAME_MAX + 1];
    struct access_who who;
    int role;             /* in which it is asked; 0: in none of those it needs */
    struct buffer answer; /* waits for its event to be on disk */
};

struct asking {
    struct loop *loop;
    struct group *group;
    struct children *children;
    const struct config *config; /* who may ask for what, now */
    uint32_t last_id;
    bool is_over; /* nothing more is recorded */
    struct asking_question questions[ASKING_MAX];
};

void asking_open(struct asking *asking, struct loop *loop, struct children *children,
                 const struct config *config);
/* What is open is forgotten; what comes is refused, and leaves no event. */
void asking_close(struct asking *asking);

/* ASK came from `asker`, who is `who`. 0, or -EPROTO when it is not as agreed. Whoever brings questions
 * from elsewhere (a signed command of the city) says here who asks. */
int asking_ask(struct asking *asking, struct peer *asker, const struct frame *frame,
               const struct access_who *who);
/* ANSWER came from a host. One that nobody waits for is ignored. 0 or -EPROTO. */
int asking_answer(struct asking *asking, struct peer *host, const struct frame *frame);

/* The group is on disk, or (a negative errno) is not. */
void asking_committed(struct asking *asking, int err);
/* The peer is gone. */
void asking_forget(struct asking *asking, const struct peer *peer);

#endif
