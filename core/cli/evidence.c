/* evidence - see evidence.h. What changes anything is the keeper's (CUSTODY, VIEW); the history is read
 * from the journal's folder. */
#include "cli/evidence.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/duration.h"
#include "base/hex.h"
#include "cli/export/dossier.h"
#include "cli/export/history.h"
#include "cli/journal/archive.h"
#include "cli/office/blobline.h"
#include "cli/office/keeperline.h"
#include "cli/office/options.h"
#include "cli/office/place.h"
#include "cli/office/table.h"
#include "wire/talk.h"

static const char USAGE[] =
    "usage: outpost evidence list [--json] [--state DIR]\n"
    "outpost evidence show SHA256 [--json] [--state DIR]\n"
    "outpost evidence mark SHA256 important|case --reason TEXT [--keep TIME] [--state "
    "DIR]\n"
    "outpost evidence release SHA256 --reason TEXT [--keep TIME] [--state DIR]\n"
    "outpost evidence export SHA256 FOLDER --reason TEXT [--state DIR]\n"
    "\n"
    "The files that are kept as evidence, and who has done what with each. A mark makes "
    "one important\n"
    "or holds it for a case, until an officer releases it. An export is a folder that "
    "proves the file to\n"
    "people who have nothing of ours: sh FOLDER/check.sh. It holds at most 10000 events "
    "about the file.\n"
    "Marks, releases and exports are for officers, and each is an event that says who "
    "and why.\n"
    "\n"
    "  --reason TEXT   why; it goes into the journal, and to the city\n"
    "  --keep TIME     keep it so long from now at least (default 180d); of a case: "
    "until "
    "it is released\n"
    "  --json          as JSON, each blob or event on a line\n"
    "  --state DIR     default " PLACE_STATE "\n"
    "\n"
    "Exit: 0 done, 1 not so, or nothing runs, 2 wrong usage.\n";

enum { DIGEST_TEXT_BYTES = TALK_DIGEST_HEX / 2, REASON_MAX = 300 };

struct wish {
    const char *state;
    const char *reason;
    const char *keep;
    int64_t keep_ms;
    bool json;
    const char *digest;
    const char *word;        /* the class; the folder */
    struct archive *archive; /* where list looks for names, or NULL */
    uint64_t shown;          /* events */
};

static int say(const char *what, int err)
{
    fprintf(stderr, "outpost evidence: %s: %s\n", what, strerror(-err));
    return 1;
}

/* What others said goes to a terminal as they cannot disturb it. NULL: nothing. */
static void put_text(struct buffer *line, const char *before, const char *text)
{
    if (text == NULL)
        return;
    buffer_append_text(line, before);
    table_put_text(line, text);
}

/* ---- list */

/* Whose it is and what it was called, as the event says that brought it here. */
static void print_origin(const struct wish *wish, const struct json *blob)
{
    int64_t seq = json_number(blob, "seq", -1);
    struct buffer line = {0};
    struct json *event = NULL;
    size_t length = 0;
    const char *body = wish->archive == NULL || seq < 0
                           ? NULL
                           : history_first(wish->archive, json_text(blob, "sha256"),
                                           (uint64_t)seq, TALK_EFFECTS_MAX, &length);
    if (body != NULL && json_parse(&event, body, length) == 0) {
        const struct json *data = json_get(event, "data");
        put_text(&line, ", ", json_text(data, "officer"));
        put_text(&line, ", ", json_text(data, "path"));
    }
    printf("%s\n", buffer_text(&line));
    json_free(event);
    buffer_free(&line);
}

static void print_blob(const struct wish *wish, const struct json *blob)
{
    const char *until = json_text(blob, "until");
    const char *uploaded = json_text(blob, "uploaded");
    printf("%s %12" PRId64 " %-9s stored %.19s, %s%.19s%s%.19s%s%s",
           json_text(blob, "sha256"), json_number(blob, "size", 0),
           json_text(blob, "class"), json_text(blob, "stored"),
           until ? "kept until " : "kept until it is released", until ? until : "",
           uploaded ? ", at the city since " : "", uploaded ? uploaded : "",
           json_true(blob, "released") ? ", being erased" : "",
           json_true(blob, "damaged") ? ", DAMAGED" : "");
    print_origin(wish, blob);
}

