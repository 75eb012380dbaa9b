/* host.serial as a plugin calls it, on a pseudo terminal whose other end is the test's. */
#include "host/bind/bind.h"

#include <fcntl.h>

#include "host/desk.h"

static int far = -1;

static void begin(const char *body)
{
    char text[3500];
    snprintf(text, sizeof(text),
             "local function tell(...) host.emit { type = 'x.y', data = { t = "
             "table.concat({ ... }, '|') } } end\n"
             "local device = '%s'\nlocal url = 'serial://' .. device\n%s",
             ptsname(far), body);
    desk_start("'serial'", 0, ONE_EVENT, text);
}

static int open_terminal(void **state)
{
    (void)state;
    far = posix_openpt(O_RDWR | O_NOCTTY);
    return far < 0 || grantpt(far) != 0 || unlockpt(far) != 0 ? -1 : 0;
}

static int close_terminal(void **state)
{
    (void)state;
    close(far);
    return 0;
}

static void told(int number, const char *text)
{
    char wanted[200];
    snprintf(wanted, sizeof(wanted), "{\"t\":\"%s\"}", text);
    assert_true(number < desk.events);
    assert_string_equal(desk.data[number], wanted);
}

static bool three_events(void)
{
    return desk.events >= 3;
}

static void a_line_is_read_and_written(void **state)
{
    char heard[8] = "";
    (void)state;
    begin("local line = assert(host.serial.open(url .. '?baud=115200'))\n"
          "assert(line:write 'ask\\n')\n"
          "tell('asked', (line:peer() == device) and 'it' or 'another')\n"
          "host.commit()\n"
          "tell(line:read_exactly(5))\n"
          "line:close() tell(select(3, line:read()))");
    talk_until(some_events);
    told(0, "asked|it");
    assert_int_equal(read(far, heard, 4), 4);
    assert_string_equal(heard, "ask\n");
    assert_int_equal(write(far, "12345", 5), 5);
    talk_until(has_started);
    told(1, "12345");
    finish(PLUGIN_ENDED);
}

static void silence_parts_messages(void **state)
{
    (void)state;
    begin("local line = assert(host.serial.open(url, { silence = '30ms' }))\n"
          "tell('open') host.commit()\n"
          "tell(line:read()) host.commit()\n"
          "tell(line:read())");
    talk_until(some_events);
    assert_int_equal(write(far, "on", 2), 2);
    loop_turn(desk.loop);
    assert_int_equal(write(far, "e", 1), 1);
    for (int i = 0; i < TURNS_MAX && desk.events < 2; i++) {
        loop_turn(desk.loop);
        hear_all();
    }
    assert_int_equal(write(far, "two", 3), 3);
    talk_until(three_events);
    told(1, "one");
    told(2, "two");
    finish(PLUGIN_ENDED);
}

static void a_line_that_is_unplugged_is_closed_and_opened_again(void **state)
{
    (void)state;
    begin("local line = assert(host.serial.open(url))\n"
          "tell('open') host.commit()\n"
          "tell(select(3, line:read()), select(3, line:write 'x')) line:close()\n"
          "tell(select(3, host.serial.open(url)))");
    talk_until(some_events);
    close(far);
    talk_until(has_started);
    told(1, "closed|closed|0");
    told(2, "refused");
    finish(PLUGIN_ENDED);
    far = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(far >= 0 && grantpt(far) == 0 && unlockpt(far) == 0);
    begin("assert(host.serial.open(url)):close()\n"
          "assert(host.serial.open(url)) tell('again')");
    talk_until(has_started);
    told(0, "again");
    finish(PLUGIN_ENDED);
}

static void what_cannot_be_opened_has_a_code(void **state)
{
    (void)state;
    begin("tell(select(3, host.serial.open('serial:///dev/ttyNONE')),\n"
          "  select(3, host.serial.open('serial:///dev/null')),\n"
          "  select(3, host.serial.open(url .. '?baud=31')),\n"
          "  select(3, host.serial.open(url .. '?baud=12345')),\n"
          "  select(3, host.serial.open('tcp://127.0.0.1:1')))\n"
          "assert(not pcall(host.serial.open, url, { baud = 9600 }))");
    talk_until(has_started);
    told(0, "refused|argument|argument|argument|argument");
    finish(PLUGIN_ENDED);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, open_terminal, close_terminal)
    const struct CMUnitTest tests[] = {
        WITH(a_line_is_read_and_written),
        WITH(silence_parts_messages),
        WITH(a_line_that_is_unplugged_is_closed_and_opened_again),
        WITH(what_cannot_be_opened_has_a_code),
    };
    return cmocka_run_group_tests(tests, desk_make_folder, desk_remove_folder);
}
