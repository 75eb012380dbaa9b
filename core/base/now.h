/* now - what time it is, and how far that can be trusted.
 *
 * Two clocks: monotonic microseconds since boot (suspend included), for every wait and order; UTC
 * microseconds since 1970, for people, together with its quality. */
#ifndef BASE_NOW_H
#define BASE_NOW_H

#include <stdbool.h>
#include <stdint.h>

enum { NOW_TEXT_ROOM = 28, NOW_BOOT_ROOM = 37 };

/* synced: the kernel says so now, and the time is not before the program was built. holdover: it
 * does not say so (any more), but the time is plausible. unset: it is before the floor. */
enum now_quality { NOW_SYNCED, NOW_HOLDOVER, NOW_UNSET };

int64_t now_mono_us(void);
int64_t now_utc_us(void);

/* "2026-11-21T03:04:05.123456Z"; `text` holds NOW_TEXT_ROOM bytes. */
void now_format(char *text, int64_t utc_us);

/* Reads RFC 3339 in UTC ("Z", up to six digits of a second). Returns 0 or -EINVAL. */
int now_parse(int64_t *utc_us, const char *text);

/* Both clocks at once. The quality is at most a second old, and never from before the clock was
 * set. */
struct now_reading {
    int64_t utc_us;
    int64_t mono_us;
    enum now_quality quality;
};
void now_read(struct now_reading *now);
enum now_quality now_quality(void);
/* What a clock is that shows this, and of which the kernel says that it is synchronised or not. */
enum now_quality now_judge(int64_t utc_us, bool is_synced);
const char *now_quality_name(enum now_quality quality);

/* It is at least this late: when the program was built, or the latest time that now_lift_floor() was
 * told and what has passed since. */
int64_t now_floor_us(void);
/* The wall clock, or the floor while the clock is behind it: for who checks certificates. A clock that
 * is not set makes no good one bad, a clock set back no expired one good. */
int64_t now_latest_us(void);
/* Somebody else's clock, who can be believed, shows this. A lower floor than there is changes nothing. */
void now_lift_floor(int64_t utc_us);

/* The kernel's boot id, a UUID; constant text of at most NOW_BOOT_ROOM bytes. */
const char *now_boot(void);

#endif