static int list_one(void *owner, const struct json *blob, const struct field *text)
{
    const struct wish *wish = owner;
    const char *class = json_text(blob, "class");
    int known = class == NULL ? -1 : talk_class_of(class);
    if (known >= 0 && known < CLASS_ORDINARY)
        return 0;
    if (wish->json)
        printf("%.*s\n", (int)text->length, (const char *)text->bytes);
    else
        print_blob(wish, blob);
    return 0;
}

static int list(struct wish *wish)
{
    int fd;
    struct finding finding;
    char journal[ARCHIVE_PATH_MAX];
    if (keeperline_open(&fd, wish->state) != 0)
        return 1;
    if (!wish->json && archive_find(journal, wish->state) == 0)
        (void)archive_open(&wish->archive, journal, &finding); /* else without names */
    int err = blobline_each(fd, list_one, wish);
    archive_close(wish->archive);
    close(fd);
    if (err)
        return say("the keeper gives no answer", err);
    return fflush(stdout) != 0;
}

/* ---- show */

static void print_event(const void *body, size_t length)
{
    struct json *event = NULL;
    struct buffer line = {0};
    if (json_parse(&event, body, length) != 0)
        return;
    const struct json *data = json_get(event, "data");
    const char *who = json_text(json_get(data, "who"), "name");
    const char *reason = json_text(data, "reason");
    buffer_printf(&line, "%s  %s", json_text(event, "time"), json_text(event, "type"));
    put_text(&line, "  ", who);
    put_text(&line, "  ", reason);
    put_text(&line, "  ", json_text(data, "path"));
    printf("%s\n", buffer_text(&line));
    buffer_free(&line);
    json_free(event);
}

static int show_one(void *owner, uint64_t seq, const void *body, size_t length)
{
    struct wish *wish = owner;
    wish->shown++;
    if (wish->json) {
        printf("%.*s\n", (int)length, (const char *)body);
        return 0;
    }
    printf("%" PRIu64 "  ", seq);
    print_event(body, length);
    return 0;
}

static int show(struct wish *wish)
{
    struct archive *archive = NULL;
    uint64_t unread = 0;
    struct finding finding = {.place = ""};
    char journal[ARCHIVE_PATH_MAX];
    int err = archive_find(journal, wish->state);
    if (!err)
        err = archive_open(&archive, journal, &finding);
    if (!err)
        err = history_each(archive, wish->digest, 0, &unread, show_one, wish);
    archive_close(archive);
    if (err)
        return say(finding.place[0] ? finding.what : wish->state, err);
    if (unread > 0)
        fprintf(stderr, "outpost evidence: %" PRIu64 " events cannot be read\n", unread);
    if (wish->shown == 0)
        fprintf(stderr, "outpost evidence: no event of the journal names that file\n");
    return wish->shown == 0 || unread > 0 || fflush(stdout) != 0;
}

/* ---- mark, release */

static int decide(struct wish *wish, const char *type, const char *class)
{
    const struct blobline_deed deed = {.type = type,
                                       .digest = wish->digest,
                                       .reason = wish->reason,
                                       .class = class,
                                       .keep_ms = wish->keep_ms};
    int64_t seq = -1;
    int fd;
    if (keeperline_open(&fd, wish->state) != 0)
        return 1;
    int err = blobline_decide(fd, "evidence", &deed, &seq);
    close(fd);
    if (err == -ECANCELED)
        return 1;
    if (err)
        return say("the keeper gives no answer", err);
    printf("recorded as event %" PRId64 "\n", seq);
    return fflush(stdout) != 0;
}

