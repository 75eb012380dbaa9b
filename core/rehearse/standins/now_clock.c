/* now_clock - see now_clock.h. */
#include "rehearse/standins/now_clock.h"

#include "base/now.h"

int64_t __wrap_now_mono_us(void);
int64_t __wrap_now_utc_us(void);

static int64_t mono_us = NOW_CLOCK_BEGIN_US;
static int64_t utc_ahead_us; /* of the time since boot */

void now_clock_begin(int64_t utc_us)
{
    mono_us = NOW_CLOCK_BEGIN_US;
    utc_ahead_us = utc_us - mono_us;
}

void now_clock_go(int64_t to_us)
{
    if (to_us > mono_us)
        mono_us = to_us;
}

void now_clock_pass(int64_t us)
{
    if (us > 0)
        mono_us += us;
}

void now_clock_jump(int64_t us)
{
    utc_ahead_us += us;
}

int64_t now_clock_elapsed_us(void)
{
    return mono_us - NOW_CLOCK_BEGIN_US;
}

int64_t __wrap_now_mono_us(void)
{
    return mono_us;
}

int64_t __wrap_now_utc_us(void)
{
    return mono_us + utc_ahead_us;
}
