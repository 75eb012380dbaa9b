/* replay - see replay.h. */
#include "cli/replay.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/journal/slice.h"
#include "cli/office/place.h"
#include "cli/play/play.h"
#include "cli/play/tape.h"
#include "cli/play/verdict.h"

enum { IDENTICAL = 0, DIFFERENT = 1, WRONG_USAGE = 2, UNREADABLE = 3, UNCOMPARED = 4 };

static const char COMMAND[] = "outpost replay";

static const char USAGE[] =
    "usage: outpost replay PLUGIN [INSTANCE] [--journal DIR] [--config FILE] [--from "
    "SEQ|TIME]\n"
    "                      [--until SEQ|TIME] [--against PLUGIN] [--against-config "
    "FILE]\n"
    "                      [--capture FILE] [--within SECONDS] [--limit N] [--out FILE] "
    "[--json]\n"
    "\n"
    "Runs a plugin over a recorded journal in the real host, in the time of the journal "
    "and as\n"
    "fast as it can, and compares what it emits with what its instance emitted in life. "
    "The\n"
    "plugin begins with an empty store. Nothing reaches a device: each request answers "
    "what was\n"
    "recorded of it (--capture), else \"unrecorded\", and what depends on that is not "
    "compared.\n"
    "\n"
    "  PLUGIN                 a plugin's folder, or the name of an installed plugin\n"
    "  INSTANCE               which one of the configuration; default the only one\n"
    "  --journal DIR          the state folder, or a copied journal folder; "
    "default " PLACE_STATE "\n"
    "  --config FILE          the configuration of the instance; default what the plugin "
    "sets\n"
    "  --from SEQ|TIME        begin there: 4711 or 2026-11-21T03:00:00Z\n"
    "  --until SEQ|TIME       the last one\n"
    "  --against PLUGIN       compare with what this version emits over the same events\n"
    "  --against-config FILE  compare with what this configuration makes of them\n"
    "  --capture FILE         devices answer what outpost capture has kept; without "
    "--from "
    "and --until\n"
    "                         its time is that of the slice\n"
    "  --within SECONDS       so far apart two equal events may be; default 2. What was "
    "recorded so\n"
    "                         near the beginning of a slice (of the journal none) may "
    "come of what\n"
    "                         lies before it, and counts only where it agrees\n"
    "  --limit N              so many differences are shown; default 20\n"
    "  --out FILE             keep what it emits there, a line of JSON each; the hash is "
    "its SHA-256\n"
    "  --json                 one JSON object\n"
    "\n"
    "Exit: 0 identical, 1 different, 2 wrong usage, 3 something cannot be read or "
    "replayed,\n"
    "4 nothing could be compared, because all of it depends on devices.\n";

struct wish {
    struct slice_wish slice;
    struct starter_wish is;
    const char *against;
    const char *against_config;
    const char *out;
    const char *capture;
    struct tape tape; /* of `capture` */
    double within_s;
    double limit;
    bool json;
};

static int read_number(double *number, const char *option, const char *text, double most)
{
    char *end;
    errno = 0;
    *number = strtod(text, &end);
    if (errno == 0 && end != text && *end == '\0' && *number >= 0 && *number <= most)
        return 0;
    fprintf(stderr, "outpost replay: %s: expected a number from 0 to %.0f, got \"%s\"\n",
            option, most, text);
    return -EINVAL;
}

/* Options with a text; those with a number come behind. */
static int take_option(struct wish *wish, int option)
{
    const char **texts[] = {
        ['J'] = &wish->slice.folder, ['c'] = &wish->is.config,
        ['f'] = &wish->slice.from,   ['u'] = &wish->slice.until,
        ['a'] = &wish->against,      ['A'] = &wish->against_config,
        ['o'] = &wish->out,          ['p'] = &wish->capture,
    };
    if (option == 'j')
        wish->json = true;
    else if (option == 'w')
        return read_number(&wish->within_s, "--within", optarg, 86400);
    else if (option == 'l')
        return read_number(&wish->limit, "--limit", optarg, 1000000);
    else if (option < (int)(sizeof(texts) / sizeof(texts[0])) && texts[option] != NULL)
        *texts[option] = optarg;
    else
        return -EINVAL;
    return 0;
}