static int mark(struct wish *wish)
{
    int class = talk_class_of(wish->word);
    if (class != CLASS_IMPORTANT && class != CLASS_CASE) {
        fprintf(stderr,
                "outpost evidence: mark: expected important or case, got \"%s\"\n",
                wish->word);
        return 2;
    }
    if (class == CLASS_CASE)
        wish->keep_ms = -1;
    return decide(wish, "mark", wish->word);
}

static int release(struct wish *wish)
{
    return decide(wish, "release", NULL);
}

/* ---- export */

static int export(struct wish *wish)
{
    char journal[ARCHIVE_PATH_MAX];
    int err = archive_find(journal, wish->state);
    if (err)
        return say(wish->state, err);
    struct dossier dossier = {.state = wish->state,
                              .sha256 = wish->digest,
                              .reason = wish->reason,
                              .folder = wish->word,
                              .journal = journal};
    if (dossier_make(&dossier) != 0)
        return 1;
    printf("exported as event %" PRId64 "; check it with: sh %s/check.sh\n", dossier.seq,
           wish->word);
    return fflush(stdout) != 0;
}

/* ---- What is wanted */

static const struct verb {
    const char *name;
    int (*run)(struct wish *wish);
    int words; /* behind it: a digest, then one more */
    bool needs_reason;
    const char *wants; /* said when they are more or fewer */
} VERBS[] = {
    {"list", list, 0, false, "list: expected no more words"},
    {"show", show, 1, false, "show: expected SHA256"},
    {"mark", mark, 2, true, "mark: expected SHA256, then important or case"},
    {"export", export, 2, true, "export: expected SHA256, then FOLDER"},
    {"release", release, 1, true, "release: expected SHA256"},
};

static int complain(const char *what, const char *got)
{
    fprintf(stderr, "outpost evidence: %s%s%s%s\n%s", what, got ? ", got \"" : "",
            got ? got : "", got ? "\"" : "", USAGE);
    return 2;
}

static int read_options(struct wish *wish, int argc, char **argv)
{
    *wish = (struct wish){.state = PLACE_STATE, .keep = "180d"};
    const struct option_place places[] = {{"state", .text = &wish->state},
                                          {"reason", .text = &wish->reason},
                                          {"keep", .text = &wish->keep},
                                          {"json", .flag = &wish->json}};
    return options_read(places, countof(places), USAGE, argc, argv);
}

static bool is_digest(const char *text)
{
    unsigned char bytes[DIGEST_TEXT_BYTES];
    return strlen(text) == TALK_DIGEST_HEX &&
           strspn(text, "0123456789abcdef") == TALK_DIGEST_HEX &&
           hex_decode(bytes, sizeof(bytes), text) == 0;
}

/* As the keeper wants it: one line. */
static bool is_reason(const char *text)
{
    size_t length = strlen(text);
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return false;
    return length > 0 && length <= REASON_MAX;
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < countof(VERBS); i++)
        if (strcmp(VERBS[i].name, name) == 0)
            return &VERBS[i];
    return NULL;
}

int evidence_run(int argc, char **argv)
{
    struct wish wish;
    int stop = read_options(&wish, argc, argv);
    if (stop)
        return stop - 1;
    const struct verb *verb = find_verb(optind < argc ? argv[optind] : "");
    if (verb == NULL)
        return complain("expected list, show, mark, release or export",
                        optind < argc ? argv[optind] : NULL);
    if (argc - optind - 1 != verb->words)
        return complain(verb->wants, NULL);
    if (verb->words > 0 && !is_digest(argv[optind + 1]))
        return complain("expected a SHA-256 of 64 hex digits", argv[optind + 1]);
    if (verb->needs_reason && (wish.reason == NULL || !is_reason(wish.reason)))
        return complain("expected --reason with one line of at most 300 bytes",
                        wish.reason);
    if (duration_parse(&wish.keep_ms, wish.keep) != 0)
        return complain("--keep: expected a time like 180d", wish.keep);
    wish.digest = verb->words > 0 ? argv[optind + 1] : NULL;
    wish.word = verb->words > 1 ? argv[optind + 2] : NULL;
    return verb->run(&wish);
}
