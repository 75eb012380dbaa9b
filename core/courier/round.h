/* round - the courier's round: asks the keeper what shall go, takes one file after the other to the
 * city, and brings the receipts home. Joins keeper, state machine (tus) and HTTPS (web). */
#ifndef COURIER_ROUND_H
#define COURIER_ROUND_H

#include "base/loop.h"

enum {
    ROUND_LIST_MS = 2000, /* how often the keeper is asked what there is */
    ROUND_TICK_MS =
        2000 /* how often the hour is looked at, and the keeper told how it goes */
};

struct round;

/* Takes over `fd`, the line to the keeper. */
int round_open(struct round **out, struct loop *loop, int fd);
void round_close(struct round *round);

/* What the program ends with. */
int round_verdict(const struct round *round);

#endif
