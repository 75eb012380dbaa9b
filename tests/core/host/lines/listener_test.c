/* A port that devices connect to; the devices are processes of their own. */
#include "host/lines/listener.h"

#include "host/desk.h"
#include "host/peer.h"

static int port;
static pid_t devices[LISTENER_CONNECTIONS_MAX];

/* `options` and the body of the handler, which is given `conn`. */
static void begin(const char *options, const char *body)
{
    char text[3500];
    port = peer_free_port();
    snprintf(
        text, sizeof(text),
        "local function tell(...) host.emit { type = 'x.y', data = { t = "
        "table.concat({ ... }, '|') } } end\n"
        "local count = 0\n"
        "local door door = assert(host.tcp.listen('tcp://127.0.0.1:' .. config.port, "
        "{ %s }, function(conn)\n"
        "count = count + 1\n%s\nend))\n"
        "assert(door:port() == config.port and door:count() == 0)",
        options, body);
    desk_start("'tcp'", port, ONE_EVENT, text);
}

static void send_devices(int count, int (*act)(int fd))
{
    for (int i = 0; i < count; i++)
        devices[i] = peer_run(act, -1);
}

static double metric(const char *name)
{
    struct buffer text = {0};
    char wanted[60];
    metrics_print(&desk.plugin.metrics, &text, 4000);
    snprintf(wanted, sizeof(wanted), "\"%s\":", name);
    const char *at = strstr(buffer_text(&text), wanted);
    double value = at != NULL ? atof(at + strlen(wanted)) : 0;
    buffer_free(&text);
    return value;
}

static int waited_for;

static bool events_are_there(void)
{
    return desk.events >= waited_for;
}

static void wait_for_events(int count)
{
    waited_for = count;
    talk_until(events_are_there);
}

static bool devices_have_ended(void)
{
    for (int i = 0; i < waited_for; i++)
        if (!peer_has_ended(devices[i]))
            return false;
    return true;
}

/* All have ended; how many answered this. */
static int devices_that_said(int count, int answer)
{
    int found = 0;
    waited_for = count;
    talk_until(devices_have_ended);
    for (int i = 0; i < count; i++)
        found += peer_end(devices[i]) == answer;
    return found;
}

static bool echo(int fd)
{
    peer_say(fd, "hello\n");
    return peer_hears(fd, "got it\n");
}

static int is_told_got_it(int fd)
{
    fd = peer_connect(port);
    return echo(fd) && peer_sees_end(fd) ? 0 : 1;
}

/* ---- Promises */

static void each_connection_has_a_handler_of_its_own(void **state)
{
    (void)state;
    begin("", "local bytes = conn:read_exactly(6)\n"
              "host.sleep(20)\n"
              "tell(bytes:sub(1, 5), (conn:peer()))\n"
              "host.commit()\n"
              "conn:write 'got it\\n'");
    send_devices(5, is_told_got_it);
    wait_for_events(5);
    assert_string_equal(desk.data[4], "{\"t\":\"hello|127.0.0.1\"}");
    assert_int_equal(devices_that_said(5, 0), 5);
    finish(PLUGIN_ENDED);
}

static int waits_for_the_end(int fd)
{
    fd = peer_connect(port);
    peer_say(fd, "hello\n");
    return peer_sees_end(fd) ? 0 : 1;
}

static bool has_committed(void)
{
    return desk.commits > 0;
}

static void a_connection_is_closed_when_its_effects_are_durable(void **state)
{
    (void)state;
    begin("", "conn:read() tell('x')");
    talk_until(has_started);
    desk.silent = true; /* the keeper has it, and does not say that it is durable */
    send_devices(1, waits_for_the_end);
    talk_until(has_committed);
    usleep(20000);
    assert_false(peer_has_ended(devices[0]));
    finish(PLUGIN_ENDED);
    peer_end(devices[0]);
}

static int goes_at_once(int fd)
{
    fd = peer_connect(port);
    close(fd);
    return 0;
}

static int came;

static bool all_were_served(void)
{
    return metric("served") >= came;
}

static void connections_come_and_go_in_the_same_places(void **state)
{
    (void)state;
    begin("connections = 1", "conn:read() host.metrics.count('served')");
    for (came = 1; came <= 40; came++) {
        send_devices(1, goes_at_once);
        talk_until(all_were_served);
        assert_int_equal(peer_end(devices[0]), 0);
    }
    assert_int_equal(metric("tcp_refused"), 0);
    finish(PLUGIN_ENDED);
}

static int hold[2]; /* devices stay as long as the test holds its end */

static int stays_or_is_refused(int fd)
{
    close(hold[1]);
    fd = peer_connect(port);
    struct pollfd ready[] = {{.fd = fd, .events = POLLIN},
                             {.fd = hold[0], .events = POLLIN}};
    poll(ready, countof(ready), -1);
    if (ready[0].revents == 0)
        return 0;
    return peer_sees_end(fd) ? 7 : 1;
}

static int turned_away, let_in;

static bool all_are_met(void)
{
    int ended = 0;
    for (int i = 0; i < turned_away + let_in; i++)
        ended += peer_has_ended(devices[i]);
    return ended == turned_away && metric("in") >= let_in;
}

