/* test - see test.h. Nothing of this program stays behind: it executes rehearse in its place. */
#include "cli/test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/office/options.h"
#include "cli/office/place.h"

static const char USAGE[] =
    "usage: outpost test PLUGIN... [--filter TEXT] [--limit SECONDS]\n"
    "\n"
    "Runs the tests of plugins (test/NAME_test.lua) in the real host, with devices, "
    "keeper and\n"
    "time in the hands of the test: an hour passes in milliseconds, and each run is like "
    "the\n"
    "one before. PLUGIN is a plugin's folder, or the name of an installed plugin.\n"
    "\n"
    "  --filter TEXT     only tests with TEXT in their name\n"
    "  --limit SECONDS   a file of tests may take so long; default 60\n"
    "\n"
    "OUTPOST_LOG=debug shows what the host logs. The last line is \"N passed, N "
    "failed\".\n"
    "Exit: 0 all passed, 1 a test failed or there was none, 2 wrong usage.\n";

static bool is_plugin(const char *folder)
{
    char manifest[PLACE_MAX];
    return file_join(manifest, sizeof(manifest), folder, "plugin.lua") == 0 &&
           file_exists(manifest);
}

struct wish {
    const char *filter;
    const char *limit;
};

/* The folder as it was named, or the installed plugin of that name; who runs it says what is wrong. */
static char *find_plugin(const char *named)
{
    char installed[PLACE_MAX], folder[PLACE_MAX];
    if (strchr(named, '/') != NULL || is_plugin(named) ||
        place_beside(installed, "../share/outpost/plugins") != 0 ||
        file_join(folder, sizeof(folder), installed, named) != 0 || !is_plugin(folder))
        return mem_text(named);
    return mem_text(folder);
}

static bool is_count(const char *text)
{
    return strspn(text, "0123456789") == strlen(text) && atoi(text) > 0;
}

static int read_wish(struct wish *wish, int argc, char **argv)
{
    const struct option_place places[] = {{"filter", .text = &wish->filter},
                                          {"limit", .text = &wish->limit}};
    int stop = options_read(places, countof(places), USAGE, argc, argv);
    if (stop)
        return stop;
    if (wish->limit != NULL && !is_count(wish->limit)) {
        fprintf(stderr,
                "outpost test: --limit: expected whole seconds from 1, got \"%s\"\n",
                wish->limit);
        return 3;
    }
    if (optind < argc)
        return 0;
    fprintf(stderr, "outpost test: expected a plugin's folder\n%s", USAGE);
    return 3;
}

static int add(char **words, int count, const char *option, const char *value)
{
    if (value == NULL)
        return count;
    words[count++] = mem_text(option);
    words[count++] = mem_text(value);
    return count;
}

int test_run(int argc, char **argv)
{
    char rehearse[PLACE_MAX], lua[PLACE_MAX];
    struct wish wish = {0};
    int stop = read_wish(&wish, argc, argv), count = 0;
    if (stop)
        return stop - 1;
    if (place_beside(rehearse, "../libexec/outpost/rehearse") != 0 ||
        place_beside(lua, "../share/outpost/lua") != 0)
        return 1;
    char **words = mem_zeroed((size_t)(argc + 9) * sizeof(*words));
    words[count++] = mem_text("rehearse");
    count = add(words, count, "--lua", lua);
    count = add(words, count, "--filter", wish.filter);
    count = add(words, count, "--limit", wish.limit);
    words[count++] = mem_text("--"); /* a folder's name may begin with a dash */
    for (int i = optind; i < argc; i++)
        words[count++] = find_plugin(argv[i]);
    execv(rehearse, words);
    fprintf(stderr, "outpost test: %s: cannot be executed: %s\n", rehearse,
            strerror(errno));
    for (int i = 0; i < count; i++)
        mem_free(words[i]);
    mem_free(words);
    return 1;
}
