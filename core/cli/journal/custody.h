/* custody - what the events of a journal say of each stored file, and the table of blobs in tail.db
 * held against it.
 *
 * The table says what is kept, as what and until when, and nothing signs it; the appliance's own events
 * and evidence.recorded do. Neither may a row be gone, or less than they say, nor a file without a row's
 * saying so; and each of the appliance's own events about a piece of evidence names the one before. Of
 * pictures and captures the events say less, and so does this. */
#ifndef CLI_JOURNAL_CUSTODY_H
#define CLI_JOURNAL_CUSTODY_H

#include <stdint.h>

#include "base/json.h"
#include "cli/journal/archive.h"
#include "cli/journal/finding.h"

struct custody_file;

/* Zeroed: empty. */
struct custody {
    struct custody_file *files; /* a hash table */
    size_t room, count;
};

/* Takes what event `seq` says, one after the other; most say nothing. 0, or -EBADMSG with the
 * finding. */
int custody_take(struct custody *custody, const struct archive *archive, uint64_t seq,
                 const struct json *event, struct finding *finding);

/* Once all are taken: the same. `is_lossy`: events of this log are lost, so that less can be asked. */
int custody_check(const struct custody *custody, const struct archive *archive,
                  bool is_lossy, struct finding *finding);

void custody_free(struct custody *custody);

#endif
