/* tape - see tape.h. */
#include "cli/play/tape.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "wire/pcapng.h"

/* The last answer may come of a happening that was recorded a moment later. */
static const int64_t BEHIND_US = 1000000, UTC_MOST_US = 253402300000000000;

static int read_times(struct tape *tape)
{
    struct pcapng pcapng;
    struct pcapng_piece piece;
    int64_t from_us = INT64_MAX, until_us = -1;
    int more = 0;
    int err = pcapng_open(&pcapng, tape->bytes.bytes, tape->bytes.length);
    while (!err && (more = pcapng_next(&pcapng, &piece)) == 1) {
        if (piece.utc_us < 0 || piece.utc_us > UTC_MOST_US)
            return -EPROTO;
        from_us = piece.utc_us < from_us ? piece.utc_us : from_us;
        until_us = piece.utc_us > until_us ? piece.utc_us : until_us;
    }
    if (err || more < 0)
        return -EPROTO;
    if (until_us < 0)
        return -ENODATA;
    now_format(tape->from, from_us);
    now_format(tape->until, until_us + BEHIND_US);
    return 0;
}

int tape_open(struct tape *tape, const char *path)
{
    *tape = (struct tape){.from = ""};
    int err = file_read(&tape->bytes, path, TAPE_MAX);
    return err ? err : read_times(tape);
}

void tape_close(struct tape *tape)
{
    buffer_free(&tape->bytes);
}

const char *tape_why(int err)
{
    return err == -EPROTO
               ? "expected what outpost capture has kept: it is no pcapng, or damaged"
           : err == -ENODATA ? "nothing was recorded in it"
                             : strerror(-err);
}
