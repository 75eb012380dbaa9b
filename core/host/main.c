/* main - host: runs one plugin, or checks a configuration. A table of contents. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "host/boundary/boundary.h"
#include "host/config.h"
#include "host/instance/plugin.h"
#include "host/tap/freeze.h"
#include "host/tap/tap.h"
#include "wire/line.h"

static void begin_anew(void *owner, const char *path)
{
    log_info("%s is there now, or is another file: started anew to be allowed to use it",
             path);
    plugin_end(owner, PLUGIN_AGAIN);
}

static int run(bool is_trial)
{
    struct loop *loop = NULL;
    struct plugin plugin = {0};
    struct boundary boundary = {.moved = begin_anew, .owner = &plugin};
    log_open("host");
    tap_open(RING_CHILD_FD);
    int err = loop_open(&loop);
    if (!err)
        err = plugin_open(&plugin, loop, LINE_CHILD_FD);
    boundary.loop = loop;
    plugin.boundary = &boundary;
    plugin.is_trial = is_trial;
    if (!err)
        loop_run(loop);
    else
        log_error("cannot open: %s", strerror(-err));
    boundary_close(&boundary);
    plugin_close(&plugin);
    loop_close(loop);
    tap_close();
    return err ? PLUGIN_BROKEN : plugin.exit_code;
}

/* The sanitizer would look for leaks by tracing this process, which nobody can any more. */
static int leave(int code)
{
    if (CONFINE_SANITIZED)
        _exit(code);
    return code;
}

int main(int count, char **arguments)
{
    if (count >= 2 && strcmp(arguments[1], "run") == 0)
        return leave(run(false));
    if (count >= 2 && strcmp(arguments[1], "trial") == 0)
        return leave(run(true));
    if (count >= 2 && strcmp(arguments[1], "freeze") == 0)
        return leave(freeze_run(LINE_CHILD_FD, RING_CHILD_FD));
    if (count >= 2 && strcmp(arguments[1], "config") == 0)
        return leave(config_main(count - 2, arguments + 2));
    fprintf(
        stderr,
        "usage: host config FILE --plugins DIR --lua DIR\n"
        "       host run|trial|freeze INSTANCE  (started by the keeper, which names the "
        "instance for ps;\n"
        "                                   trial: loads it, and that is all; freeze: "
        "makes a blob\n"
        "                                   of what is in its ring)\n");
    return 2;
}
