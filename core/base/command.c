/* command - see command.h. */
#include "base/command.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 80 };

static void print_usage(FILE *out, const char *program, const struct command *commands,
                        size_t count)
{
    fprintf(out, "usage: %s COMMAND [OPTION ...]\n\n", program);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n%s COMMAND --help tells more; %s --version names the version.\n",
            program, program);
}

static int run(const struct command *command, const char *program, int argc, char **argv)
{
    char words[WORDS_MAX];
    snprintf(words, sizeof(words), "%s %s", program, command->name);
    argv[1] = words;
    return command->run(argc - 1, argv + 1);
}

int command_run(const char *program, const struct command *commands, size_t count,
                int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--version") == 0)
        return printf("%s %s\n", program, OUTPOST_VERSION), 0;
    if (strcmp(word, "--help") == 0 || strcmp(word, "help") == 0)
        return print_usage(stdout, program, commands, count), 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, commands[i].name) == 0)
            return run(&commands[i], program, argc, argv);
    if (word[0] != '\0')
        fprintf(stderr, "%s: there is no command \"%s\"\n", program, word);
    print_usage(stderr, program, commands, count);
    return 2;
}
