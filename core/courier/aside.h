/* aside - when a file that comes to nothing on its way to the city gives its place to another. Pure.
 *
 * It is set aside for ten minutes, and the next times longer and longer. Whatever it was set aside for,
 * each time it comes back the server is asked for its upload, or it is made anew. */
#ifndef COURIER_ASIDE_H
#define COURIER_ASIDE_H

#include "courier/tus.h"

/* What a file may do in vain before it is set aside: failures in a row, looks for its receipt, being
 * uploaded anew. One that was set aside before has had its tries. */
enum {
    ASIDE_FAILURES = 8,
    ASIDE_LOOKS = 13,
    ASIDE_ANEW = 2,
    ASIDE_BACK_FAILURES = 4,
    ASIDE_BACK_LOOKS = 4, /* after the third the server was asked for the upload */
    ASIDE_BACK_ANEW = 1
};

enum {
    ASIDE_FIRST_MS = 10 * 60 * 1000,
    ASIDE_MOST_MS = 3600 * 1000 /* TUS_ANEW_MOST_MS where all bytes would go again */
};

/* How long it should be set aside now; 0: not at all. */
int64_t aside_ms(const struct tus *tus);

#endif
