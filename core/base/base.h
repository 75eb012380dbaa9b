/* base - the three words every other file uses.
 *
 * ASSERT states our own invariants and aborts in every build: a wedged appliance is worse than a
 * restarted one. What the world sends is checked with `if`, never asserted. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stddef.h>
#include <stdint.h>

#define ASSERT(claim) ((claim) ? (void)0 : base_abort(#claim, __FILE__, __LINE__))

#define container_of(pointer, type, member)                                              \
    ((type *)((char *)(pointer)-offsetof(type, member)))

#define countof(array) (sizeof(array) / sizeof((array)[0]))

/* Says which claim did not hold and aborts. */
_Noreturn void base_abort(const char *claim, const char *file, int line);

#endif
