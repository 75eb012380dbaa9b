/* aside - see aside.h. */
#include "courier/aside.h"

int64_t aside_ms(const struct tus *tus)
{
    bool was_aside = tus->aside_ms > 0, is_back = was_aside && !tus->has_moved;
    unsigned anew = was_aside ? ASIDE_BACK_ANEW : ASIDE_ANEW;
    unsigned failures = is_back ? ASIDE_BACK_FAILURES : ASIDE_FAILURES;
    unsigned looks = is_back ? ASIDE_BACK_LOOKS : ASIDE_LOOKS;
    if (!tus->is_refused && tus->anew < anew && tus->failures < failures &&
        tus->looks < looks)
        return 0;
    int64_t most_ms = tus->anew >= anew ? TUS_ANEW_MOST_MS : ASIDE_MOST_MS;
    int64_t ms = was_aside ? 2 * tus->aside_ms : ASIDE_FIRST_MS;
    return ms < most_ms ? ms : most_ms;
}
