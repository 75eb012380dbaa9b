/* random - chance as a rehearsal has it: the same sequence in each, also behind a restart. */
#ifndef REHEARSE_RANDOM_H
#define REHEARSE_RANDOM_H

/* A rehearsal begins. */
void random_begin(void);

#endif
