/* main - host: runs one plugin, or checks a configuration. A table of contents. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "host/config.h"
#include "host/confine.h"
#include "host/module.h"
#include "host/named.h"
#include "host/plugin.h"
#include "wire/line.h"

static const char *lock_in(const char *start, size_t length)
{
    static char why[128];
    struct named named;
    struct confine told = {0};
    int err = named_read(&named, start, length);
    if (!err)
        err = module_load(json_get(named.start, "needs"));
    if (!err)
        err = confine(&told, &named.wish);
    named_free(&named);
    if (!err && told.landlock == 0)
        log_warn("this kernel has no Landlock: files and ports are not confined");
    if (!err)
        return NULL;
    snprintf(why, sizeof(why), "it cannot be confined: %s", strerror(-err));
    return why;
}

static int run(void)
{
    struct loop *loop = NULL;
    struct plugin plugin = {0};
    log_open("host");
    int err = loop_open(&loop);
    if (!err)
        err = plugin_open(&plugin, loop, LINE_CHILD_FD);
    plugin.confine = lock_in;
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
