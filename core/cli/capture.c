/* capture - see capture.h. The keeper records and keeps; this asks, and says what becomes of it. */
#include "cli/capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/duration.h"
#include "base/word.h"
#include "cli/office/keeperline.h"
#include "cli/office/options.h"
#include "cli/office/place.h"
#include "wire/talk.h"

static const char USAGE[] =
    "usage: outpost capture INSTANCE [--for TIME] [--state DIR]\n"
    "\n"
    "Keeps what went between a plugin and its devices, as a blob that Wireshark opens: "
    "what there is\n"
    "(when record = true is set), or what comes from now on. The event capture.recorded "
    "names it, and\n"
    "outpost blob get fetches it. It goes after 30 days. Officers and technicians may "
    "ask, "
    "and are named\n"
    "in the event.\n"
    "\n"
    "  --for TIME      record for so long first: 30s, 10m, at most 24h\n"
    "  --state DIR     default " PLACE_STATE "\n"
    "\n"
    "Exit: 0 it will be kept, 1 refused, 2 wrong usage.\n";

struct wish {
    const char *state;
    const char *instance;
    const char *time; /* NULL: what there is */
    int64_t ms;
};

/* 0, or one more than the exit code. */
static int read_wish(struct wish *wish, int argc, char **argv)
{
    *wish = (struct wish){.state = PLACE_STATE};
    const struct option_place places[] = {{"for", .text = &wish->time},
                                          {"state", .text = &wish->state}};
    int stop = options_read(places, countof(places), USAGE, argc, argv);
    if (stop)
        return stop;
    if (optind + 1 != argc)
        return fputs(USAGE, stderr), 3;
    wish->instance = argv[optind];
    if (!word_is_id(wish->instance)) {
        fprintf(stderr, "outpost capture: expected the name of an instance, got \"%s\"\n",
                wish->instance);
        return 3;
    }
    if (wish->time != NULL &&
        (duration_parse(&wish->ms, wish->time) != 0 || wish->ms == 0)) {
        fprintf(stderr,
                "outpost capture: --for: expected a time such as 10m, got \"%s\"\n",
                wish->time);
        return 3;
    }
    return 0;
}

static int say(int fd, const struct wish *wish)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_CAPTURE, 1);
    frame_put_text(&frame, TAG_NAME, wish->instance);
    frame_put_number(&frame, TAG_LIMIT, wish->ms);
    int err = keeperline_say(fd, &frame);
    buffer_free(&frame);
    return err;
}

static int ask(const struct wish *wish)
{
    struct buffer room = {0};
    struct frame frame;
    int fd;
    int err = keeperline_open(&fd, wish->state);
    if (err)
        return err;
    err = say(fd, wish);
    if (!err)
        err = keeperline_hear(fd, &room, &frame);
    if (!err)
        err = keeperline_accept(&frame, TALK_DONE, "capture");
    if (err && err != -ECANCELED)
        fprintf(stderr, "outpost capture: the keeper gives no answer: %s\n",
                strerror(-err));
    buffer_free(&room);
    close(fd);
    return err;
}

int capture_run(int argc, char **argv)
{
    struct wish wish;
    int stop = read_wish(&wish, argc, argv);
    if (stop)
        return stop - 1;
    if (ask(&wish) != 0)
        return 1;
    if (wish.time != NULL)
        printf("%s is recorded for %s; then the event capture.recorded says what is "
               "kept\n",
               wish.instance, wish.time);
    else
        printf("kept; the event capture.recorded of %s says as what\n", wish.instance);
    return 0;
}
