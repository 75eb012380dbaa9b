/* now_clock - the time of a rehearsal: it stands still until somebody moves it.
 *
 * Stands in for the two clocks of base/now.h: the linker sends whoever asks for now_mono_us() and
 * now_utc_us() here (Makefile, LIBS_rehearse). */
#ifndef REHEARSE_STANDINS_NOW_CLOCK_H
#define REHEARSE_STANDINS_NOW_CLOCK_H

#include <stdint.h>

#define NOW_CLOCK_BEGIN_US (100 * 1000000LL) /* since boot, when a rehearsal begins */

/* A rehearsal begins, and the wall clock shows this. */
void now_clock_begin(int64_t utc_us);

/* On to that time since boot; back it never goes. */
void now_clock_go(int64_t mono_us);
/* So much time passes while nothing else happens: the process waits in a device. */
void now_clock_pass(int64_t us);

/* Somebody sets the wall clock. */
void now_clock_jump(int64_t us);

int64_t now_clock_elapsed_us(void);

#endif