/* Sends devices that stay; so many are turned away and so many let in, where a handler counts `in`. */
static void meet(int away, int in)
{
    assert_int_equal(pipe(hold), 0);
    turned_away = away;
    let_in = in;
    metrics_gauge(&desk.plugin.metrics, "in", 0);
    send_devices(away + in, stays_or_is_refused);
    talk_until(all_are_met);
    close(hold[0]);
    close(hold[1]);
    assert_int_equal(devices_that_said(away + in, 7), away);
}

static bool three_are_gone(void)
{
    return metric("gone") == 3;
}

static void who_is_too_many_is_refused_and_counted(void **state)
{
    (void)state;
    begin("connections = 3", "host.metrics.count('in') conn:read() "
                             "host.metrics.count('gone')");
    meet(2, 3);
    assert_int_equal(metric("tcp_refused"), 2);
    talk_until(three_are_gone);
    meet(0, 3); /* those who went have made room */
    finish(PLUGIN_ENDED);
}

static void strangers_are_turned_away(void **state)
{
    (void)state;
    begin("allow = { '10.0.0.0/8', '192.168.1.5' }", "error('never')");
    meet(2, 0);
    assert_int_equal(metric("tcp_strangers"), 2);
    assert_int_equal(metric("errors"), 0);
    finish(PLUGIN_ENDED);
}

static void a_handler_that_raises_ends_its_own_connection_only(void **state)
{
    (void)state;
    setenv("OUTPOST_LOG", "error", 1);
    begin("", "local mine = count\n"
              "conn:read()\n"
              "tell(mine)\n"
              "if mine == 2 then error('boom') end\n"
              "conn:write 'got it\\n'");
    send_devices(3, is_told_got_it);
    assert_int_equal(devices_that_said(3, 0), 2);
    wait_for_events(2); /* what that one gathered is dropped */
    assert_int_equal(metric("errors"), 1);
    finish(PLUGIN_ENDED);
}

static int sends_much(int fd)
{
    static char much[65536];
    fd = peer_connect(port);
    memset(much, 'x', sizeof(much));
    for (size_t i = 0; i < 4; i++)
        if (send(fd, much, sizeof(much), MSG_NOSIGNAL) != sizeof(much))
            return 1;
    return peer_hears(fd, "got it\n") ? 0 : 1;
}

/* All talk at once, in the largest pieces there are. */
static void a_full_house_stays_within_the_budget(void **state)
{
    (void)state;
    begin("connections = 64",
          "for _ = 1, 4 do assert(#conn:read_exactly(65536) == 65536) end\n"
          "conn:write 'got it\\n'");
    send_devices(64, sends_much);
    assert_int_equal(devices_that_said(64, 0), 64);
    assert_int_equal(metric("errors"), 0);
    assert_int_equal(metric("tcp_refused"), 0);
    finish(PLUGIN_ENDED);
}

static void without_memory_nobody_is_let_in(void **state)
{
    (void)state;
    begin("", "host.metrics.count('in') conn:read()");
    talk_until(has_started);
    size_t most = desk.plugin.budget.most_bytes;
    lua_gc(desk.plugin.L, LUA_GCCOLLECT);
    desk.plugin.budget.most_bytes = desk.plugin.budget.used_bytes + 64;
    meet(2, 0);
    desk.plugin.budget.most_bytes = most;
    meet(0, 2);
    finish(PLUGIN_ENDED);
}

static int stays(int fd)
{
    fd = peer_connect(port);
    peer_say(fd, "hello\n");
    return peer_sees_end(fd) ? 0 : 1;
}

static void closing_the_plugin_closes_what_is_open(void **state)
{
    (void)state;
    begin("", "conn:read_exactly(6) tell('here') host.commit() conn:read()");
    send_devices(8, stays);
    wait_for_events(8);
    finish(PLUGIN_ENDED);
    for (int i = 0; i < 8; i++)
        assert_int_equal(peer_end(devices[i]), 0);
}

static void a_listener_that_is_closed_lets_nobody_in(void **state)
{
    (void)state;
    begin("", "conn:read_exactly(6) door:close() door:close() conn:write 'got it\\n' "
              "tell(door:count())");
    send_devices(1, is_told_got_it);
    assert_int_equal(devices_that_said(1, 0), 1); /* who is in stays */
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), -1);
    close(fd);
    wait_for_events(1);
    assert_string_equal(desk.data[0], "{\"t\":\"1\"}");
    finish(PLUGIN_ENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_connection_has_a_handler_of_its_own),
        cmocka_unit_test(a_connection_is_closed_when_its_effects_are_durable),
        cmocka_unit_test(connections_come_and_go_in_the_same_places),
        cmocka_unit_test(who_is_too_many_is_refused_and_counted),
        cmocka_unit_test(strangers_are_turned_away),
        cmocka_unit_test(a_handler_that_raises_ends_its_own_connection_only),
        cmocka_unit_test(a_full_house_stays_within_the_budget),
        cmocka_unit_test(without_memory_nobody_is_let_in),
        cmocka_unit_test(closing_the_plugin_closes_what_is_open),
        cmocka_unit_test(a_listener_that_is_closed_lets_nobody_in),
    };
    return cmocka_run_group_tests(tests, desk_make_folder, desk_remove_folder);
}
