/* A connection as a plugin uses it, to a device that is a process of its own. */
#include "host/lines/conn.h"

#include "host/desk.h"
#include "host/peer.h"

static int port;
static pid_t device;

/* `act` is the device; `body` runs in begin() with `conn` connected to it. */
static void begin(int (*act)(int fd), const char *body)
{
    char text[3500];
    int door = peer_socket(SOCK_STREAM, &port);
    device = peer_run(act, door);
    close(door);
    snprintf(text, sizeof(text),
             "local frames = require 'frames'\n"
             "local function tell(...) host.emit { type = 'x.y', data = { t = "
             "table.concat({ ... }, '|') } } end\n"
             "local conn = assert(host.tcp.connect('tcp://127.0.0.1:' .. config.port))\n"
             "local _ = frames\n%s",
             body);
    desk_start("'tcp'", port, ONE_EVENT, text);
}

static void told(int number, const char *text)
{
    char wanted[200];
    snprintf(wanted, sizeof(wanted), "{\"t\":\"%s\"}", text);
    assert_true(number < desk.events);
    assert_string_equal(desk.data[number], wanted);
}

static void finish_all(void)
{
    finish(PLUGIN_ENDED);
    assert_int_equal(peer_end(device), 0);
}

static bool three_events(void)
{
    return desk.events >= 3;
}

/* ---- Promises */

static int says_hello_in_pieces(int door)
{
    int fd = accept(door, NULL, NULL);
    peer_say(fd, "hel");
    bool is_read = peer_hears(fd, "more");
    peer_say(fd, "lo world");
    return is_read && peer_hears(fd, "bye") && peer_sees_end(fd) ? 0 : 1;
}

static void bytes_are_read_as_they_come_and_by_number(void **state)
{
    (void)state;
    begin(says_hello_in_pieces,
          "local first = conn:read()\n"
          "assert(conn:write 'more')\n"
          "tell(first, conn:read_exactly(5 - #first), conn:read { most = 3 })\n"
          "tell(conn:read_exactly(3))\n"
          "local ok, message, code, kept = conn:read_exactly(4, { timeout = 5 })\n"
          "tell(tostring(ok), message, code, kept)\n"
          "assert(conn:write 'bye')\n"
          "local address, port = conn:peer()\n"
          "assert(address == '127.0.0.1' and port == config.port)\n"
          "conn:close()\n"
          "tell(select(3, conn:read()), select(3, conn:write 'x'), (conn:peer()))");
    talk_until(has_started);
    told(0, "hel|lo| wo");
    told(1, "rld");
    told(2, "nil|127.0.0.1: the time is over|timeout|0");
    told(3, "closed|closed|127.0.0.1");
    finish_all();
}

static int drips_frames(int door)
{
    static const char *const PIECES[] = {"noise~on", "e~~tw", "o~~three~~four", "~"};
    int fd = accept(door, NULL, NULL);
    for (size_t i = 0; i < countof(PIECES); i++) {
        peer_say(fd, PIECES[i]);
        usleep(10000);
    }
    static char much[65536];
    memset(much, 'x', sizeof(much));
    while (send(fd, much, sizeof(much), MSG_NOSIGNAL) > 0) /* a frame without an end */
        ;
    return 0;
}

static void frames_are_cut_and_the_rest_is_kept(void **state)
{
    (void)state;
    begin(drips_frames,
          "local reader = frames.marked { mark = '~', max = 64 }\n"
          "tell(conn:read_frame(reader), conn:read_frame(reader))\n"
          "tell(conn:read_frame(reader), conn:read_frame(reader), reader.lost)\n"
          "local begun = host.mono()\n"
          "local frame, _, code = conn:read_frame(reader, { timeout = 100 })\n"
          "local took = host.mono() - begun\n"
          "tell(tostring(frame), code, tostring(took > 0.09 and took < 60))\n"
          "conn:close()");
    talk_until(has_started);
    told(0, "one|two");
    told(1, "three|four|5");
    told(2, "nil|timeout|true"); /* for the whole frame, though bytes kept coming */
    finish_all();
}

static int says_nothing(int door)
{
    int fd = accept(door, NULL, NULL);
    return peer_sees_end(fd) ? 0 : 1;
}

static void other_handlers_go_on_while_one_waits(void **state)
{
    (void)state;
    begin(says_nothing, "host.every(2, function() host.emit { type = 'x.y' } end)\n"
                        "host.after(0, function() conn:read() error('never') end)");
    talk_until(three_events);
    finish(PLUGIN_ENDED);
    assert_int_equal(peer_end(device), 0); /* the end of the plugin closes it */
}

static void a_second_reader_is_told_so(void **state)
{
    (void)state;
    begin(says_nothing,
          "host.after(0, function() tell('reader', select(3, conn:read())) end)\n"
          "host.after(5, function()\n"
          "  local frame = frames.lines { max = 9 }\n"
          "  tell(select(3, conn:read()), select(3, conn:read_exactly(1)),\n"
          "    select(3, conn:read_frame(frame)))\n"
          "  conn:close()\n"
          "  tell('closed it') end)");
    talk_until(three_events);
    told(0, "busy|busy|busy");
    told(1, "closed it"); /* who waits is told by the loop, */
    told(2, "reader|closed|0");
    finish_all();
}

