/* options - see options.h. */
#include "city/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int options_refuse(const struct options *options, const char *format, ...)
{
    va_list values;
    fprintf(stderr, "outpost-city %s: ", options->command);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    return 2;
}

static const struct options_row *find(const struct options *options, const char *name,
                                      size_t length)
{
    for (size_t i = 0; i < options->count; i++)
        if (strlen(options->rows[i].name) == length &&
            strncmp(options->rows[i].name, name, length) == 0)
            return &options->rows[i];
    return NULL;
}

/* Takes one option at argv[*at] and its value, leaving *at at the last word taken. */
static int take_option(struct options *options, int argc, char **argv, int *at)
{
    const char *name = argv[*at] + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct options_row *row = find(options, name, length);
    if (row == NULL)
        return options_refuse(options, "there is no option --%.*s; see --help",
                              (int)length, name);
    if (row->value == NULL && equals != NULL)
        return options_refuse(options, "--%s: expected no value, got \"%s\"", row->name,
                              equals + 1);
    if (row->value == NULL) {
        *row->flag = true;
        return 0;
    }
    if (equals == NULL && *at + 1 == argc)
        return options_refuse(options, "--%s: expected a value", row->name);
    *row->value = equals != NULL ? equals + 1 : argv[++*at];
    return 0;
}

static int take_words(struct options *options, int argc, char **argv)
{
    int status = 0;
    for (int i = 1; i < argc && status == 0; i++) {
        if (strncmp(argv[i], "--", 2) == 0)
            status = take_option(options, argc, argv, &i);
        else if (options->rest_count < options->most &&
                 options->rest_count < OPTIONS_REST_MAX)
            options->rest[options->rest_count++] = argv[i];
        else
            status =
                options_refuse(options, "did not expect \"%s\"; see --help", argv[i]);
    }
    return status;
}

static int check_words(const struct options *options)
{
    for (size_t i = 0; i < options->count; i++)
        if (options->rows[i].required && *options->rows[i].value == NULL)
            return options_refuse(options, "expected --%s; see --help",
                                  options->rows[i].name);
    if (options->rest_count < options->least)
        return options_refuse(options,
                              "expected %d words beside the options, got %d; see --help",
                              options->least, options->rest_count);
    return 0;
}

bool options_read(struct options *options, int argc, char **argv, int *status)
{
    *status = 0;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            fputs(options->usage, stdout);
            return false;
        }
    *status = take_words(options, argc, argv);
    if (*status == 0)
        *status = check_words(options);
    return *status == 0;
}
