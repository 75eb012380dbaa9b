/* papers - the signed notes beside the tail: who signed them, and whether they are of this log.
 *
 * Checked against the tail and its size only; that the roots they name are those of the events is
 * for audit.h. */
#ifndef CLI_JOURNAL_PAPERS_H
#define CLI_JOURNAL_PAPERS_H

#include <stdbool.h>

#include "cli/journal/archive.h"
#include "cli/journal/finding.h"
#include "proof/checkpoint.h"
#include "proof/key.h"
#include "proof/receipt.h"

/* What the caller knows from elsewhere; each may be NULL. */
struct papers_trust {
    const struct key *office;     /* else the journal's own key.pub is taken */
    const struct key *city;       /* else receipts are read, but not their signatures */
    const char *receipt_path;     /* of one more receipt */
    const struct buffer *receipt; /* its bytes */
};

struct papers {
    struct key *office;
    bool has_checkpoint;
    struct checkpoint checkpoint;
    bool has_receipt;
    struct receipt receipt;
    bool has_extra;
    struct receipt extra; /* the caller's */
};

/* Reads and checks all but `closed`. 0 or -EBADMSG with the finding; give it back with
 * papers_free() in any case. */
int papers_read(struct papers *papers, const struct archive *archive,
                const struct papers_trust *trust, struct finding *finding);

/* Whether the folder is, byte for byte, what the keeper left when it stopped, if it says so. */
int papers_check_closed(const struct papers *papers, const struct archive *archive,
                        struct finding *finding);

void papers_free(struct papers *papers);

#endif
