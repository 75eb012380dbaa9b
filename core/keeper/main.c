/* keeper - the heart of the appliance: journal, router, supervisor. Started by `outpost run`.
 *
 *   keeper --state DIR --libexec DIR --config-fd N [--outpost PROGRAM --config FILE] */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/log.h"
#include "keeper/children/processors.h"
#include "keeper/config.h"
#include "keeper/keeper.h"
#include "keeper/versions/accepted.h"
#include "keeper/versions/hangup.h"

enum { LARGE_BYTES = 256 * 1024 };

struct options {
    const char *state;
    const char *libexec;
    const char *config_fd;
    const char
        *outpost; /* for SIGHUP, with the file that the configuration was read from */
    const char *config;
};

static int read_options(struct options *options, int argc, char **argv)
{
    static const struct option KNOWN[] = {{"state", required_argument, NULL, 's'},
                                          {"libexec", required_argument, NULL, 'l'},
                                          {"config-fd", required_argument, NULL, 'c'},
                                          {"outpost", required_argument, NULL, 'o'},
                                          {"config", required_argument, NULL, 'f'},
                                          {NULL, 0, NULL, 0}};
    int option;
    *options = (struct options){0};
    while ((option = getopt_long(argc, argv, "", KNOWN, NULL)) != -1) {
        if (option == 's')
            options->state = optarg;
        else if (option == 'l')
            options->libexec = optarg;
        else if (option == 'c')
            options->config_fd = optarg;
        else if (option == 'o')
            options->outpost = optarg;
        else if (option == 'f')
            options->config = optarg;
        else
            return -EINVAL;
    }
    return options->state && options->libexec && options->config_fd ? 0 : -EINVAL;
}

static int read_config(struct config **config, const char *fd)
{
    char path[64];
    struct buffer json = {0};
    snprintf(path, sizeof(path), "/proc/self/fd/%s", fd);
    int err = file_read(&json, path, ACCEPTED_FILE_MAX); /* it may be the last good one */
    if (!err)
        err = config_open(config, json.bytes, json.length);
    buffer_free(&json);
    close((int)strtol(fd, NULL, 10)); /* no child needs what the others are told */
    return err;
}

/* What was large for a moment goes back; nowhere 2 MiB where 4 KiB do, for the children too. */
static void keep_small(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

/* In a terminal SIGHUP means that it goes away, and this with it. */
static int run(struct keeper *keeper, const struct options *options)
{
    struct hangup hangup;
    if (isatty(STDERR_FILENO))
        return keeper_run(keeper);
    hangup_start(&hangup, keeper->loop, options->outpost, options->config,
                 options->state);
    int code = keeper_run(keeper);
    hangup_stop(&hangup);
    return code;
}

int main(int argc, char **argv)
{
    static struct keeper keeper;
    struct options options;
    struct config *config = NULL;
    int code = EXIT_FAILURE;
    log_open("keeper");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    umask(0027);
    if (read_options(&options, argc, argv) != 0) {
        fprintf(stderr, "usage: keeper --state DIR --libexec DIR --config-fd N\n"
                        "(started by `outpost run`)\n");
        return 2;
    }
    processors_divide();
    keep_small();
    int err = read_config(&config, options.config_fd);
    if (err)
        log_error("configuration: cannot be read: %s", strerror(-err));
    else if (keeper_open(&keeper, config, options.state, options.libexec) == 0)
        code = run(&keeper, &options);
    if (!err)
        keeper_close(&keeper);
    config_close(config);
    return code;
}
