/* trial - see trial.h. */
#include "keeper/versions/trial.h"

#include <stddef.h>
#include <string.h>

enum {
    LOOKS = 20, /* in a trial */
    LOOK_LEAST_MS = 100,
    LOOK_MOST_MS = 5000,
    SILENCE_LEAST_MS = 1500,
    SILENCE_MOST_MS = 15 * 1000,
    QUIET_LEAST_MS = 1500,
    QUIET_READS = 10, /* so many the old one would have had meanwhile */
    WHOLE_READS = 3,  /* in the whole trial */
    ERRORS_FREE = 5,
    ERRORS_TIMES = 10
};

static int64_t between(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

void trial_begin(struct trial *trial, int64_t now_us, int64_t for_ms,
                 const struct pulse_rate *old)
{
    *trial = (struct trial){
        .for_ms = for_ms, .old = *old, .began_us = now_us, .read_us = now_us};
}

static bool is_silent(const struct trial *trial, int64_t now_us, int64_t heard_us)
{
    int64_t most_ms = between(trial->for_ms / 4, SILENCE_LEAST_MS, SILENCE_MOST_MS);
    return now_us - heard_us > most_ms * 1000;
}

static bool has_lasted(const struct trial *trial, int64_t now_us)
{
    return now_us - trial->began_us >= trial->for_ms * 1000;
}

/* All that it asked has come to nothing. */
static bool is_refused(const struct trial *trial, int64_t now_us,
                       const struct trial_sign *sign)
{
    return trial->old.answered && trial->reads == 0 && sign->unheard > 0 &&
           has_lasted(trial, now_us);
}

static bool is_quiet(const struct trial *trial, int64_t now_us)
{
    const struct pulse_rate *old = &trial->old;
    if (old->reads == 0)
        return false;
    int64_t least_ms = between(trial->for_ms / 4, QUIET_LEAST_MS, trial->for_ms);
    int64_t most_ms = between(QUIET_READS * old->ms / old->reads, least_ms, INT64_MAX);
    if (now_us - trial->read_us > most_ms * 1000)
        return true;
    return trial->reads == 0 && has_lasted(trial, now_us) &&
           old->reads * trial->for_ms >= WHOLE_READS * old->ms;
}

static bool raises(const struct trial *trial, int64_t now_us, int64_t errors)
{
    const struct pulse_rate *old = &trial->old;
    int64_t ms = (now_us - trial->began_us) / 1000;
    int64_t as_before = old->ms > 0 ? old->errors * ms / old->ms : 0;
    return errors > ERRORS_FREE + ERRORS_TIMES * as_before;
}

enum trial_fault trial_look(struct trial *trial, int64_t now_us,
                            const struct trial_sign *sign)
{
    if (sign->reads > trial->reads)
        trial->read_us = now_us;
    trial->reads = sign->reads;
    if (is_silent(trial, now_us, sign->heard_us))
        return TRIAL_SILENT;
    if (is_quiet(trial, now_us) || is_refused(trial, now_us, sign))
        return TRIAL_READS;
    if (trial->old.started && !sign->started && has_lasted(trial, now_us))
        return TRIAL_START;
    if (raises(trial, now_us, sign->errors))
        return TRIAL_ERRORS;
    return TRIAL_GOOD;
}

bool trial_is_over(const struct trial *trial, int64_t now_us,
                   const struct trial_sign *sign)
{
    int64_t fresh_us = 2 * trial_period_ms(trial->for_ms) * 1000;
    return has_lasted(trial, now_us) && now_us - sign->heard_us <= fresh_us;
}

bool trial_has_asked_nobody(const struct trial *trial, const struct trial_sign *sign)
{
    return trial->old.answered && sign->reads == 0 && sign->unheard == 0;
}

int64_t trial_period_ms(int64_t for_ms)
{
    return between(for_ms / LOOKS, LOOK_LEAST_MS, LOOK_MOST_MS);
}

bool trial_prefers_accepted(const char *installed, const char *accepted,
                            const char *marked)
{
    return accepted != NULL && marked != NULL && strcmp(installed, marked) == 0;
}

static const struct {
    const char *name;
    const char *words;
} FAULTS[TRIAL_FAULTS] = {
    [TRIAL_GOOD] = {"good", "nothing is wrong"},
    [TRIAL_LOAD] = {"load", "it cannot be loaded"},
    [TRIAL_ENDED] = {"ended", "its process ended"},
    [TRIAL_SILENT] = {"silent", "it does not answer"},
    [TRIAL_READS] = {"reads", "its devices do not answer any more, as they did before"},
    [TRIAL_START] = {"start", "its start() has not come to an end"},
    [TRIAL_ERRORS] = {"errors", "its handlers fail again and again"},
    [TRIAL_KEEPER] = {"keeper", "the box was started anew during its trial"},
    [TRIAL_WITHDRAWN] = {"withdrawn", "another reload came instead"},
    [TRIAL_QUARANTINED] = {"quarantined", "it died again and again"},
};

const char *trial_fault_name(enum trial_fault fault)
{
    return FAULTS[fault].name;
}

const char *trial_fault_words(enum trial_fault fault)
{
    return FAULTS[fault].words;
}
