/* statement - the file that `outpost prove` writes and `outpost verify --proof` reads.
 *
 *   {"format":"outpost-proof/1","suite":"sha256+ed25519","event":"<its exact bytes, as text>",
 *    "index":N,"size":N,"path":["<base64>",...],"checkpoint":"<signed note>"}
 *
 * With the office's public key it is all that anybody needs: nobody else's events are in it. */
#ifndef CLI_JOURNAL_STATEMENT_H
#define CLI_JOURNAL_STATEMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "cli/journal/finding.h"
#include "proof/checkpoint.h"
#include "proof/key.h"
#include "proof/tree.h"

enum { STATEMENT_MAX = 1024 * 1024 };

struct statement {
    struct buffer event;
    uint64_t index;
    struct buffer path; /* struct digest apiece */
    struct buffer note; /* the checkpoint as signed */
    struct checkpoint checkpoint;
};

/* Appends the file. */
void statement_print(const struct statement *statement, struct buffer *out);

/* Reads the file; -EPROTO with the finding. Give it back with statement_free() in any case. */
int statement_read(struct statement *statement, const void *bytes, size_t length,
                   struct finding *finding);

/* Whether the key signed the checkpoint, the path leads from the event to its root, and the event
 * says of itself that it is this one. 0 or -EBADMSG with the finding. */
int statement_check(const struct statement *statement, const struct key *key,
                    struct finding *finding);

void statement_free(struct statement *statement);

#endif
