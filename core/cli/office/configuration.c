/* configuration - see configuration.h. */
#include "cli/office/configuration.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/office/place.h"
#include "proof/key.h"

_Noreturn static void exec_host(int out, int errors, const char *path,
                                const char *plugins)
{
    char host[PLACE_MAX], installed[PLACE_MAX], lua[PLACE_MAX];
    int err = place_beside(host, "../libexec/outpost/host");
    if (!err)
        err = place_beside(installed, "../share/outpost/plugins");
    if (!err)
        err = place_beside(lua, "../share/outpost/lua");
    if (!err && dup2(out, STDOUT_FILENO) >= 0 && dup2(errors, STDERR_FILENO) >= 0)
        execl(host, "host", "config", path, "--plugins", plugins ? plugins : installed,
              "--lua", lua, (char *)NULL);
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

/* What the host has said, from the beginning; what is beyond the bound is cut. */
static void take_errors(struct buffer *errors, int fd)
{
    char bytes[4096];
    ssize_t length;
    off_t at = 0;
    while (at < CONFIGURATION_ERRORS_MAX &&
           (length = pread(fd, bytes, sizeof(bytes), at)) > 0) {
        buffer_append(errors, bytes, (size_t)length);
        at += length;
    }
}

/* The configuration that is being checked, and what is wrong with it. */
struct checked {
    const char *path;
    struct buffer *errors;
};

static int say(const struct checked *checked, const char *setting, const char *expected,
               const char *got)
{
    buffer_printf(checked->errors, "%s: city: %s: expected %s, got \"%s\"\n",
                  checked->path, setting, expected, got);
    return -EINVAL;
}

static int check_verifier(const struct checked *checked, const struct json *city)
{
    const char *file = json_text(city, "verifier");
    struct key *key;
    if (file == NULL)
        return 0;
    if (key_load_verifier(&key, file) != 0)
        return say(
            checked, "verifier",
            "a file with the city's public key line (outpost-city keygen makes it, .pub)",
            file);
    key_free(key);
    return 0;
}

static int check_files(const struct checked *checked, const struct buffer *json)
{
    static const char *const FILES[] = {"ca",        "cert",     "key",
                                        "bulk_cert", "bulk_key", "password_file"};
    struct json *config;
    if (json_parse(&config, json->bytes, json->length) != 0)
        return -EINVAL;
    const struct json *city = json_get(config, "city");
    int err = check_verifier(checked, city);
    for (size_t i = 0; i < countof(FILES); i++) {
        struct buffer bytes = {0};
        const char *file = json_text(city, FILES[i]);
        if (file != NULL && file_read(&bytes, file, CONFIGURATION_MAX) != 0)
            err = say(checked, FILES[i], "a file that can be read", file);
        buffer_free(&bytes);
    }
    json_free(config);
    return err;
}

/* Runs the host: its output, into the file `said` its errors, and how it ended. */
static int run_host(struct buffer *json, int said, const char *path, const char *plugins,
                    int *status)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0)
        exec_host(fds[1], said, path, plugins);
    close(fds[1]);
    int err = pid < 0 ? -EAGAIN : read_all(json, fds[0]);
    close(fds[0]);
    if (pid < 0)
        return err;
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
    if (!err && !(WIFEXITED(*status) && WEXITSTATUS(*status) == 0))
        err = -EINVAL;
    return err;
}

/* Nobody may be left with an exit code alone: a check that came to no end says nothing of the
 * configuration, and one that ends without a word is told of by its number. */
static void name_end(const struct checked *checked, int err, int status)
{
    struct buffer *errors = checked->errors;
    if (WIFSIGNALED(status))
        buffer_printf(errors,
                      "%s: the check was killed by signal %d (%s) before it was done: "
                      "whether it is good is not known; check it again\n",
                      checked->path, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (err == -EFBIG)
        buffer_printf(errors, "%s: checked, it has more than the %d KiB it may have\n",
                      checked->path, CONFIGURATION_MAX / 1024);
    else if (errors->length == 0 && err == -EINVAL)
        buffer_printf(errors, "%s: the check ended with %d and said nothing\n",
                      checked->path, WEXITSTATUS(status));
    else if (errors->length == 0)
        buffer_printf(errors, "%s: cannot be checked: %s\n", checked->path,
                      strerror(-err));
}

int configuration_read_with(struct buffer *json, struct buffer *errors, const char *path,
                            const char *plugins)
{
    struct checked checked = {path, errors};
    int status = 0, said = memfd_create("errors", MFD_CLOEXEC);
    int err = said < 0 ? -errno : run_host(json, said, path, plugins, &status);
    if (said >= 0) {
        take_errors(errors, said);
        close(said);
    }
    if (err)
        name_end(&checked, err, status);
    return err ? err : check_files(&checked, json);
}

int configuration_read(struct buffer *json, struct buffer *errors, const char *path)
{
    return configuration_read_with(json, errors, path, NULL);
}
