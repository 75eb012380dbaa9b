/* host.tcp as a plugin calls it: what is refused, and by which code. */
#include "host/bind/bind.h"

#include "host/desk.h"
#include "host/peer.h"
#include "host/tap.h"

static const char TELL[] =
    "local function tell(...) host.emit { type = 'x.y', data = { t = "
    "table.concat({ ... }, '|') } } end\n"
    "local function code(...) return tostring((select(3, ...))) end\n";

static void begin(int port, const char *body)
{
    char text[3500];
    snprintf(text, sizeof(text), "%s%s", TELL, body);
    desk_start("'tcp'", port, ONE_EVENT, text);
    talk_until(has_started);
}

static void told(int number, const char *text)
{
    char wanted[200];
    snprintf(wanted, sizeof(wanted), "{\"t\":\"%s\"}", text);
    assert_true(number < desk.events);
    assert_string_equal(desk.data[number], wanted);
}

static void what_cannot_be_reached_has_a_code(void **state)
{
    int port, door = peer_socket(SOCK_DGRAM, &port); /* nobody listens there with TCP */
    (void)state;
    begin(port, "tell(code(host.tcp.connect('tcp://127.0.0.1:' .. config.port)))\n"
                "tell(code(host.tcp.connect('tcp://a..b:80')))\n"
                "tell(code(host.tcp.connect('modbus-tcp://127.0.0.1:80')))\n"
                "tell(code(host.tcp.connect('tcp://127.0.0.1')))");
    told(0, "refused");
    told(1, "resolve");
    told(2, "argument");
    told(3, "argument");
    finish(PLUGIN_ENDED);
    close(door);
}

static void a_name_of_this_machine_is_found(void **state)
{
    int port, door = peer_socket(SOCK_STREAM, &port);
    (void)state;
    begin(port, "local conn = assert(host.tcp.connect('tcp://localhost:' .. config.port,"
                " { timeout = '2s', nodelay = false, keepalive = '30s', idle = '1m' }))\n"
                "tell((conn:peer()))");
    told(0, "127.0.0.1");
    finish(PLUGIN_ENDED);
    close(door);
}

static int says_and_hears(int port)
{
    int fd = peer_connect(port);
    peer_say(fd, "hello");
    return peer_hears(fd, "good day") ? 0 : 1;
}

static void what_goes_in_and_out_is_recorded(void **state)
{
    (void)state;
    int port = peer_free_port();
    tap_begin(-1);
    pid_t device = peer_run(says_and_hears, port);
    begin(port, "local url = 'tcp://127.0.0.1:' .. config.port\n"
                "host.tcp.listen(url, {}, function(conn)\n"
                "tell(conn:read()) assert(conn:write 'good day') end)");
    talk_until(some_events);
    assert_int_equal(peer_end(device), 0);
    finish(PLUGIN_ENDED);
    assert_string_equal(tap_end(), "tcp://127.0.0.1< hello\ntcp://127.0.0.1> good day\n");
}

static void a_port_in_use_is_told(void **state)
{
    int port, door = peer_socket(SOCK_STREAM, &port);
    (void)state;
    begin(port,
          "local function fn() end\n"
          "tell(code(host.tcp.listen('tcp://127.0.0.1:' .. config.port, nil, fn)))\n"
          "tell(code(host.tcp.listen('tcp://192.0.2.1:' .. config.port, {}, fn)))\n"
          "tell(code(host.tcp.listen('tcp://localhost:' .. config.port, {}, fn)))");
    told(0, "busy");
    told(1, "argument");
    told(2, "argument");
    finish(PLUGIN_ENDED);
    close(door);
}

static void wrong_arguments_are_raised(void **state)
{
    (void)state;
    begin(peer_free_port(),
          "local url = 'tcp://127.0.0.1:' .. config.port\n"
          "local function fn() end\n"
          "for _, wrong in ipairs {\n"
          "  function() host.tcp.connect(url, { timeout = '1h' }) end,\n"
          "  function() host.tcp.connect(url, { keepalive = 1 }) end,\n"
          "  function() host.tcp.connect(url, { nodelay = 1 }) end,\n"
          "  function() host.tcp.connect(url, { nodealy = true }) end,\n"
          "  function() host.tcp.connect(url, 'fast') end,\n"
          "  function() host.tcp.listen(url, {}) end,\n"
          "  function() host.tcp.listen(url, { connections = 0 }, fn) end,\n"
          "  function() host.tcp.listen(url, { connections = 101 }, fn) end,\n"
          "  function() host.tcp.listen(url, { allow = {} }, fn) end,\n"
          "  function() host.tcp.listen(url, { allow = { 'box' } }, fn) end,\n"
          "  function() host.tcp.listen(url, { allow = { {} } }, fn) end,\n"
          "  function() host.tcp.listen(url, { allow = '10.0.0.1' }, fn) end,\n"
          "} do local ok, why = pcall(wrong) assert(not ok, 'fine?') tell(why) end");
    assert_int_equal(desk.events, 12);
    assert_non_null(strstr(desk.data[3], "nodealy"));
    assert_non_null(strstr(desk.data[9], "10.0.0.0/24"));
    finish(PLUGIN_ENDED);
}

static void a_plugin_may_end_while_it_connects(void **state)
{
    int port, door = peer_socket(SOCK_STREAM, &port);
    (void)state;
    listen(door, 0);
    begin(port, "for _ = 1, 8 do host.after(0, function()\n"
                "  host.tcp.connect('tcp://127.0.0.1:' .. config.port) host.sleep('1h')\n"
                "end) end\n"
                "host.after(10, function() tell('x') end)");
    talk_until(some_events);
    finish(PLUGIN_ENDED);
    close(door);
}

static void there_are_not_more_doors_than_slots(void **state)
{
    (void)state;
    begin(peer_free_port(),
          "for _ = 1, 256 do host.every('1h', function() end) end\n"
          "tell(select(2, pcall(host.tcp.listen, 'tcp://127.0.0.1:1', {}, error)))");
    assert_non_null(strstr(desk.data[0], "more than 256"));
    finish(PLUGIN_ENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_reached_has_a_code),
        cmocka_unit_test(a_name_of_this_machine_is_found),
        cmocka_unit_test(what_goes_in_and_out_is_recorded),
        cmocka_unit_test(a_port_in_use_is_told),
        cmocka_unit_test(wrong_arguments_are_raised),
        cmocka_unit_test(a_plugin_may_end_while_it_connects),
        cmocka_unit_test(there_are_not_more_doors_than_slots),
    };
    return cmocka_run_group_tests(tests, desk_make_folder, desk_remove_folder);
}
