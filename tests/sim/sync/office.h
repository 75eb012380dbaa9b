/* office - the keeper and its uplink: the real receipts, fetches, group commits and relay, over a
 * journal that is kept in memory (disk.c). */
#ifndef SIM_OFFICE_H
#define SIM_OFFICE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/talk.h"

#define OFFICE_KEY "outpost/office-1"

void office_begin(void);

/* The keeper, which starts its uplink and starts it again whenever it ends. */
void office_start(void);
bool office_is_running(void);
/* The keeper has died, or dies now, and the uplink with it. */
void office_fell(bool silent);

/* A plugin hands in an event of so many bytes; whether it was taken. */
bool office_emit(enum talk_lane lane, unsigned bytes);
/* Some of the oldest telemetry loses its body. */
void office_erase(unsigned count);
/* The keeper asks its uplink to end, as at a reload, and starts it again. */
void office_stop_uplink(void);
/* The journal is lost; the next start makes a new one. False when there were enough. */
bool office_renew(void);

/* What the office believes that the city has. */
int64_t office_mark(enum talk_lane lane);
/* Whether it says that what is sent comes to nothing. */
bool office_is_stalled(void);
/* Of the newest checkpoint. */
int64_t office_signed(void);

/* The uplink alone (uplink.c). */
void uplink_begin(void);
void uplink_start(void);
bool uplink_is_running(void);
void uplink_fell(bool silent);

#endif
