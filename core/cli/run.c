/* run - see run.h. Nothing of this program stays behind: it executes the keeper in its place. */
#include "cli/run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "cli/office/configuration.h"
#include "cli/office/lastgood.h"
#include "cli/office/options.h"
#include "cli/office/place.h"

static const char USAGE[] =
    "usage: outpost run [--config FILE] [--state DIR]\n"
    "\n"
    "Runs the appliance in the foreground until SIGTERM or Ctrl-C; SIGHUP is `outpost "
    "reload`. "
    "Needs no\n"
    "privileges beyond the two folders and the devices named in the configuration.\n"
    "\n"
    "  --config FILE   default " PLACE_CONFIG "\n"
    "  --state DIR     journal, keys and socket; made when it is not there; default\n"
    "                  " PLACE_STATE "\n"
    "\n"
    "The log goes to standard error; OUTPOST_LOG=debug|info|warn|error sets how much.\n"
    "A configuration that does not check is not used: the last one that did is, and an "
    "alarm "
    "says so.\n"
    "Exit: 0 stopped in good order, 1 the configuration (and no last good one) or the "
    "start failed, 2 wrong "
    "usage,\n"
    "3 the disk failed (start it again: the journal is checked then).\n";

struct wish {
    const char *config;
    const char *state;
};

static int read_wish(struct wish *wish, int argc, char **argv)
{
    *wish = (struct wish){PLACE_CONFIG, PLACE_STATE};
    const struct option_place places[] = {{"config", .text = &wish->config},
                                          {"state", .text = &wish->state}};
    return options_alone(places, countof(places), USAGE, argc, argv);
}

/* The keeper reads the configuration from a nameless file that goes when both are gone. */
static int hand_down(const struct buffer *json)
{
    int fd = memfd_create("configuration", 0);
    if (fd < 0)
        return -errno;
    if (write(fd, json->bytes, json->length) != (ssize_t)json->length)
        return -EIO;
    return fd;
}

/* What SIGHUP is answered with: this program, and the file as it is found from anywhere. */
static void exec_keeper(const struct wish *wish, int fd)
{
    char keeper[PLACE_MAX], libexec[PLACE_MAX], outpost[PLACE_MAX], config[PATH_MAX];
    char number[16];
    if (place_beside(keeper, "../libexec/outpost/keeper") != 0 ||
        place_beside(libexec, "../libexec/outpost") != 0 ||
        place_beside(outpost, "outpost") != 0) {
        fprintf(stderr, "outpost run: the place of its own programs is not known\n");
        return;
    }
    const char *absolute = realpath(wish->config, config);
    snprintf(number, sizeof(number), "%d", fd);
    execl(keeper, "keeper", "--state", wish->state, "--libexec", libexec, "--config-fd",
          number, "--outpost", outpost, "--config",
          absolute != NULL ? absolute : wish->config, (char *)NULL);
    fprintf(stderr, "outpost run: %s: cannot be executed: %s\n", keeper, strerror(errno));
}

/* The box must run, whatever was typed into its configuration: the last one that checked does. */
static int fall_back(struct buffer *json, struct buffer *errors, const struct wish *wish)
{
    buffer_clear(json);
    int err = lastgood_get(json, wish->state);
    if (err == -ENOENT)
        return err;
    if (err) {
        fprintf(stderr,
                "outpost run: the last good configuration, %s/config.good, cannot be "
                "read: %s\n",
                wish->state, strerror(-err));
        return err;
    }
    fprintf(stderr,
            "outpost run: %s DOES NOT CHECK (see above) and is not used: the box runs "
            "with the "
            "last configuration that did, kept in %s/config.good. Mend it, run `outpost "
            "check`, "
            "then start anew.\n",
            wish->config, wish->state);
    lastgood_mark(json, wish->config, buffer_text(errors));
    return 0;
}

static int read_some(struct buffer *json, const struct wish *wish)
{
    struct buffer errors = {0};
    int err = configuration_read(json, &errors, wish->config);
    fputs(buffer_text(&errors), stderr);
    if (err)
        err = fall_back(json, &errors, wish);
    buffer_free(&errors);
    return err;
}

int run_run(int argc, char **argv)
{
    struct wish wish;
    struct buffer json = {0};
    int stop = read_wish(&wish, argc, argv);
    if (stop)
        return stop - 1;
    int err = read_some(&json, &wish);
    if (!err) {
        int fd = hand_down(&json);
        if (fd >= 0)
            exec_keeper(&wish, fd);
        else
            fprintf(stderr, "outpost run: the configuration cannot be handed down: %s\n",
                    strerror(-fd));
    }
    buffer_free(&json);
    return 1;
}
