/* verify - see verify.h.
 *
 * While a keeper works, files and tail move: what looks wrong in a journal that has changed
 * meanwhile is looked at again, from the beginning, before it is called wrong. */
#include "cli/verify.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/json.h"
#include "base/now.h"
#include "cli/journal/archive.h"
#include "cli/journal/audit.h"
#include "cli/journal/inventory.h"
#include "cli/journal/papers.h"
#include "cli/journal/statement.h"
#include "proof/base64.h"
#include "proof/note.h"

static const char USAGE[] =
    "outpost verify [FOLDER] [--state DIR] [--key FILE] [--receipt FILE] [--city-key "
    "FILE]\n"
    "               [--json]\n"
    "outpost verify --proof FILE --key FILE [--json]\n"
    "\n"
    "Checks a journal without a network: every event against every hash, the signatures, "
    "the\n"
    "order, the files; also on a copied folder, and on a running office. Nothing is "
    "written.\n"
    "\n"
    "  FOLDER           a journal folder or a copy of one\n"
    "  --state DIR      the office's state folder, whose journal is meant (default\n"
    "                   /var/lib/outpost)\n"
    "  --key FILE       the office's public key, from a source that you trust; without "
    "it the\n"
    "                   journal is checked against its own key.pub\n"
    "  --receipt FILE   a receipt of the city: the journal must hold all that it names\n"
    "  --city-key FILE  the city's public key: receipts must be signed with it\n"
    "  --proof FILE     check a proof made by `outpost prove` instead of a journal\n"
    "  --json           one JSON object instead of text\n"
    "\n"
    "Exit status: 0 all is as it was committed; 1 something is not, and the first place "
    "is named;\n"
    "2 wrong use, or something cannot be read.\n";

enum { TRIES = 5 };

struct wish {
    const char *folder;
    const char *key_path;
    const char *receipt_path;
    const char *city_path;
    const char *proof_path;
    bool is_json;
    struct key *key;
    struct key *city;
    struct buffer receipt;
};

/* What is printed at the end. */
struct verdict {
    struct finding finding;
    struct papers papers;
    char office[WORD_ID_MAX + 1];
    char log[WORD_ID_MAX + 1];
    const char *suite;
    uint64_t size;
    bool is_closed;
    unsigned leftovers;
    struct ledger ledger;
};

static int refuse(const char *path, const char *what)
{
    fprintf(stderr, "outpost verify: %s: %s\n", path, what);
    return 2;
}

static int print_finding(const struct finding *finding, bool is_json)
{
    struct buffer out = {0};
    if (is_json) {
        buffer_append_text(&out, "{\"ok\":false,\"place\":");
        json_put_text(&out, finding->place);
        buffer_append_text(&out, ",\"what\":");
        json_put_text(&out, finding->what);
        buffer_append_text(&out, "}");
    } else {
        buffer_printf(&out, "verify: BAD %s: %s", finding->place, finding->what);
    }
    puts(buffer_text(&out));
    buffer_free(&out);
    return 1;
}

static uint64_t covered_by(const struct verdict *verdict)
{
    return verdict->papers.has_checkpoint ? verdict->papers.checkpoint.size : 0;
}

static void print_json(const struct verdict *verdict, const struct wish *wish)
{
    struct buffer out = {0};
    const struct papers *papers = &verdict->papers;
    buffer_printf(&out,
                  "{\"ok\":true,\"office\":\"%s\",\"log\":\"%s\",\"suite\":\"%s\","
                  "\"events\":%" PRIu64 ",\"uncovered\":%" PRIu64 ",\"closed\":%s",
                  verdict->office, verdict->log, verdict->suite, verdict->size,
                  verdict->size - covered_by(verdict),
                  verdict->is_closed ? "true" : "false");
    if (papers->has_checkpoint) {
        buffer_printf(&out, ",\"checkpoint\":{\"size\":%" PRIu64 ",\"root\":\"",
                      papers->checkpoint.size);
        base64_encode(&out, papers->checkpoint.root.bytes, DIGEST_BYTES);
        buffer_append_text(&out, "\"}");
    }
    if (papers->has_receipt) {
        char time[NOW_TEXT_ROOM];
        now_format(time, papers->receipt.time_us);
        buffer_printf(&out, ",\"receipt\":{\"time\":\"%s\",\"signed\":%s", time,
                      wish->city != NULL ? "true" : "null");
        for (int lane = 0; lane < LANES; lane++)
            buffer_printf(&out, ",\"%s\":%" PRId64, talk_lane_name((enum talk_lane)lane),
                          papers->receipt.lane[lane]);
        buffer_append_text(&out, "}");
    }
    const struct ledger *ledger = &verdict->ledger;
    buffer_printf(&out,
                  ",\"erased\":%" PRIu64 ",\"erased_by\":%" PRIu64 ",\"lost\":%" PRIu64
                  ",\"lost_by\":%" PRIu64,
                  ledger->thinned.events, ledger->thinned.by, ledger->damaged.events,
                  ledger->damaged.by);
    buffer_append_text(&out, "}");
    puts(buffer_text(&out));
    buffer_free(&out);
}

