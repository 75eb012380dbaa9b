/* stock - see stock.h. */
#include "keeper/blobs/stock.h"

#include "keeper/space/quota.h"

static int64_t kept_free(const struct stock *stock, int class)
{
    return class < CLASS_IMPORTANT ? stock->reserve : 0;
}

static int64_t quota_left(const struct stock *stock, int class)
{
    return stock->quota - kept_free(stock, class) - stock->bytes - stock->promised;
}

static int64_t disk_left(const struct stock *stock, int class)
{
    if (stock->disk_left < 0)
        return INT64_MAX;
    return stock->disk_left + stock->arrived - stock->journal - kept_free(stock, class) -
           stock->promised;
}

static int64_t lesser(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

int64_t stock_room(const struct stock *stock, int class)
{
    return lesser(quota_left(stock, class), disk_left(stock, class));
}

int64_t stock_room_soon(const struct stock *stock, int class)
{
    int64_t disk = disk_left(stock, class);
    return lesser(quota_left(stock, class),
                  disk == INT64_MAX ? disk : disk + stock->leaving);
}

bool stock_is_disk(const struct stock *stock, int class)
{
    return disk_left(stock, class) < quota_left(stock, class);
}

int stock_percent(const struct stock *stock)
{
    return quota_percent(stock->bytes, stock->quota - stock->reserve);
}

int64_t stock_excess(const struct stock *stock)
{
    int64_t most = stock->quota - stock->reserve;
    int64_t margin = most / 20, room = stock_room_soon(stock, CLASS_ORDINARY);
    return room < margin ? margin - room : 0;
}
