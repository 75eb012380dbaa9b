/* configuration - see configuration.h. */
#include "cli/configuration.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/place.h"

_Noreturn static void exec_host(int out, const char *path)
{
    char host[PLACE_MAX], plugins[PLACE_MAX], lua[PLACE_MAX];
    int err = place_beside(host, "../libexec/outpost/host");
    if (!err)
        err = place_beside(plugins, "../share/outpost/plugins");
    if (!err)
        err = place_beside(lua, "../share/outpost/lua");
    if (!err && dup2(out, STDOUT_FILENO) >= 0)
        execl(host, "host", "config", path, "--plugins", plugins, "--lua", lua,
              (char *)NULL);
    fprintf(stderr, "outpost: %s: cannot be executed: %s\n", host,
            strerror(err ? -err : errno));
    _exit(127);
}

static int read_all(struct buffer *json, int fd)
{
    for (;;) {
        char bytes[16384];
        ssize_t length = read(fd, bytes, sizeof(bytes));
        if (length == 0)
            return 0;
        if (length < 0 && errno != EINTR)
            return -errno;
        if (length > 0)
            buffer_append(json, bytes, (size_t)length);
        if (json->length > CONFIGURATION_MAX)
            return -EFBIG;
    }
}

int configuration_read(struct buffer *json, const char *path)
{
    int fds[2], status;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0)
        exec_host(fds[1], path);
    close(fds[1]);
    int err = pid < 0 ? -EAGAIN : read_all(json, fds[0]);
    close(fds[0]);
    if (pid < 0)
        return err;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!err && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        err = -EINVAL;
    return err;
}
