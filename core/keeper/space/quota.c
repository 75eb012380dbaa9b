/* quota - see quota.h. */
#include "keeper/space/quota.h"

#include "base/base.h"

/* A level is left this far below it. */
enum { FALL_PERCENT = 3, DAYS_MOST = 36500 };

static const int LEVELS[] = {95, 85, 70};

int64_t quota_room(const struct quota *quota)
{
    return quota->most - quota->reserve;
}

bool quota_thins(const struct quota *quota, int64_t taken, bool thins)
{
    return taken > quota_room(quota) - (thins ? quota->reserve : quota->reserve / 2);
}

bool quota_refuses(const struct quota *quota, int64_t taken, bool refuses)
{
    return taken > quota_room(quota) - (refuses ? quota->reserve / 8 : 0);
}

bool quota_disk_refuses(const struct quota *quota, int64_t left, bool refuses)
{
    return left < (refuses ? quota->reserve / 2 : quota->reserve / 4);
}

int quota_percent(int64_t taken, int64_t most)
{
    return most > 0 && taken > 0 ? (int)((double)taken * 100 / (double)most) : 0;
}

int quota_level(int percent, int told)
{
    for (unsigned i = 0; i < countof(LEVELS); i++)
        if (percent >= LEVELS[i] ||
            (told >= LEVELS[i] && percent > LEVELS[i] - FALL_PERCENT))
            return LEVELS[i];
    return 0;
}

int64_t quota_days(int64_t room, int64_t bytes_per_day)
{
    if (bytes_per_day < 0)
        return -1;
    if (room <= 0)
        return 0;
    if (bytes_per_day == 0 || room / bytes_per_day > DAYS_MOST)
        return DAYS_MOST;
    return room / bytes_per_day;
}