/* "(event 7)" or "(events 7..4711)": the first and the last that say so. */
static void print_orders(const struct ledger *ledger)
{
    const struct ledger_entry *entries = (const void *)ledger->entries.bytes;
    size_t count = ledger->entries.length / sizeof(*entries);
    uint64_t first = count > 0 ? entries[0].seq : 0;
    uint64_t last = count > 0 ? entries[count - 1].seq : 0;
    if (first == last)
        printf(" (event %" PRIu64 ")\n", first);
    else
        printf(" (events %" PRIu64 "..%" PRIu64 ")\n", first, last);
}

/* `outpost events --type journal.*` shows each. */
static void print_erased(const struct ledger *ledger)
{
    const struct {
        const struct ledger_sum *sum;
        const char *what, *type;
    } sums[] = {{&ledger->thinned, "erased", "journal.thinned"},
                {&ledger->damaged, "lost", "journal.damaged"}};
    const char *between = "verify: ";
    for (size_t i = 0; i < countof(sums); i++) {
        if (sums[i].sum->by == 0)
            continue;
        printf("%s%" PRIu64 " events %s by %" PRIu64 " %s event%s", between,
               sums[i].sum->events, sums[i].what, sums[i].sum->by, sums[i].type,
               sums[i].sum->by == 1 ? "" : "s");
        between = ", ";
    }
    if (ledger->entries.length > 0)
        print_orders(ledger);
}

static void print_receipt(const struct verdict *verdict, const struct wish *wish)
{
    const struct receipt *receipt = &verdict->papers.receipt;
    char time[NOW_TEXT_ROOM];
    if (!verdict->papers.has_receipt)
        return;
    now_format(time, receipt->time_us);
    printf("verify: the city had alarm %" PRId64 ", record %" PRId64
           ", telemetry %" PRId64 " at %s (%s)\n",
           receipt->lane[LANE_ALARM], receipt->lane[LANE_RECORD],
           receipt->lane[LANE_TELEMETRY], time,
           wish->city != NULL ? "signed" : "signature not checked: no --city-key");
}

static void print_text(const struct verdict *verdict, const struct wish *wish)
{
    uint64_t covered = covered_by(verdict);
    printf("verify: ok, ");
    if (verdict->size > 0)
        printf("events 0..%" PRIu64, verdict->size - 1);
    else
        printf("no events");
    printf(", checkpoint size %" PRIu64 ", office %s, log %s, key %s (%s)\n", covered,
           verdict->office, verdict->log, key_name(verdict->papers.office),
           wish->key != NULL ? "given" : "the journal's own");
    if (covered < verdict->size)
        printf("verify: events %" PRIu64 "..%" PRIu64
               " are not yet covered by a checkpoint\n",
               covered, verdict->size - 1);
    print_erased(&verdict->ledger);
    print_receipt(verdict, wish);
    if (verdict->leftovers > 0)
        printf("verify: %u files are left over from writes that were cut off; harmless\n",
               verdict->leftovers);
}

static int check_archive(struct verdict *verdict, struct archive *archive,
                         const struct wish *wish)
{
    const struct papers_trust trust = {wish->key, wish->city, wish->receipt_path,
                                       wish->receipt_path ? &wish->receipt : NULL};
    const struct tail *tail = &archive->tail;
    struct inventory inventory = {.size = archive_size(archive),
                                  .is_closed = tail->is_closed};
    memcpy(verdict->office, tail->office, sizeof(verdict->office));
    memcpy(verdict->log, tail->log, sizeof(verdict->log));
    verdict->suite = suite_name(tail->suite);
    verdict->size = archive_size(archive);
    verdict->is_closed = tail->is_closed;
    int err = papers_read(&verdict->papers, archive, &trust, &verdict->finding);
    if (verdict->papers.has_checkpoint)
        inventory.covered = verdict->papers.checkpoint.size;
    if (!err)
        err = inventory_take(&inventory, archive->folder, &verdict->finding);
    if (!err)
        err = audit_events(archive, &verdict->papers, &inventory, &verdict->ledger,
                           &verdict->finding);
    if (!err)
        err = papers_check_closed(&verdict->papers, archive, &verdict->finding);
    verdict->leftovers = inventory.leftovers;
    inventory_free(&inventory);
    return err;
}

static int verify_once(struct verdict *verdict, const char *folder,
                       const struct wish *wish, bool *again)
{
    struct archive *archive = NULL;
    *verdict = (struct verdict){.size = 0};
    int err = archive_open(&archive, folder, &verdict->finding);
    if (!err)
        err = check_archive(verdict, archive, wish);
    *again = err && archive != NULL && archive_has_changed(archive);
    archive_close(archive);
    return err;
}

static void verdict_free(struct verdict *verdict)
{
    papers_free(&verdict->papers);
    ledger_free(&verdict->ledger);
}

