/* try - see try.h. What runs is what config.good says (keeper/versions/accepted.h); both it and the new one are
 * played the same slice, each from an empty store. */
#include "cli/try.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/office/configuration.h"
#include "cli/office/lastgood.h"
#include "cli/office/place.h"
#include "cli/play/play.h"
#include "cli/play/revision.h"
#include "cli/play/verdict.h"

enum { IDENTICAL = 0, DIFFERENT = 1, WRONG_USAGE = 2, UNREADABLE = 3, UNCOMPARED = 4 };
enum { DAYS_MOST = 3650, WITHIN_US = 2000000 };

static const char COMMAND[] = "outpost try";

static const char USAGE[] =
    "usage: outpost try [CONFIG] [--days N] [--state DIR] [--plugins DIR] [--limit N]\n"
    "\n"
    "Checks a new configuration and says, before it goes live, what would be otherwise: "
    "each\n"
    "instance that it changes is played the last days of this office's journal twice, as "
    "it runs\n"
    "now and as it would run. Which alarms more, which fewer, which devices no longer "
    "read.\n"
    "Devices themselves were not recorded: what depends on them is named and not "
    "compared.\n"
    "\n"
    "  CONFIG         the new configuration; default " PLACE_CONFIG "\n"
    "  --days N       of the journal, back from its last event; default 7, 0 is all of "
    "it\n"
    "  --state DIR    the state folder; default " PLACE_STATE "\n"
    "  --plugins DIR  new versions of the plugins; default the installed ones\n"
    "  --limit N      so many differences of each instance are shown; default 20\n"
    "\n"
    "Exit: 0 nothing would differ, 1 something would, 2 wrong usage or the configuration "
    "does\n"
    "not check, 3 something cannot be read or played,\n"
    "4 of an instance that it changes nothing could be compared, because all of it "
    "depends on\n"
    "devices; else nothing would differ.\n";

struct wish {
    const char *config, *state, *plugins;
    double days, limit;
};

static int read_number(double *number, const char *option, double most)
{
    char *end;
    *number = strtod(optarg, &end);
    if (end != optarg && *end == '\0' && *number >= 0 && *number <= most)
        return 0;
    fprintf(stderr, "outpost try: %s: expected a number from 0 to %.0f, got \"%s\"\n",
            option, most, optarg);
    return -EINVAL;
}

static int take_option(struct wish *wish, int option)
{
    switch (option) {
    case 'd':
        return read_number(&wish->days, "--days", DAYS_MOST);
    case 'l':
        return read_number(&wish->limit, "--limit", 1000000);
    case 's':
        wish->state = optarg;
        return 0;
    case 'p':
        wish->plugins = optarg;
        return 0;
    default:
        return -EINVAL;
    }
}

