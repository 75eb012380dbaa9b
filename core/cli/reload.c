/* reload - see reload.h. The work is the keeper's: this checks, hands over, and says how it goes. */
#include "cli/reload.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/json.h"
#include "cli/office/configuration.h"
#include "cli/office/keeperline.h"
#include "cli/office/options.h"
#include "cli/office/place.h"
#include "wire/talk.h"

static const char USAGE[] =
    "usage: outpost reload [--config FILE] [--state DIR] [--no-wait] [--instead]\n"
    "                      [--silent-ok] [--json]\n"
    "\n"
    "Checks the configuration and applies it, and new code of plugins, to the appliance "
    "that runs.\n"
    "Only instances that changed are touched. Each new version is loaded first, and is "
    "then on trial\n"
    "for the time of the setting update.trial (90 s): when it crashes, does not answer "
    "or "
    "stops reading\n"
    "its devices, the old version runs again by itself. One reload at a time: while "
    "another is under\n"
    "way this one waits its turn.\n"
    "\n"
    "  --config FILE   default " PLACE_CONFIG "\n"
    "  --state DIR     default " PLACE_STATE "\n"
    "  --no-wait       do not wait for the trials; how they end `outpost status` says, "
    "and "
    "the events\n"
    "                  plugin.updated and plugin.returned\n"
    "  --instead       end another reload that is under way: what is on trial there is "
    "undone\n"
    "  --silent-ok     devices may be silent: a version is judged by its process and its "
    "errors only\n"
    "  --json          one JSON object a line\n"
    "\n"
    "Exit: 0 all accepted (or handed over), 1 nothing is changed (errors, nobody runs, a "
    "newer reload),\n"
    "2 wrong usage, 3 some were returned, 4 nothing is changed: it needs `outpost run` "
    "anew.\n";

enum { PART = 128 * 1024 };
enum { EXIT_RETURNED = 3, EXIT_ANEW = 4 };

struct wish {
    const char *config;
    const char *state;
    bool no_wait;
    bool instead;
    bool silent_ok;
    bool json;
};

static int read_wish(struct wish *wish, int argc, char **argv)
{
    *wish = (struct wish){.config = PLACE_CONFIG, .state = PLACE_STATE};
    const struct option_place places[] = {
        {"config", .text = &wish->config},       {"state", .text = &wish->state},
        {"no-wait", .flag = &wish->no_wait},     {"instead", .flag = &wish->instead},
        {"silent-ok", .flag = &wish->silent_ok}, {"json", .flag = &wish->json}};
    return options_alone(places, countof(places), USAGE, argc, argv);
}

static void put_flags(struct buffer *frame, const struct wish *wish)
{
    if (wish->instead)
        frame_put(frame, TAG_INSTEAD, "", 0);
    if (wish->silent_ok)
        frame_put(frame, TAG_SILENT, "", 0);
}

static int hand_over(int fd, const struct wish *wish, const struct buffer *config)
{
    struct buffer frame = {0};
    int err = 0;
    for (size_t at = 0; at < config->length && !err; at += PART) {
        size_t left = config->length - at;
        frame_begin(&frame, TALK_RELOAD, 1);
        frame_put_number(&frame, TAG_OFFSET, (int64_t)at);
        frame_put(&frame, TAG_TEXT, config->bytes + at, left < PART ? left : PART);
        put_flags(&frame, wish);
        if (left > PART)
            frame_put(&frame, TAG_MORE, "", 0);
        err = keeperline_say(fd, &frame);
    }
    buffer_free(&frame);
    return err;
}

static void print_progress(const struct wish *wish, const struct field *text)
{
    struct json *json;
    if (wish->json) {
        printf("%.*s\n", (int)text->length, (const char *)text->bytes);
    } else if (json_parse(&json, text->bytes, text->length) == 0) {
        const char *instance = json_text(json, "instance");
        const char *state = json_text(json, "state"), *why = json_text(json, "why");
        printf("%-16s %s%s%s\n", instance ? instance : "", state ? state : "",
               why ? ": " : "", why ? why : "");
        json_free(json);
    }
    fflush(stdout);
}

static int end_with(const struct frame *frame)
{
    struct field field;
    char text[1024] = "";
    int64_t err = EPROTO;
    if (fields_find(&frame->fields, TAG_ERROR, &field) == 0)
        field_number(&field, &err);
    if (fields_find(&frame->fields, TAG_TEXT, &field) == 0)
        field_text(&field, text, sizeof(text));
    if (err != 0)
        fprintf(stderr, "outpost reload: %s\n", text);
    return err == 0           ? 0
           : err == ECANCELED ? EXIT_RETURNED
           : err == ENOTSUP   ? EXIT_ANEW
                              : 1;
}

/* The exit code. */
static int follow(int fd, const struct wish *wish)
{
    struct buffer room = {0};
    struct frame frame;
    struct field text;
    int code = -1;
    while (code < 0) {
        int err = keeperline_hear(fd, &room, &frame);
        if (err) {
            fprintf(stderr,
                    "outpost reload: the keeper is gone (%s); what was on trial "
                    "is not accepted\n",
                    strerror(-err));
            code = EXIT_RETURNED;
        } else if (frame.type == TALK_DONE) {
            code = end_with(&frame);
        } else if (frame.type == TALK_PROGRESS &&
                   fields_find(&frame.fields, TAG_TEXT, &text) == 0) {
            print_progress(wish, &text);
            code = wish->no_wait ? 0 : -1;
        }
    }
    buffer_free(&room);
    return code;
}

static int apply(const struct wish *wish, const struct buffer *config)
{
    int fd;
    if (keeperline_open(&fd, wish->state) != 0)
        return 1;
    int err = hand_over(fd, wish, config);
    if (err)
        fprintf(stderr, "outpost reload: the keeper does not take it: %s\n",
                strerror(-err));
    int code = err ? 1 : follow(fd, wish);
    close(fd);
    return code;
}

int reload_run(int argc, char **argv)
{
    struct wish wish;
    struct buffer config = {0}, errors = {0};
    int stop = read_wish(&wish, argc, argv);
    if (stop)
        return stop - 1;
    int err = configuration_read(&config, &errors, wish.config);
    fputs(buffer_text(&errors), stderr);
    if (err)
        fprintf(stderr, "outpost reload: %s does not check; nothing is changed\n",
                wish.config);
    int code = err ? 1 : apply(&wish, &config);
    buffer_free(&config);
    buffer_free(&errors);
    return code;
}
