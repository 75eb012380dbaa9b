/* uplink - hands the office's journal to the city over MQTT 5.
 *
 * Started by the keeper with the line to it as file descriptor 3; see README.md. */
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "mqtt/mqtt.h"
#include "uplink/relay.h"
#include "wire/line.h"

struct uplink {
    struct loop *loop;
    struct relay *relay;
};

static int open_parts(struct uplink *uplink)
{
    int err = loop_open(&uplink->loop);
    if (!err)
        err = relay_open(&uplink->relay, uplink->loop, LINE_CHILD_FD);
    return err;
}

static void close_parts(struct uplink *uplink)
{
    relay_close(uplink->relay);
    loop_close(uplink->loop);
}

int main(void)
{
    struct uplink uplink = {0};
    log_open("uplink");
    signal(SIGINT, SIG_IGN); /* the keeper ends us: by STOP, or by its own end */
    signal(SIGTERM, SIG_IGN);
    mqtt_begin();
    int err = open_parts(&uplink);
    int verdict = 1;
    if (err) {
        log_error(
            "file descriptor %d is no line to a keeper (%s); this program is started by "
            "`outpost run`",
            LINE_CHILD_FD, strerror(-err));
    } else {
        loop_run(uplink.loop);
        verdict = relay_verdict(uplink.relay);
    }
    close_parts(&uplink);
    return verdict;
}
