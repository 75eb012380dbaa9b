/* random - chance as a rehearsal has it: the same sequence in each, also behind a restart. */
#ifndef REHEARSE_STANDINS_RANDOM_H
#define REHEARSE_STANDINS_RANDOM_H

/* A rehearsal begins. */
void random_begin(void);

#endif