static int verify_journal(const struct wish *wish)
{
    char folder[ARCHIVE_PATH_MAX];
    struct verdict verdict;
    bool again = true;
    int err = archive_find(folder, wish->folder);
    if (err)
        return refuse(wish->folder, err == -ENOENT ? "no journal there" : strerror(-err));
    for (int i = 0; i < TRIES && again; i++) {
        if (i > 0)
            verdict_free(&verdict);
        err = verify_once(&verdict, folder, wish, &again);
    }
    int code = 0;
    if (err && verdict.finding.place[0] == '\0')
        code = refuse(folder, strerror(-err));
    else if (err)
        code = print_finding(&verdict.finding, wish->is_json);
    else if (wish->is_json)
        print_json(&verdict, wish);
    else
        print_text(&verdict, wish);
    verdict_free(&verdict);
    return code;
}

/* `index` was checked against what the event says of itself. */
static void print_proven(const struct statement *statement, const struct wish *wish)
{
    struct json *event = NULL;
    if (json_parse(&event, statement->event.bytes, statement->event.length) != 0)
        return;
    const char *type = json_text(event, "type");
    const char *time = json_text(event, "time");
    struct buffer out = {0};
    if (wish->is_json) {
        buffer_printf(&out,
                      "{\"ok\":true,\"origin\":\"%s\",\"index\":%" PRIu64
                      ",\"size\":%" PRIu64 ",\"key\":\"%s\",\"event\":",
                      statement->checkpoint.origin, statement->index,
                      statement->checkpoint.size, key_name(wish->key));
        json_print(&out, event);
        buffer_append_text(&out, "}");
    } else {
        buffer_printf(&out,
                      "verify: ok, proven: event %" PRIu64
                      " (%s, %s) is in log %s; %s signed its "
                      "first %" PRIu64 " events",
                      statement->index, type ? type : "no type", time ? time : "no time",
                      statement->checkpoint.origin, key_name(wish->key),
                      statement->checkpoint.size);
    }
    puts(buffer_text(&out));
    buffer_free(&out);
    json_free(event);
}

static int verify_proof(const struct wish *wish)
{
    struct buffer file = {0};
    struct statement statement;
    struct finding finding = {.place = ""};
    if (wish->key == NULL)
        return refuse("--proof", "needs --key FILE, the office's public key");
    int err = file_read(&file, wish->proof_path, STATEMENT_MAX);
    if (err)
        return refuse(wish->proof_path, strerror(-err));
    err = statement_read(&statement, file.bytes, file.length, &finding);
    if (!err)
        err = statement_check(&statement, wish->key, &finding);
    if (err)
        print_finding(&finding, wish->is_json);
    else
        print_proven(&statement, wish);
    statement_free(&statement);
    buffer_free(&file);
    return err ? 1 : 0;
}

static int load_key(struct key **key, const char *path)
{
    if (path == NULL)
        return 0;
    int err = key_load_verifier(key, path);
    if (!err)
        return 0;
    return refuse(path, err == -EPROTO ? "not a public key (one line NAME+ID+KEY)"
                                       : strerror(-err));
}

static int load_trust(struct wish *wish)
{
    int code = load_key(&wish->key, wish->key_path);
    if (code == 0)
        code = load_key(&wish->city, wish->city_path);
    if (code != 0 || wish->receipt_path == NULL)
        return code;
    int err = file_read(&wish->receipt, wish->receipt_path, NOTE_MAX);
    return err ? refuse(wish->receipt_path, strerror(-err)) : 0;
}

static int read_options(struct wish *wish, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"state", required_argument, NULL, 's'},
                                            {"key", required_argument, NULL, 'k'},
                                            {"receipt", required_argument, NULL, 'r'},
                                            {"proof", required_argument, NULL, 'p'},
                                            {"city-key", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char **const places[] = {['s'] = &wish->folder,
                                   ['k'] = &wish->key_path,
                                   ['r'] = &wish->receipt_path,
                                   ['p'] = &wish->proof_path,
                                   ['c'] = &wish->city_path};
    int option;
    optind = 0;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) >= 0) {
        if (option == 'h' || option == '?')
            return option;
        if (option == 'j')
            wish->is_json = true;
        else
            *places[option] = optarg;
    }
    if (optind < argc)
        wish->folder = argv[optind++];
    return optind == argc ? 0 : '?';
}

int verify_run(int argc, char **argv)
{
    struct wish wish = {.folder = "/var/lib/outpost"};
    int option = read_options(&wish, argc, argv);
    if (option == 'h')
        return fputs(USAGE, stdout) < 0;
    if (option == '?')
        return refuse("usage", "see outpost verify --help");
    int code = load_trust(&wish);
    if (code == 0)
        code = wish.proof_path != NULL ? verify_proof(&wish) : verify_journal(&wish);
    key_free(wish.key);
    key_free(wish.city);
    buffer_free(&wish.receipt);
    return code;
}
