/* outpost - the appliance's command. Each command has a file of its own. */
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"
#include "cli/check.h"
#include "cli/events.h"
#include "cli/keygen.h"
#include "cli/prove.h"
#include "cli/run.h"
#include "cli/status.h"
#include "cli/verify.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} COMMANDS[] = {
    {"check", check_run, "check the configuration, touching nothing"},
    {"run", run_run, "run the appliance in the foreground"},
    {"status", status_run, "how the running appliance is"},
    {"events", events_run, "the journal's events; --follow for what comes"},
    {"verify", verify_run, "check a journal, or one proof, offline"},
    {"prove", prove_run, "prove one event to somebody else"},
    {"keygen", keygen_run, "make a signing key"},
};

static void print_usage(FILE *out)
{
    fputs("usage: outpost COMMAND [OPTION ...]\n\n", out);
    for (size_t i = 0; i < countof(COMMANDS); i++)
        fprintf(out, "  %-8s %s\n", COMMANDS[i].name, COMMANDS[i].summary);
    fputs("\noutpost COMMAND --help tells more; outpost --version names the version.\n",
          out);
}

int main(int argc, char **argv)
{
    log_open("outpost");
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--version") == 0)
        return printf("outpost %s\n", OUTPOST_VERSION), 0;
    if (strcmp(word, "--help") == 0 || strcmp(word, "help") == 0)
        return print_usage(stdout), 0;
    for (size_t i = 0; i < countof(COMMANDS); i++)
        if (strcmp(word, COMMANDS[i].name) == 0)
            return COMMANDS[i].run(argc - 1, argv + 1);
    if (word[0] != '\0')
        fprintf(stderr, "outpost: there is no command \"%s\"\n", word);
    print_usage(stderr);
    return 2;
}
