/* pulse - see pulse.h. */
#include "keeper/versions/pulse.h"

void pulse_begin(struct pulse *pulse, int64_t now_us)
{
    pulse->count = 0;
    pulse_add(pulse, now_us, 0, 0);
}

void pulse_add(struct pulse *pulse, int64_t now_us, int64_t reads, int64_t errors)
{
    pulse->samples[pulse->count++ % PULSE_SAMPLES] =
        (struct pulse_sample){now_us, reads, errors};
}

struct pulse_rate pulse_rate(const struct pulse *pulse)
{
    struct pulse_rate rate = {0};
    if (pulse->count == 0)
        return rate;
    int64_t first = pulse->count > PULSE_SAMPLES ? pulse->count - PULSE_SAMPLES : 0;
    const struct pulse_sample *oldest = &pulse->samples[first % PULSE_SAMPLES];
    const struct pulse_sample *newest =
        &pulse->samples[(pulse->count - 1) % PULSE_SAMPLES];
    rate.ms = (newest->at_us - oldest->at_us) / 1000;
    rate.reads = newest->reads - oldest->reads;
    rate.errors = newest->errors - oldest->errors;
    return rate;
}
