/* hangup - see hangup.h. */
#include "keeper/versions/hangup.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"

_Noreturn static void exec_reload(const struct hangup *hangup)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execl(hangup->program, "outpost", "reload", "--no-wait", "--config", hangup->config,
          "--state", hangup->state, (char *)NULL);
    _exit(127);
}

/* In a child of the keeper: its result is the exit code. */
static int reload(void *owner, struct buffer *result)
{
    int status, code = -1;
    pid_t pid = fork();
    if (pid == 0)
        exec_reload(owner);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -ECHILD;
    if (WIFEXITED(status))
        code = WEXITSTATUS(status);
    buffer_append(result, &code, sizeof(code));
    return 0;
}

static void begin(struct hangup *hangup);

static void ended(void *owner, int err, const struct buffer *result)
{
    struct hangup *hangup = owner;
    int code = -1;
    if (!err && result->length == sizeof(code))
        memcpy(&code, result->bytes, sizeof(code));
    if (code != 0)
        log_warn(
            "SIGHUP: the configuration is not applied (outpost reload: %d); nothing is "
            "changed",
            code);
    if (hangup->again)
        begin(hangup);
}

static void begin(struct hangup *hangup)
{
    hangup->again = false;
    log_info("SIGHUP: %s is read anew", hangup->config);
    int err = errand_start(&hangup->errand, hangup->loop, reload, ended, hangup);
    if (err)
        log_warn("SIGHUP: outpost reload cannot be started: %s", strerror(-err));
}

static void came(struct loop_signal *signal)
{
    struct hangup *hangup = container_of(signal, struct hangup, signal);
    if (hangup->program == NULL)
        log_warn("SIGHUP: this keeper does not know its configuration's file; use "
                 "`outpost reload`");
    else if (errand_is_running(&hangup->errand))
        hangup->again = true;
    else
        begin(hangup);
}

void hangup_start(struct hangup *hangup, struct loop *loop, const char *program,
                  const char *config, const char *state)
{
    *hangup = (struct hangup){.loop = loop,
                              .signal.fire = came,
                              .program = config != NULL ? program : NULL,
                              .config = config,
                              .state = state};
    loop_signal_start(loop, &hangup->signal, SIGHUP);
}

void hangup_stop(struct hangup *hangup)
{
    loop_signal_stop(&hangup->signal);
    errand_stop(&hangup->errand);
}
