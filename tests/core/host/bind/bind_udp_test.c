/* host.udp as a plugin calls it, with a device that is a process of its own. */
#include "host/bind/bind.h"

#include "host/desk.h"
#include "host/peer.h"
#include "host/tap.h"

static int port;

static void begin(const char *body)
{
    char text[3500];
    snprintf(text, sizeof(text),
             "local function tell(...) host.emit { type = 'x.y', data = { t = "
             "table.concat({ ... }, '|') } } end\n"
             "local url = 'udp://127.0.0.1:' .. config.port\n%s",
             body);
    desk_start("'udp'", port, ONE_EVENT, text);
    talk_until(has_started);
}

static void told(int number, const char *text)
{
    char wanted[200];
    snprintf(wanted, sizeof(wanted), "{\"t\":\"%s\"}", text);
    assert_true(number < desk.events);
    assert_string_equal(desk.data[number], wanted);
}

static int answers(int fd)
{
    char room[100];
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    static char much[3000];
    ssize_t size = recvfrom(fd, room, sizeof(room), 0, (struct sockaddr *)&from, &length);
    if (size <= 0 || connect(fd, (struct sockaddr *)&from, length) != 0)
        return 1;
    send(fd, much, sizeof(much), 0); /* too long for a message */
    return send(fd, room, (size_t)size, 0) == size ? 0 : 1;
}

static void a_device_is_asked_and_answers(void **state)
{
    int fd = peer_socket(SOCK_DGRAM, &port);
    pid_t device = peer_run(answers, fd);
    (void)state;
    begin("local line = assert(host.udp.open(url))\n"
          "assert(line:send 'hello')\n"
          "local bytes, address, port = line:receive { timeout = '5s' }\n"
          "tell(bytes, address, tostring(port == config.port))\n"
          "local ok, message, code = line:receive { timeout = 5 }\n"
          "tell(tostring(ok), message, code)\n"
          "line:close() line:close()\n"
          "tell(select(3, line:receive()))\n"
          "tell(select(3, line:send 'x'))");
    told(0, "hello|127.0.0.1|true");
    told(1, "nil|127.0.0.1: nothing came in time|timeout");
    told(2, "closed");
    told(3, "closed");
    assert_int_equal(peer_end(device), 0);
    close(fd);
    finish(PLUGIN_ENDED);
}

static void what_goes_in_and_out_is_recorded(void **state)
{
    (void)state;
    char wanted[300];
    tap_begin(-1);
    port = peer_free_port();
    begin("local a = assert(host.udp.open(url, { listen = true }))\n"
          "local b = assert(host.udp.open(url))\n"
          "b:send 'ask'\n"
          "local bytes, address, port = a:receive()\n"
          "assert(a:send('answer', address, port))\n"
          "b:receive()");
    finish(PLUGIN_ENDED);
    snprintf(wanted, sizeof(wanted),
             "udp://127.0.0.1:%d> ask\nudp://127.0.0.1< ask\n"
             "udp://127.0.0.1> answer\nudp://127.0.0.1:%d< answer\n",
             port, port);
    assert_string_equal(tap_end(), wanted);
}

static void nobody_there_is_told(void **state)
{
    port = peer_free_port();
    (void)state;
    begin("local line = assert(host.udp.open(url))\n"
          "assert(line:send 'hello')\n"
          "tell(select(3, line:receive { timeout = '5s' }))");
    told(0, "refused");
    finish(PLUGIN_ENDED);
}

static void two_ports_of_ours_talk_to_each_other(void **state)
{
    (void)state;
    port = peer_free_port();
    begin("local a = assert(host.udp.open(url, { listen = true, most = 5 }))\n"
          "local b = assert(host.udp.open(url))\n"
          "assert(a:port() == config.port)\n"
          "b:send 'one' b:send 'too long' b:send 'three'\n"
          "local bytes, address, port = a:receive()\n"
          "assert(a:send(bytes .. '!', address, port))\n"
          "tell(b:receive(), (a:receive()))\n"
          "tell(tostring(pcall(a.send, a, 'x')), tostring(pcall(b.send, b, 'x', address, "
          "port)), tostring(pcall(a.send, a, 'x', 'box', 1)))\n"
          "tell(select(3, host.udp.open(url, { listen = true })))");
    told(0, "one!|three");
    finish(PLUGIN_ENDED);
}

