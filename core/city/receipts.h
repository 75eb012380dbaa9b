/* receipts - the city's signed word to an office on what it holds. */
#ifndef CITY_RECEIPTS_H
#define CITY_RECEIPTS_H

#include "base/buffer.h"
#include "city/store.h"
#include "proof/key.h"

/* Appends the receipt of a log as the database has it now. -ENOENT: no such log. */
int receipts_write(struct buffer *out, struct store *store, const struct key *key,
                   const char *office, const char *log);

#endif
