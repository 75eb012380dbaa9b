/* allowance - see allowance.h. */
#include "keeper/children/allowance.h"

static const int64_t SECOND_US = 1000000;

static int64_t pay(int64_t *paid_us, int64_t now_us, int64_t amount, int64_t rate)
{
    int64_t earliest_us = now_us - (int64_t)ALLOWANCE_BURST_MS * 1000;
    if (*paid_us < earliest_us)
        *paid_us = earliest_us;
    *paid_us += amount * SECOND_US / rate;
    return *paid_us - now_us;
}

int64_t allowance_take(struct allowance *allowance, const struct allowance_rate *rate,
                       int64_t now_us, int64_t messages, int64_t bytes)
{
    int64_t owed_us = pay(&allowance->messages_us, now_us, messages, rate->messages);
    int64_t more_us = pay(&allowance->bytes_us, now_us, bytes, rate->bytes);
    if (more_us > owed_us)
        owed_us = more_us;
    return owed_us > 0 ? (owed_us + 999) / 1000 : 0;
}
