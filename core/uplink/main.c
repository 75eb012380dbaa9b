/* uplink - hands the office's journal to the city over MQTT 5.
 *
 * Started by the keeper with the line to it as file descriptor 3; see README.md. */
#include "base/loop.h"
#include "mqtt/mqtt.h"
#include "uplink/relay.h"
#include "wire/child.h"
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
    child_begin("uplink");
    mqtt_begin();
    int err = open_parts(&uplink);
    int verdict = 1;
    if (err) {
        child_refuse(err);
    } else {
        loop_run(uplink.loop);
        verdict = relay_verdict(uplink.relay);
    }
    close_parts(&uplink);
    return verdict;
}
