/* evidence - the city's folder of evidence files, beside the tus server that receives them.
 *
 *   ID, ID.json              an upload on its way, the server's
 *   evidence/ab/cdef...      what was taken, by its SHA-256, read only
 *   receipts/OFFICE/SHA256   the city's signed word on it (proof/handover.h), served to the offices
 *   refused/ID, ID.json      what is not what its office recorded
 *
 * An upload becomes evidence in an order that can be cut anywhere and done again: file, row,
 * receipt, and its ticket last. Calls return 0 or a negative errno. */
#ifndef CITY_EVIDENCE_H
#define CITY_EVIDENCE_H

#include <stdbool.h>

#include "city/store.h"
#include "city/ticket.h"
#include "proof/key.h"

enum { EVIDENCE_PATH_MAX = 4096, EVIDENCE_ID_MAX = 128 };

struct evidence {
    const char *folder;
    struct store *store;
    const struct key *key;
};

/* Makes the folders; what a killed collector has left of a receipt goes. */
int evidence_prepare(const struct evidence *evidence);

/* 1 to EVIDENCE_ID_MAX letters, digits, "-" and "_". */
bool evidence_is_id(const char *id);

/* Where the file is: the upload, or, when that is gone, what it has become; -ENOENT. */
int evidence_find(const struct evidence *evidence, const struct ticket *ticket,
                  const char *id, char path[EVIDENCE_PATH_MAX]);

/* Its bytes are what the office has said and recorded. No transaction of the store is open. */
int evidence_keep(const struct evidence *evidence, const struct ticket *ticket,
                  const char *id);

/* Sets it aside, with a line in the log and a row of table rejected. */
int evidence_refuse(const struct evidence *evidence, const char *id, const char *reason);

#endif
