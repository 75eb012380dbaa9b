/* pace - see pace.h. */
#include "uplink/pace.h"

#include <string.h>

#include "base/base.h"

/* Packed, a batch of four windows is about half a window. */
enum {
    BITS_A_BYTE = 8,
    US_A_SECOND = 1000 * 1000,
    BATCH_OF_WINDOW = 4,
    WIDEN_PART = 8,
    FELT_PART = 4
};

void pace_begin(struct pace *pace, int64_t bits_a_second)
{
    memset(pace, 0, sizeof(*pace));
    pace->bytes_a_second = bits_a_second / BITS_A_BYTE;
    pace_anew(pace);
}

void pace_anew(struct pace *pace)
{
    pace->flying = 0;
    pace->under_way = pace->carried = 0;
    pace->window = PACE_WINDOW_FIRST;
    pace->shortest_us = pace->shrunk_us = 0;
}

void pace_spend(struct pace *pace, size_t bytes, int64_t now_us)
{
    if (pace->bytes_a_second == 0)
        return;
    int64_t cost = (int64_t)(bytes + PACE_OVERHEAD) * US_A_SECOND / pace->bytes_a_second;
    if (pace->free_us < now_us - PACE_AHEAD_US)
        pace->free_us = now_us - PACE_AHEAD_US;
    pace->free_us += cost;
}

/* ---- What is under way */

void pace_sent(struct pace *pace, uint32_t token, size_t bytes, int64_t now_us)
{
    pace_spend(pace, bytes, now_us);
    if (pace->flying == SYNC_FLIGHTS)
        return;
    pace->flights[pace->flying++] =
        (struct pace_flight){token, bytes, now_us, pace->under_way == 0};
    pace->under_way += (int64_t)bytes;
}

/* Once in a round trip: what is still under way was sent before the window became smaller. */
static void shrink(struct pace *pace, int64_t used, int64_t took_us, int64_t now_us)
{
    if (pace->shrunk_us != 0 && now_us - took_us < pace->shrunk_us)
        return;
    pace->shrunk_us = now_us;
    pace->window = (pace->window < used ? pace->window : used) / 2;
    if (pace->window < PACE_WINDOW_LEAST)
        pace->window = PACE_WINDOW_LEAST;
}

/* Doubles in a round trip, until a queue is felt for the first time; then it grows by a part. */
static void widen(struct pace *pace, int64_t delay_us, int64_t bytes, int64_t now_us)
{
    if (pace->shrunk_us == 0 && delay_us > PACE_DELAY_US / FELT_PART)
        pace->shrunk_us = now_us;
    pace->window += pace->shrunk_us == 0 ? bytes : bytes / WIDEN_PART;
    if (pace->window > PACE_WINDOW_MOST)
        pace->window = PACE_WINDOW_MOST;
}

static void land(struct pace *pace, const struct pace_flight *flight, int64_t now_us)
{
    int64_t took_us = now_us - flight->sent_us;
    int64_t used = pace->under_way;
    pace->under_way -= (int64_t)flight->bytes;
    pace->carried += (int64_t)flight->bytes;
    /* What was alone has met no queue of ours: then the line has become longer. */
    if (pace->shortest_us == 0 || took_us < pace->shortest_us || flight->alone)
        pace->shortest_us = took_us > 0 ? took_us : 1;
    int64_t delay_us = took_us - pace->shortest_us;
    if (delay_us > PACE_DELAY_US)
        shrink(pace, used, took_us, now_us);
    else if (used * 2 >= pace->window)
        widen(pace, delay_us, (int64_t)flight->bytes, now_us);
}

void pace_acked(struct pace *pace, uint32_t token, int64_t now_us)
{
    for (unsigned i = 0; i < pace->flying; i++) {
        struct pace_flight flight = pace->flights[i];
        if (flight.token != token)
            continue;
        pace->flights[i] = pace->flights[--pace->flying];
        land(pace, &flight, now_us);
        return;
    }
}

/* ---- Questions that wait */

static bool is_full(const struct pace *pace)
{
    return pace->under_way >= pace->window;
}

bool pace_is_wide(const struct pace *pace)
{
    return pace->bytes_a_second == 0 && pace->shrunk_us == 0 &&
           pace->carried >= PACE_CARRIED_WIDE;
}

bool pace_holds(struct pace *pace, const struct sync_step *fetch, int64_t now_us)
{
    if (!is_full(pace) && (pace->bytes_a_second == 0 || now_us >= pace->free_us))
        return false;
    ASSERT(fetch->deed == SYNC_FETCH && fetch->id != 0);
    pace->waiting[fetch->lane] = *fetch;
    return true;
}

/* Records before telemetry, as everywhere. */
static struct sync_step *first(const struct pace *pace)
{
    for (int lane = 0; lane < LANES; lane++)
        if (pace->waiting[lane].id != 0)
            return (struct sync_step *)&pace->waiting[lane];
    return NULL;
}

bool pace_next(struct pace *pace, struct sync_step *fetch, int64_t now_us)
{
    struct sync_step *next = first(pace);
    if (next == NULL || is_full(pace) || now_us < pace->free_us)
        return false;
    *fetch = *next;
    next->id = 0;
    return true;
}

bool pace_drop(struct pace *pace, uint32_t id)
{
    for (int lane = 0; lane < LANES; lane++)
        if (id != 0 && pace->waiting[lane].id == id) {
            pace->waiting[lane].id = 0;
            return true;
        }
    return false;
}

int64_t pace_wait_ms(const struct pace *pace, int64_t now_us)
{
    if (first(pace) == NULL || is_full(pace))
        return -1;
    return now_us >= pace->free_us ? 0 : (pace->free_us - now_us + 999) / 1000;
}

size_t pace_batch(const struct pace *pace, size_t most)
{
    size_t second = (size_t)pace->bytes_a_second;
    size_t some = (size_t)pace->window * BATCH_OF_WINDOW;
    size_t bytes = second == 0 || some < second ? some : second;
    if (bytes > most)
        return most;
    return bytes > PACE_BATCH_LEAST ? bytes : PACE_BATCH_LEAST;
}
