/* main - host: runs one plugin, or checks a configuration. A table of contents. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/loop.h"
#include "host/config.h"
#include "host/plugin.h"
#include "wire/line.h"

/* libmodbus waits with select(), which knows no file descriptor from 1024 on. */
enum { MOST_FILES = 128 };

static int limit_files(void)
{
    struct rlimit limit = {MOST_FILES, MOST_FILES};
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : -errno;
}

static int run(void)
{
    struct loop *loop = NULL;
    struct plugin plugin = {0};
    log_open("host");
    int err = limit_files();
    if (!err)
        err = loop_open(&loop);
    if (!err)
        err = plugin_open(&plugin, loop, LINE_CHILD_FD);
    if (!err)
        loop_run(loop);
    else
        log_error("cannot open: %s", strerror(-err));
    plugin_close(&plugin);
    loop_close(loop);
    return err ? PLUGIN_BROKEN : plugin.exit_code;
}

int main(int count, char **arguments)
{
    if (count >= 2 && strcmp(arguments[1], "run") == 0)
        return run();
    if (count >= 2 && strcmp(arguments[1], "config") == 0)
        return config_main(count - 2, arguments + 2);
    fprintf(stderr,
            "usage: host config FILE --plugins DIR --lua DIR\n"
            "       host run INSTANCE     (started by the keeper, which names the "
            "instance for ps)\n");
    return 2;
}