/* 0 to go on, else the exit code plus one. */
static int read_wish(struct wish *wish, int argc, char **argv)
{
    static const struct option KNOWN[] = {{"days", required_argument, NULL, 'd'},
                                          {"state", required_argument, NULL, 's'},
                                          {"plugins", required_argument, NULL, 'p'},
                                          {"limit", required_argument, NULL, 'l'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option, err = 0;
    *wish = (struct wish){
        .config = PLACE_CONFIG, .state = PLACE_STATE, .days = 7, .limit = 20};
    while (!err && (option = getopt_long(argc, argv, "", KNOWN, NULL)) != -1) {
        if (option == 'h')
            return fputs(USAGE, stdout), 1;
        err = take_option(wish, option);
    }
    if (!err && argc - optind > 1) {
        fprintf(stderr, "outpost try: unexpected \"%s\"\n", argv[optind + 1]);
        err = -EINVAL;
    }
    if (err)
        return fputs(USAGE, stderr), WRONG_USAGE + 1;
    if (optind < argc)
        wish->config = argv[optind];
    return 0;
}

/* ---- Both configurations */

struct trying {
    const struct wish *wish;
    struct json *was, *is;
    struct slice slice;
    char plugins[PATH_MAX], state[PATH_MAX]; /* absolute */
    int code;
};

static int read_new(struct trying *trying)
{
    struct buffer text = {0}, errors = {0};
    const char *plugins = NULL;
    int err = 0;
    if (trying->wish->plugins != NULL) {
        plugins = realpath(trying->wish->plugins, trying->plugins);
        if (plugins == NULL) {
            fprintf(stderr, "outpost try: --plugins: %s: %s\n", trying->wish->plugins,
                    strerror(errno));
            return -EINVAL;
        }
    }
    err = configuration_read_with(&text, &errors, trying->wish->config, plugins);
    fputs(buffer_text(&errors), stderr);
    if (!err)
        err = json_parse(&trying->is, text.bytes, text.length);
    buffer_free(&text);
    buffer_free(&errors);
    return err;
}

static int read_old(struct trying *trying)
{
    struct buffer text = {0};
    int err = realpath(trying->wish->state, trying->state) == NULL
                  ? -errno
                  : lastgood_get(&text, trying->state);
    if (!err)
        err = json_parse(&trying->was, text.bytes, text.length);
    buffer_free(&text);
    if (err)
        fprintf(stderr, "outpost try: %s/config.good: what runs is not known: %s\n",
                trying->wish->state, strerror(-err));
    return err;
}

static int open_slice(struct trying *trying)
{
    struct slice_wish wish = {.folder = trying->wish->state, .days = trying->wish->days};
    int err = slice_open(&trying->slice, &wish);
    const struct finding *finding = &trying->slice.finding;
    if (err)
        fprintf(stderr, "outpost try: %s: %s\n",
                finding->place[0] ? finding->place : wish.folder,
                finding->what[0] ? finding->what : strerror(-err));
    return err;
}

/* ---- One instance */

/* What cannot be played counts most, then what differs. */
static void note(struct trying *trying, int code)
{
    static const int WEIGHTS[] = {
        [IDENTICAL] = 0, [UNCOMPARED] = 1, [DIFFERENT] = 2, [UNREADABLE] = 3};
    if (WEIGHTS[code] > WEIGHTS[trying->code])
        trying->code = code;
}

/* One side of it. */
struct side {
    struct play play;
    struct json *start; /* NULL: it is not there */
};

static void take_side(struct side *side, const struct json *config,
                      const struct json *plugin, const char *base)
{
    if (plugin == NULL)
        return;
    starter_take(&side->play.starter, config, plugin, base);
    const struct buffer *start = &side->play.starter.start;
    if (json_parse(&side->start, start->bytes, start->length) != 0)
        side->start = NULL;
}

static int play_side(struct trying *trying, struct side *side)
{
    return side->start != NULL ? play_run(&side->play, &trying->slice, NULL, COMMAND)
                               : play_nothing(&side->play);
}

static void close_side(struct side *side)
{
    play_close(&side->play);
    json_free(side->start);
}

static const struct player *player_of(const struct side *side)
{
    return side->start != NULL ? &side->play.player : NULL;
}

/* What would be said otherwise. */
static void compare(struct trying *trying, struct side *was, struct side *is)
{
    struct buffer text = {0};
    struct verdict verdict = {
        .is = {"the new one", &is->play.spool, player_of(is)},
        .reference = {"what runs now", &was->play.spool, player_of(was)},
        .erased = trying->slice.erased};
    int err = play_side(trying, was);
    if (!err)
        err = play_side(trying, is);
    if (!err)
        err = verdict_make(&verdict, WITHIN_US, (int64_t)trying->wish->limit);
    if (!err) {
        verdict_print(&verdict, &text);
        fputs(buffer_text(&text), stdout);
        note(trying, !verdict_is_identical(&verdict)  ? DIFFERENT
                     : !verdict_is_compared(&verdict) ? UNCOMPARED
                                                      : IDENTICAL);
    } else {
        printf("cannot be played\n");
        note(trying, UNREADABLE);
    }
    verdict_free(&verdict);
    buffer_free(&text);
}

static void print_revision(struct trying *trying, const struct revision *revision)
{
    const struct json *shown = revision->is != NULL ? revision->is : revision->was;
    struct buffer text = {0};
    printf("%s (%s): %s%s%s\n", json_text(shown, "instance"), json_text(shown, "plugin"),
           revision_name(revision->state), revision->has_other_code ? ", other code" : "",
           revision->has_other_library ? ", another library" : "");
    revision_print_settings(revision, &text);
    if (revision_print_devices(revision, trying->is, &text) > 0)
        note(trying, DIFFERENT);
    fputs(buffer_text(&text), stdout);
    buffer_free(&text);
}

static void try_instance(struct trying *trying, const struct json *old,
                         const struct json *new)
{
    struct side was = {.start = NULL}, is = {.start = NULL};
    struct revision revision;
    take_side(&was, trying->was, old, trying->state);
    take_side(&is, trying->is, new, "/");
    revision_make(&revision, was.start, is.start);
    print_revision(trying, &revision);
    fflush(stdout);
    if (revision.state != REVISION_SAME)
        compare(trying, &was, &is);
    close_side(&was);
    close_side(&is);
}

/* The instance of that name and plugin. */
static const struct json *find_same(const struct json *config, const struct json *plugin)
{
    for (const struct json *item = json_first(json_get(config, "plugins")); item != NULL;
         item = json_next(item))
        if (strcmp(json_text(item, "instance"), json_text(plugin, "instance")) == 0 &&
            strcmp(json_text(item, "plugin"), json_text(plugin, "plugin")) == 0)
            return item;
    return NULL;
}

static void try_all(struct trying *trying)
{
    const struct json *item = json_first(json_get(trying->is, "plugins"));
    for (; item != NULL; item = json_next(item))
        try_instance(trying, find_same(trying->was, item), item);
    item = json_first(json_get(trying->was, "plugins"));
    for (; item != NULL; item = json_next(item))
        if (find_same(trying->is, item) == NULL)
            try_instance(trying, item, NULL);
}

int try_run(int argc, char **argv)
{
    struct wish wish;
    int stop = read_wish(&wish, argc, argv);
    if (stop)
        return stop - 1;
    struct trying trying = {.wish = &wish, .code = WRONG_USAGE};
    if (read_new(&trying) == 0) {
        trying.code = UNREADABLE;
        if (read_old(&trying) == 0 && open_slice(&trying) == 0) {
            trying.code = IDENTICAL;
            try_all(&trying);
            slice_close(&trying.slice);
        }
    }
    json_free(trying.was);
    json_free(trying.is);
    return trying.code;
}
