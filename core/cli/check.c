/* check - see check.h. */
#include "cli/check.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"
#include "cli/office/configuration.h"
#include "cli/office/options.h"
#include "cli/office/place.h"

static const char USAGE[] =
    "usage: outpost check [--config FILE] [--json]\n"
    "\n"
    "Runs and checks the configuration, touching nothing. Each error is one line: file, "
    "line,\n"
    "setting, expectation, value.\n"
    "\n"
    "  --config FILE   default " PLACE_CONFIG "\n"
    "  --json          print the checked configuration, defaults filled in\n"
    "\n"
    "Exit: 0 good, 1 errors, 2 wrong usage.\n";

struct wish {
    const char *config;
    bool json;
};

/* 0 to go on, else the exit code plus one. */
static int read_wish(struct wish *wish, int argc, char **argv)
{
    *wish = (struct wish){.config = PLACE_CONFIG};
    const struct option_place places[] = {{"config", .text = &wish->config},
                                          {"json", .flag = &wish->json}};
    return options_alone(places, countof(places), USAGE, argc, argv);
}

static void print_summary(const char *path, const struct json *config)
{
    const char *city = json_text(json_get(config, "city"), "url");
    int plugins = 0;
    for (const struct json *item = json_first(json_get(config, "plugins")); item != NULL;
         item = json_next(item))
        plugins++;
    printf("%s: ok: office %s, %d plugin instance%s, %s%s\n", path,
           json_text(json_get(config, "office"), "id"), plugins, plugins == 1 ? "" : "s",
           city ? "city " : "no city", city ? city : "");
}

int check_run(int argc, char **argv)
{
    struct wish wish;
    struct buffer text = {0}, errors = {0};
    struct json *config = NULL;
    int stop = read_wish(&wish, argc, argv);
    if (stop)
        return stop - 1;
    int err = configuration_read(&text, &errors, wish.config);
    fputs(buffer_text(&errors), stderr);
    if (!err)
        err = json_parse(&config, text.bytes, text.length);
    if (!err && wish.json)
        printf("%s\n", buffer_text(&text));
    else if (!err)
        print_summary(wish.config, config);
    json_free(config);
    buffer_free(&text);
    buffer_free(&errors);
    return err ? 1 : 0;
}