static int takes_nothing(int door)
{
    int fd = accept(door, NULL, NULL);
    sleep(1);
    close(fd);
    return 0;
}

static void a_write_that_is_not_taken_says_how_much_was(void **state)
{
    (void)state;
    begin(takes_nothing,
          "local much, sum = ('x'):rep(1024 * 1024), 0\n"
          "for _ = 1, 64 do\n"
          "  local ok, message, code, taken = conn:write(much, { timeout = 50 })\n"
          "  sum = sum + (taken or #much)\n"
          "  if not ok then\n"
          "    tell(code, tostring(taken < #much), tostring(sum > 0)) break end\n"
          "end");
    talk_until(has_started);
    told(0, "timeout|true|true");
    finish_all();
}

static int resets(int door)
{
    struct linger now = {.l_onoff = 1};
    int fd = accept(door, NULL, NULL);
    peer_say(fd, "half");
    usleep(50000);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
    return 0;
}

static void a_reset_ends_who_waits(void **state)
{
    (void)state;
    begin(resets, "local ok, message, code, kept = conn:read_exactly(10)\n"
                  "tell(tostring(ok), message, code, kept)\n"
                  "tell(tostring(conn:read_exactly(4)), select(3, conn:read()))");
    talk_until(has_started);
    told(0, "nil|127.0.0.1: the other end broke off|closed|4");
    told(1, "half|closed|0");
    finish_all();
}

static void wrong_arguments_are_raised(void **state)
{
    (void)state;
    begin(says_nothing,
          "for _, wrong in ipairs {\n"
          "  function() conn:read_exactly(0) end,\n"
          "  function() conn:read_exactly(65537) end,\n"
          "  function() conn:read { most = 65537 } end,\n"
          "  function() conn:read { timeout = 'soon' } end,\n"
          "  function() conn:read { timeout = -1 } end,\n"
          "  function() conn:read { silence = '1h' } end,\n"
          "  function() conn:read { tiemout = 1 } end,\n"
          "  function() conn:write({}) end,\n"
          "  function() conn:read_frame('reader') end,\n"
          "  function() conn.read({}) end,\n"
          "  function() table.sort({ 2, 1 }, function() conn:read() end) end,\n"
          "} do local ok, why = pcall(wrong) assert(not ok, 'fine?') tell(why) end\n"
          "conn:close()");
    talk_until(has_started);
    assert_int_equal(desk.events, 11);
    assert_non_null(strstr(desk.data[6], "there is no option"));
    assert_non_null(strstr(desk.data[10], "cannot wait here"));
    finish_all();
}

static void closing_the_plugin_ends_what_waits(void **state)
{
    (void)state;
    begin(says_nothing,
          "local much = ('x'):rep(1024 * 1024)\n"
          "host.after(0, function() conn:read_frame(frames.lines { max = 9 }) end)\n"
          "host.after(0, function() for _ = 1, 64 do conn:write(much) end end)\n"
          "host.after(9, function() tell('a') tell('b') tell('c') end)");
    talk_until(three_events);
    finish(PLUGIN_ENDED);
    peer_end(device);
}

static bool ended_or_started(void)
{
    return desk.plugin.stopping || desk.plugin.started;
}

static int serves_many(int door)
{
    int fd = accept(door, NULL, NULL);
    peer_say(fd, "one\ntwo\n");
    close(fd);
    return 0;
}

/* Every budget from nothing to enough: each allocation on the way is the first to fail once. */
static void any_allocation_may_fail(void **state)
{
    size_t more = 0;
    (void)state;
    for (bool started = false; !started; more += 1200) {
        begin(serves_many, "local reader = frames.lines { max = 9 }\n"
                           "assert(conn:read_frame(reader) == 'one')\n"
                           "assert(conn:read_frame(reader) == 'two')\n"
                           "assert(select(3, conn:read_frame(reader)) == 'closed')");
        desk.plugin.budget.most_bytes = desk.plugin.budget.used_bytes + more;
        talk_until(ended_or_started);
        started = desk.plugin.started;
        finish(started ? PLUGIN_ENDED : PLUGIN_BROKEN);
        kill(device, SIGKILL);
        peer_end(device);
        assert_true(more < 1024 * 1024);
    }
}

static int make_all(void **state)
{
    desk_library = "lua";
    return desk_make_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_read_as_they_come_and_by_number),
        cmocka_unit_test(frames_are_cut_and_the_rest_is_kept),
        cmocka_unit_test(other_handlers_go_on_while_one_waits),
        cmocka_unit_test(a_second_reader_is_told_so),
        cmocka_unit_test(a_write_that_is_not_taken_says_how_much_was),
        cmocka_unit_test(a_reset_ends_who_waits),
        cmocka_unit_test(wrong_arguments_are_raised),
        cmocka_unit_test(closing_the_plugin_ends_what_waits),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_all, desk_remove_folder);
}
