/* courier - takes evidence files to the city's upload server, and its receipts home.
 *
 * Started by the keeper with the line to it as file descriptor 3; see README.md. */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/loop.h"
#include "courier/round.h"
#include "courier/web.h"
#include "wire/line.h"

enum { FILES_MAX = 64 };

struct courier {
    struct loop *loop;
    struct round *round;
};

/* It meets strangers: no rights to gain, no memory left behind, few files. */
static void confine(void)
{
    static const struct rlimit NONE = {0, 0}, FILES = {FILES_MAX, FILES_MAX};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &NONE);
    setrlimit(RLIMIT_NOFILE, &FILES);
}

static int open_parts(struct courier *courier)
{
    int err = web_prepare();
    if (!err)
        err = loop_open(&courier->loop);
    if (!err)
        err = round_open(&courier->round, courier->loop, LINE_CHILD_FD);
    return err;
}

static void close_parts(struct courier *courier)
{
    round_close(courier->round);
    loop_close(courier->loop);
}

int main(void)
{
    struct courier courier = {0};
    log_open("courier");
    signal(SIGINT, SIG_IGN); /* the keeper ends us: by STOP, or by its own end */
    signal(SIGTERM, SIG_IGN);
    confine();
    int err = open_parts(&courier);
    int verdict = 1;
    if (err) {
        log_error(
            "file descriptor %d is no line to a keeper (%s); this program is started by "
            "`outpost run`",
            LINE_CHILD_FD, strerror(-err));
    } else {
        loop_run(courier.loop);
        verdict = round_verdict(courier.round);
    }
    close_parts(&courier);
    return verdict;
}
