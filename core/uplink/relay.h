/* relay - joins the keeper, the sync engine and the two connections to the broker.
 *
 * Decides nothing about what is sent when (sync.h does), but all about what is said of it: status,
 * checkpoint, health, log. */
#ifndef UPLINK_RELAY_H
#define UPLINK_RELAY_H

#include "base/loop.h"

struct relay;

/* Takes over `fd`, the line to the keeper. The relay stops the loop when it is done. */
int relay_open(struct relay **out, struct loop *loop, int fd);
void relay_close(struct relay *relay);

/* 0 when it ended as it was told to, else 1. */
int relay_verdict(const struct relay *relay);

#endif
