/* prove - see prove.h.
 *
 * The proof is checked here, with the journal's own key, before it is given away. */
#include "cli/prove.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cli/journal/ledger.h"

static const char USAGE[] =
    "outpost prove SEQ [--state DIR]\n"
    "outpost prove SEQ FOLDER\n"
    "\n"
    "Writes a proof that event SEQ is in the journal: the event, its path to the root of "
    "the\n"
    "newest checkpoint, and the checkpoint with the office's signature. It shows no "
    "other event,\n"
    "and `outpost verify --proof FILE --key OFFICE.pub` needs nothing else.\n"
    "\n"
    "  --state DIR   the office's state folder (default /var/lib/outpost)\n"
    "  FOLDER        a journal folder, or a copy of one\n"
    "\n"
    "Exit status: 0 the proof is on standard output; 1 there is none, for instance "
    "because no\n"
    "checkpoint covers the event yet; 2 wrong use, or the journal cannot be read.\n";

enum { TRIES = 5 };

struct wish {
    uint64_t seq;
    const char *folder;
};

static int refuse(const char *what)
{
    fprintf(stderr, "outpost prove: %s\n", what);
    return 2;
}

static bool read_seq(const char *text, uint64_t *seq)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *seq = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *seq <= INT64_MAX;
}

/* The checkpoint, with the journal's key, which must have signed it. */
static int take_checkpoint(struct statement *statement, const struct archive *archive,
                           struct key **key, struct finding *finding)
{
    struct buffer text = {0};
    const struct buffer *note = &archive->checkpoint.bytes;
    buffer_append(&text, archive->verifier.bytes.bytes, archive->verifier.bytes.length);
    int err = key_read_verifier(key, buffer_text(&text));
    buffer_free(&text);
    if (err)
        return finding_put(finding, "key.pub", "missing or no public key");
    if (!archive->checkpoint.is_there)
        return finding_put(finding, "checkpoint", "there is none yet");
    buffer_append(&statement->note, note->bytes, note->length);
    err = checkpoint_read(&statement->checkpoint, note->bytes, note->length, *key);
    return err ? finding_put(finding, "checkpoint", "not signed by key.pub") : 0;
}

static int refuse_erased(struct archive *archive, uint64_t seq, const char *place,
                         struct finding *finding)
{
    struct ledger ledger = {.thinned = {0}};
    uint64_t by;
    ledger_gather(&ledger, archive, seq + 1);
    int err =
        ledger_find(&ledger, seq, &by)
            ? finding_put(finding, place, "erased, ordered by event %" PRIu64, by)
            : finding_put(finding, place, "erased, and no event says by whose order");
    ledger_free(&ledger);
    return err;
}

static int take_event(struct statement *statement, struct archive *archive,
                      struct finding *finding)
{
    const void *body;
    size_t length;
    char place[FINDING_PLACE_MAX];
    uint64_t size = statement->checkpoint.size;
    snprintf(place, sizeof(place), "event %" PRIu64, statement->index);
    int err = archive_event(archive, statement->index, &body, &length);
    if (err == -ENOENT)
        return finding_put(finding, place, "no such event: the journal holds %" PRIu64,
                           archive_size(archive));
    if (err == -ENODATA)
        return refuse_erased(archive, statement->index, place, finding);
    if (err)
        return finding_put(finding, place, "cannot be read: %s", strerror(-err));
    if (statement->index >= size)
        return finding_put(finding, place,
                           "not yet covered by a checkpoint (the newest covers %" PRIu64
                           " events); try again in a minute",
                           size);
    buffer_append(&statement->event, body, length);
    return 0;
}

int prove_statement(struct statement *statement, struct archive *archive,
                    struct finding *finding)
{
    struct key *key = NULL;
    int err = take_checkpoint(statement, archive, &key, finding);
    if (!err)
        err = take_event(statement, archive, finding);
    if (!err) {
        struct tile_source source = {.read = archive_read_tile,
                                     .owner = archive,
                                     .suite = statement->checkpoint.suite,
                                     .size = statement->checkpoint.size};
        err = tile_prove_inclusion(&source, &statement->path, statement->index,
                                   statement->checkpoint.size);
        if (err)
            finding_put(finding, "tile", "the hash tiles cannot be read: %s",
                        strerror(-err));
    }
    if (!err)
        err = statement_check(statement, key, finding);
    key_free(key);
    return err;
}

/* A keeper at work may exchange files under our hands: then once more. */
static int prove_once(const struct wish *wish, struct buffer *out,
                      struct finding *finding, bool *again)
{
    struct archive *archive = NULL;
    struct statement statement = {.index = wish->seq};
    int err = archive_open(&archive, wish->folder, finding);
    if (!err)
        err = prove_statement(&statement, archive, finding);
    if (!err)
        statement_print(&statement, out);
    *again = err && archive != NULL && archive_has_changed(archive);
    statement_free(&statement);
    archive_close(archive);
    return err;
}

static int prove_event(const struct wish *wish)
{
    struct buffer out = {0};
    struct finding finding;
    bool again = true;
    int err = 0;
    for (int i = 0; i < TRIES && again; i++) {
        finding = (struct finding){.place = ""};
        err = prove_once(wish, &out, &finding, &again);
    }
    if (!err)
        err =
            fwrite(out.bytes, 1, out.length, stdout) == out.length && fflush(stdout) == 0
                ? 0
                : -EIO;
    buffer_free(&out);
    if (!err)
        return 0;
    if (finding.place[0] == '\0') {
        fprintf(stderr, "outpost prove: %s: %s\n", wish->folder, strerror(-err));
        return 2;
    }
    fprintf(stderr, "outpost prove: %s: %s\n", finding.place, finding.what);
    return 1;
}

int prove_run(int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"state", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'}, {0}};
    const char *state = "/var/lib/outpost";
    char folder[ARCHIVE_PATH_MAX];
    struct wish wish = {.folder = folder};
    int option;
    optind = 0;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) >= 0) {
        if (option == 'h')
            return fputs(USAGE, stdout) < 0;
        if (option != 's')
            return refuse("see outpost prove --help");
        state = optarg;
    }
    if (argc - optind < 1 || argc - optind > 2)
        return refuse("expected one event number; see outpost prove --help");
    if (!read_seq(argv[optind], &wish.seq))
        return refuse("expected an event number, like 184467");
    if (argc - optind == 2)
        state = argv[optind + 1];
    int err = archive_find(folder, state);
    if (err) {
        fprintf(stderr, "outpost prove: %s: %s\n", state,
                err == -ENOENT ? "no journal there" : strerror(-err));
        return 2;
    }
    return prove_event(&wish);
}
