/* A capture becomes devices of an office; what is none is told. */
#include "rehearse/recording.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "host/modbus/fieldbus.h"
#include "rehearse/office.h"
#include "wire/pcapng.h"

static struct office *office;
static struct recording *recording;
static struct buffer file;
static char why[300];

static int set_up(void **state)
{
    (void)state;
    office_open(&office, 1795305600LL * 1000000);
    office->is_replay = true;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    office_close(office);
    recording_close(recording);
    recording = NULL;
    buffer_free(&file);
    return 0;
}

static void put(int device, bool is_out, const char *bytes, size_t length)
{
    const struct pcapng_piece piece = {device, is_out, 1795305600LL * 1000000, bytes,
                                       length};
    pcapng_piece(&file, &piece);
}

static int open_file(void)
{
    return recording_open(&recording, office, file.bytes, file.length, "lua", why,
                          sizeof(why));
}

static void its_devices_are_those_of_the_office(void **state)
{
    struct busurl url;
    (void)state;
    pcapng_begin(&file, "");
    pcapng_device(&file, "modbus-tcp://10.0.0.1:502");
    pcapng_device(&file, "http://10.0.0.2");
    pcapng_device(&file, "others");
    put(0, true, "\0\1\0\0\0\6\1\3\0\0\0\1", 12);
    put(0, false, "\0\1\0\0\0\5\1\3\2\0\7", 11);
    put(2, true, "x", 1);
    assert_int_equal(open_file(), 0);
    assert_true(office->has_recording);
    assert_int_equal(office->device_count, 2);
    assert_int_equal(busurl_parse(&url, "modbus-tcp://10.0.0.1?unit=1", why, sizeof(why)),
                     0);
    assert_non_null(office_device_on(office, &url));
    assert_non_null(office_device_at(office, "http://10.0.0.2/x"));
}

static void what_is_no_capture_or_damaged_is_told(void **state)
{
    (void)state;
    buffer_append_text(&file, "GET / HTTP/1.1\r\n\r\n");
    assert_int_equal(open_file(), -EPROTO);
    assert_string_equal(why, "it is no pcapng");
    buffer_clear(&file);
    pcapng_begin(&file, "");
    pcapng_device(&file, "tcp://a:1");
    put(0, true, "x", 1);
    file.length -= 4;
    assert_int_equal(open_file(), -EPROTO);
    assert_non_null(strstr(why, "it is damaged"));
    assert_false(office->has_recording);
}

static void an_address_that_makes_no_sense_is_told(void **state)
{
    (void)state;
    pcapng_begin(&file, "");
    pcapng_device(&file, "modbus-tcp://a:b:c");
    put(0, true, "x", 1);
    assert_int_equal(open_file(), -EPROTO);
    assert_non_null(strstr(why, "modbus-tcp://a:b:c"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_devices_are_those_of_the_office, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_capture_or_damaged_is_told, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_address_that_makes_no_sense_is_told, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