/* 0 to go on, else the exit code plus one. */
static int read_wish(struct wish *wish, int argc, char **argv)
{
    static const struct option KNOWN[] = {
        {"journal", required_argument, NULL, 'J'},
        {"config", required_argument, NULL, 'c'},
        {"from", required_argument, NULL, 'f'},
        {"until", required_argument, NULL, 'u'},
        {"against", required_argument, NULL, 'a'},
        {"against-config", required_argument, NULL, 'A'},
        {"capture", required_argument, NULL, 'p'},
        {"within", required_argument, NULL, 'w'},
        {"limit", required_argument, NULL, 'l'},
        {"out", required_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int option, err = 0;
    *wish = (struct wish){.slice.folder = PLACE_STATE, .within_s = 2, .limit = 20};
    while (!err && (option = getopt_long(argc, argv, "", KNOWN, NULL)) != -1) {
        if (option == 'h')
            return fputs(USAGE, stdout), 1;
        err = take_option(wish, option);
    }
    if (!err && (optind == argc || argc - optind > 2)) {
        fprintf(stderr, "outpost replay: expected a plugin, and perhaps an instance\n");
        err = -EINVAL;
    }
    if (err)
        return fputs(USAGE, stderr), WRONG_USAGE + 1;
    wish->is.plugin = argv[optind];
    wish->is.instance = argv[optind + 1];
    return 0;
}

static int prepare(struct play *play, const struct starter_wish *wish)
{
    struct buffer errors = {0};
    int err = starter_make(&play->starter, wish, &errors);
    fputs(buffer_text(&errors), stderr);
    buffer_free(&errors);
    return err;
}

/* ---- The command */

/* The other side: another version or configuration, or what was recorded. */
static bool has_other(const struct wish *wish)
{
    return wish->against != NULL || wish->against_config != NULL;
}

static int prepare_both(struct play *is, struct play *other, const struct wish *wish)
{
    struct starter_wish against = wish->is;
    if (wish->against != NULL)
        against.plugin = wish->against;
    if (wish->against_config != NULL)
        against.config = wish->against_config;
    int err = prepare(is, &wish->is);
    if (!err && has_other(wish))
        err = prepare(other, &against);
    return err;
}

static int code_of(const struct verdict *verdict)
{
    return !verdict_is_identical(verdict)  ? DIFFERENT
           : !verdict_is_compared(verdict) ? UNCOMPARED
                                           : IDENTICAL;
}

static int compare(const struct wish *wish, struct play *is, struct play *other,
                   const struct slice *slice)
{
    struct buffer text = {0};
    struct verdict verdict = {.is = {"replay", &is->spool, &is->player},
                              .reference = {"what was recorded", &other->spool, NULL},
                              .erased = slice->erased,
                              .from_the_first = slice->first == 0 && slice->from_us == 0};
    if (has_other(wish)) {
        verdict.reference.name = wish->against ? wish->against : wish->against_config;
        verdict.reference.player = &other->player;
    }
    int err =
        verdict_make(&verdict, (int64_t)(wish->within_s * 1e6), (int64_t)wish->limit);
    if (err)
        fprintf(stderr, "outpost replay: cannot be compared: %s\n", strerror(-err));
    else if (wish->json)
        verdict_print_json(&verdict, &text);
    else
        verdict_print(&verdict, &text);
    if (!err)
        printf("%s%s", buffer_text(&text), wish->json ? "\n" : "");
    int code = err ? UNREADABLE : code_of(&verdict);
    buffer_free(&text);
    verdict_free(&verdict);
    return code;
}

static int play_both(const struct wish *wish, struct slice *slice, struct play *is,
                     struct play *other)
{
    bool alone = !has_other(wish);
    if (wish->capture != NULL)
        is->player.capture = other->player.capture = &wish->tape.bytes;
    is->player.recorded = alone ? &other->spool : NULL;
    is->player.beyond_us = (int64_t)(wish->within_s * 1e6);
    int err = alone ? spool_open(&other->spool, NULL) : 0;
    if (!err)
        err = play_run(is, slice, wish->out, COMMAND);
    if (!err && !alone)
        err = play_run(other, slice, NULL, COMMAND);
    return err ? UNREADABLE : compare(wish, is, other, slice);
}

/* Devices can only answer in the time in which they were recorded. */
static int open_tape(struct wish *wish)
{
    int err = wish->capture != NULL ? tape_open(&wish->tape, wish->capture) : 0;
    if (err)
        fprintf(stderr, "outpost replay: --capture: %s: %s\n", wish->capture,
                tape_why(err));
    else if (wish->capture != NULL && !wish->slice.from && !wish->slice.until) {
        wish->slice.from = wish->tape.from;
        wish->slice.until = wish->tape.until;
    }
    return err;
}

static int replay(struct wish *wish)
{
    struct slice slice;
    struct play is = {0}, other = {0};
    int code, err = slice_open(&slice, &wish->slice);
    if (err) {
        const struct finding *finding = &slice.finding;
        fprintf(stderr, "outpost replay: %s: %s\n",
                finding->place[0] ? finding->place : wish->slice.folder,
                finding->what[0] ? finding->what : strerror(-err));
        return err == -EINVAL ? WRONG_USAGE : UNREADABLE;
    }
    wish->is.office = slice.archive->tail.office;
    if (prepare_both(&is, &other, wish) != 0)
        code = WRONG_USAGE;
    else
        code = play_both(wish, &slice, &is, &other);
    play_close(&is);
    play_close(&other);
    slice_close(&slice);
    return code;
}

int replay_run(int argc, char **argv)
{
    struct wish wish;
    int stop = read_wish(&wish, argc, argv);
    if (stop)
        return stop - 1;
    int code = open_tape(&wish) != 0 ? UNREADABLE : replay(&wish);
    tape_close(&wish.tape);
    return code;
}