static void all_of_a_network_is_spoken_to_when_that_is_wished(void **state)
{
    (void)state;
    port = peer_free_port();
    begin("local any = 'udp://0.0.0.0:' .. config.port\n"
          "local deaf = assert(host.udp.open('udp://127.0.0.1:' .. config.port,"
          " { listen = true }))\n"
          "tell(select(3, deaf:send('x', '127.255.255.255', config.port)))\n"
          "deaf:close()\n"
          "local all = assert(host.udp.open(any, { broadcast = true }))\n"
          "assert(all:send('x', '127.255.255.255', config.port))\n"
          "tell((all:receive { timeout = '5s' }))");
    told(0, "denied");
    told(1, "x");
    finish(PLUGIN_ENDED);
}

static bool three_events(void)
{
    return desk.events >= 3;
}

static void one_waits_and_the_others_go_on(void **state)
{
    (void)state;
    port = peer_free_port();
    begin("local a = assert(host.udp.open(url, { listen = true }))\n"
          "host.after(0, function() tell(select(3, a:receive())) end)\n"
          "host.after(5, function() tell(select(3, a:receive())) a:close() end)\n"
          "host.after(9, function() tell('go on') end)");
    talk_until(three_events);
    told(0, "busy");
    finish(PLUGIN_ENDED);
}

static void a_plugin_may_end_while_it_waits(void **state)
{
    (void)state;
    port = peer_free_port();
    begin("local a = assert(host.udp.open(url, { listen = true }))\n"
          "host.after(0, function() a:receive() error('never') end)\n"
          "host.after(1, function() host.udp.open('udp://far.example:1') end)\n"
          "host.after(5, function() tell 'a' tell 'b' tell 'c' end)");
    talk_until(three_events);
    finish(PLUGIN_ENDED);
}

static void wrong_arguments_are_raised_or_told(void **state)
{
    (void)state;
    port = peer_free_port();
    begin("tell(select(3, host.udp.open('tcp://127.0.0.1:1')),\n"
          "  select(3, host.udp.open('udp://box:1', { listen = true })))\n"
          "local line = assert(host.udp.open('udp://0.0.0.0:' .. config.port))\n"
          "for _, wrong in ipairs {\n"
          "  function() host.udp.open(url, { most = 0 }) end,\n"
          "  function() host.udp.open(url, { most = 70000 }) end,\n"
          "  function() host.udp.open(url, { port = 1 }) end,\n"
          "  function() host.udp.open(url, { listen = 'no' }) end,\n"
          "  function() host.udp.open(url, { listen = true, broadcast = 1 }) end,\n"
          "  function() line:send(('x'):rep(65508), '127.0.0.1', 1) end,\n"
          "  function() line:send('x', '127.0.0.1', 0) end,\n"
          "  function() line:receive { most = 1 } end,\n"
          "} do assert(not pcall(wrong)) end\n"
          "tell('all')");
    told(0, "argument|argument");
    told(1, "all");
    finish(PLUGIN_ENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_asked_and_answers),
        cmocka_unit_test(what_goes_in_and_out_is_recorded),
        cmocka_unit_test(nobody_there_is_told),
        cmocka_unit_test(two_ports_of_ours_talk_to_each_other),
        cmocka_unit_test(all_of_a_network_is_spoken_to_when_that_is_wished),
        cmocka_unit_test(one_waits_and_the_others_go_on),
        cmocka_unit_test(a_plugin_may_end_while_it_waits),
        cmocka_unit_test(wrong_arguments_are_raised_or_told),
    };
    return cmocka_run_group_tests(tests, desk_make_folder, desk_remove_folder);
}
