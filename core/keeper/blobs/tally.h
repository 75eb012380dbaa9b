/* tally - SHA-256 and SM3 of the same bytes, as they come.
 *
 * SM3 is four times as slow as SHA-256, so for what is long a forked child takes it, on another
 * processor. Only for a process that may wait: an errand's. */
#ifndef KEEPER_BLOBS_TALLY_H
#define KEEPER_BLOBS_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "proof/suite.h"

#ifdef SMALL_BOUNDS
enum { TALLY_ALONE = 100 * 1000 }; /* bytes that need no child */
#else
enum { TALLY_ALONE = 2 * 1024 * 1024 };
#endif

struct tally;
struct tally *tally_new(void);
void tally_free(struct tally *tally);

void tally_add(struct tally *tally, const void *bytes, size_t length);
/* 0, or -ECHILD when the child has died: then nothing is known of the SM3. */
int tally_end(struct tally *tally, struct digest *sha256, struct digest *sm3);

#endif
