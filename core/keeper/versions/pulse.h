/* pulse - how often a host's devices answered, and its handlers raised, in its last minute: pure.
 *
 * A host says with each PONG how many of both there were since it started. */
#ifndef KEEPER_VERSIONS_PULSE_H
#define KEEPER_VERSIONS_PULSE_H

#include <stdbool.h>
#include <stdint.h>

/* A minute at one sample each SUPERVISOR_PING_MS, and its two ends. */
enum { PULSE_SAMPLES = 14 };

struct pulse_sample {
    int64_t at_us;
    int64_t reads;
    int64_t errors;
};

struct pulse {
    struct pulse_sample samples[PULSE_SAMPLES]; /* a ring */
    int64_t count;                              /* samples ever, since it began */
};

/* So many in so long. */
struct pulse_rate {
    int64_t ms;
    int64_t reads;
    int64_t errors;
    bool answered; /* its devices, when they were asked last; and */
    bool started;  /* its start() had ended: both by who knows more than a pulse */
};

/* A host was started: nothing has happened yet. */
void pulse_begin(struct pulse *pulse, int64_t now_us);
void pulse_add(struct pulse *pulse, int64_t now_us, int64_t reads, int64_t errors);
/* Between the oldest sample that is known and the newest. */
struct pulse_rate pulse_rate(const struct pulse *pulse);

#endif
