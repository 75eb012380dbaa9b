/* trial - whether a new version of an instance is as good as the old one: a pure policy.
 *
 * The new version runs with the store and the cursors of the old one, for a set time (the setting
 * update.trial). It has failed as soon as one of these is so, else it is accepted at the end:
 *
 *   ended    its process is over, whatever the reason
 *   silent   no PONG for a quarter of the time, at least 1.5 s and at most 15 s; it may be in the midst
 *            of a request to a device, but no request lasts longer
 *   reads    the old one's devices answered in its last minute, and the new one's do not any more: no
 *            answer for the time in which the old one had ten, and not less than a quarter of the
 *            trial and 1.5 s; or none at all in the whole trial, when the old one would have had three. A
 *            plugin whose devices were silent, or that has none, is not judged by this. And of devices
 *            that are read seldom: the old one's answered when they were asked last, the new one has
 *            asked, and none has answered in the whole trial (a wrong password)
 *   start    its start() has not ended in the whole trial, as the old one's had
 *   errors   its handlers raised more than five times, and ten times as often as the old one's
 *
 * Four more faults are not seen here: `load`, when the canary could not be loaded, before anything was
 * touched; `keeper`, when the keeper itself ended during the trial; `withdrawn`, when another reload came
 * instead; `quarantined`, when it died again and again within a day of being accepted.
 *
 * Nothing that a version on trial has committed is undone: store and journal stay as they are. A
 * version that writes what its forerunner would not understand says so with `state = N` in its
 * manifest; the return is made all the same, with the store as it is, and its event names both. */
#ifndef KEEPER_VERSIONS_TRIAL_H
#define KEEPER_VERSIONS_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "keeper/versions/pulse.h"

enum trial_fault {
    TRIAL_GOOD,
    TRIAL_LOAD,
    TRIAL_ENDED,
    TRIAL_SILENT,
    TRIAL_READS,
    TRIAL_START,
    TRIAL_ERRORS,
    TRIAL_KEEPER,
    TRIAL_WITHDRAWN,
    TRIAL_QUARANTINED,
    TRIAL_FAULTS
};

struct trial {
    int64_t for_ms;
    struct pulse_rate old; /* of the version before; zeroed when there was none */
    int64_t began_us;
    int64_t read_us; /* when the last answer of a device was heard of */
    int64_t reads;
};

/* What is known of the new version's process. */
struct trial_sign {
    int64_t heard_us; /* the last PONG */
    int64_t reads;    /* since it started, as the last PONG said */
    int64_t errors;
    int64_t unheard; /* questions since the last answer */
    bool started;
};

/* The new version was started. */
void trial_begin(struct trial *trial, int64_t now_us, int64_t for_ms,
                 const struct pulse_rate *old);

/* Looks, each trial_period_ms(): what is wrong, or TRIAL_GOOD. */
enum trial_fault trial_look(struct trial *trial, int64_t now_us,
                            const struct trial_sign *sign);
/* Whether its time is over: what nothing is wrong with is accepted now. One that has not answered the
 * last PINGs is waited for, until it does or is silent. */
bool trial_is_over(const struct trial *trial, int64_t now_us,
                   const struct trial_sign *sign);

int64_t trial_period_ms(int64_t for_ms);

/* What a keeper that starts runs when another version is installed than was accepted: false the
 * installed one, true the accepted one, because the installed one was on trial or returned from.
 * `marked` NULL: there is no mark; `accepted` NULL: there is nothing else to run. */
bool trial_prefers_accepted(const char *installed, const char *accepted,
                            const char *marked);

/* Whether the old one's devices answered, and the new one has asked none of them. */
bool trial_has_asked_nobody(const struct trial *trial, const struct trial_sign *sign);

/* "load", "ended", "silent", "reads", "start", "errors", "keeper", "withdrawn", "quarantined". */
const char *trial_fault_name(enum trial_fault fault);
/* For people. */
const char *trial_fault_words(enum trial_fault fault);

#endif
