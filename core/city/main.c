/* outpost-city - the other end of the offices' line. Each command has a file of its own. */
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"
#include "city/audit.h"
#include "city/check.h"
#include "city/events.h"
#include "city/keygen.h"
#include "city/prove.h"
#include "city/run.h"
#include "city/status.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} COMMANDS[] = {
    {"check", check_run, "would `run` begin with these options"},
    {"run", run_run, "collect what the offices send"},
    {"status", status_run, "each office: online, complete up to, verified, findings"},
    {"events", events_run, "what is stored; --follow for what comes"},
    {"verify", audit_run, "check everything stored once more, offline"},
    {"prove", prove_run, "prove one event to somebody else"},
    {"keygen", keygen_run, "make the key that signs receipts"},
};

static void print_usage(FILE *out)
{
    fputs("usage: outpost-city COMMAND [OPTION ...]\n\n", out);
    for (size_t i = 0; i < countof(COMMANDS); i++)
        fprintf(out, "  %-8s %s\n", COMMANDS[i].name, COMMANDS[i].summary);
    fputs("\noutpost-city COMMAND --help tells more; outpost-city --version names the "
          "version.\n",
          out);
}

int main(int argc, char **argv)
{
    log_open("city");
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--version") == 0)
        return printf("outpost-city %s\n", OUTPOST_VERSION), 0;
    if (strcmp(word, "--help") == 0 || strcmp(word, "help") == 0)
        return print_usage(stdout), 0;
    for (size_t i = 0; i < countof(COMMANDS); i++)
        if (strcmp(word, COMMANDS[i].name) == 0)
            return COMMANDS[i].run(argc - 1, argv + 1);
    if (word[0] != '\0')
        fprintf(stderr, "outpost-city: there is no command \"%s\"\n", word);
    print_usage(stderr);
    return 2;
}
