/* office - the real keeper in this process, with the far ends of a host's and an uplink's line.
 *
 * keeper_open(), the loop, commits over lines, errands in forked children, SIGTERM and keeper_close():
 * nothing is replaced but who stands at the other ends. */
#ifndef TESTS_FAULTS_POWERCUT_OFFICE_H
#define TESTS_FAULTS_POWERCUT_OFFICE_H

#include "keeper/keeper.h"
#include "ledger.h"

struct office {
    struct keeper keeper;
    struct config *config;  /* without plugins: no process is started */
    struct config *plugins; /* what the host may say */
    struct key *city;
    struct ledger *ledger; /* NULL: nothing is noted */
    bool believes_all;     /* a control: who is refused takes it for done */
    void (*committed)(void *owner, int err, bool had_alarm);
    struct peer host, uplink;
    int host_end, uplink_end;
    int64_t number; /* of the next event */
    uint32_t id;    /* of the newest question */
};

/* What offices that are opened from now on have room for. The reserve is made anew in every state, so
 * it is small. */
void office_storage(int64_t quota_bytes, int64_t reserve_bytes);

/* Called when an office that is opened from now on stands, and after each of its transactions that has
 * been told done. NULL: nobody is. */
void office_watch(void (*told)(struct office *office));

/* Starts the keeper on that state folder; notes that it stands. What keeper_open() says. */
int office_open(struct office *office, const char *folder, struct ledger *ledger);
/* Stops it in good order by SIGTERM, or lets it go as it is. */
void office_stop(struct office *office);
void office_close(struct office *office);

/* Says a COMMIT of `count` events and some keys and cursors, chosen by `random`. */
void office_say(struct office *office, int count, uint64_t *random);
/* Hears until all that was said is answered; false when the keeper ended, refused something, or left
 * events out for want of room. */
bool office_hear(struct office *office);
/* A receipt of the city for the first events up to `size`. */
void office_receive(struct office *office, int64_t size);
/* Says that, and hears the answer: its frame, good until the next is heard. False when the keeper ended. */
bool office_ask(struct office *office, const struct buffer *question,
                struct frame *answer);
/* Time passes, and the keeper does what it wants. */
void office_pass(struct office *office, int ms);

#endif
