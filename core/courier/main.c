/* courier - takes evidence files to the city's upload server, and its receipts home.
 *
 * Started by the keeper with the line to it as file descriptor 3; see README.md. */
#include "base/loop.h"
#include "courier/round.h"
#include "courier/web.h"
#include "wire/child.h"
#include "wire/line.h"

struct courier {
    struct loop *loop;
    struct round *round;
};

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
    child_begin("courier");
    int err = open_parts(&courier);
    int verdict = 1;
    if (err) {
        child_refuse(err);
    } else {
        loop_run(courier.loop);
        verdict = round_verdict(courier.round);
    }
    close_parts(&courier);
    return verdict;
}
