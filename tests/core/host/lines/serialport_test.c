/* A serial line on a pseudo terminal: set up by the book, and nobody else's. */
#include "host/lines/serialport.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

static int far = -1;
static struct lineurl url;

static int open_terminal(void **state)
{
    (void)state;
    far = posix_openpt(O_RDWR | O_NOCTTY);
    if (far < 0 || grantpt(far) != 0 || unlockpt(far) != 0)
        return -1;
    url = (struct lineurl){
        .kind = LINEURL_SERIAL, .baud = 9600, .data = 8, .parity = 'N', .stop = 1};
    snprintf(url.place, sizeof(url.place), "%s", ptsname(far));
    return 0;
}

static int close_terminal(void **state)
{
    (void)state;
    close(far);
    return 0;
}

static struct termios opened(void)
{
    struct termios line;
    int fd = -1;
    assert_int_equal(serialport_open(&fd, &url), 0);
    assert_int_equal(tcgetattr(fd, &line), 0);
    close(fd);
    return line;
}

static void bytes_pass_as_they_are(void **state)
{
    struct termios line = opened();
    (void)state;
    assert_int_equal(line.c_lflag & (ICANON | ECHO | ISIG | IEXTEN), 0);
    assert_int_equal(line.c_oflag & OPOST, 0);
    assert_int_equal(line.c_iflag & (IXON | IXOFF | ICRNL | INLCR | ISTRIP | BRKINT), 0);
    assert_int_equal(line.c_cflag & (CSTOPB | CRTSCTS), 0);
    assert_int_equal(line.c_cflag & (CLOCAL | CREAD), CLOCAL | CREAD);
    assert_int_equal(line.c_cc[VMIN], 1);
    assert_int_equal(cfgetospeed(&line), B9600);
}

static void what_the_url_says_is_set(void **state)
{
    (void)state;
    url.baud = 115200;
    url.stop = 2;
    url.flow = true;
    struct termios line = opened();
    assert_int_equal(cfgetospeed(&line), B115200);
    assert_int_equal(line.c_cflag & (CSTOPB | CRTSCTS), CSTOPB | CRTSCTS);
}

/* A pseudo terminal has 8 bits and no parity, and says so. */
static void what_the_device_cannot_do_is_refused(void **state)
{
    int fd = -1;
    (void)state;
    url.data = 7;
    assert_int_equal(serialport_open(&fd, &url), -EINVAL);
    url.data = 8;
    url.parity = 'E';
    assert_int_equal(serialport_open(&fd, &url), -EINVAL);
    url.parity = 'N';
    url.baud = 12345;
    assert_int_equal(serialport_open(&fd, &url), -EINVAL);
    assert_int_equal(fd, -1);
}

static void it_is_locked_against_others_who_lock_it(void **state)
{
    int fd = -1, other = -1;
    (void)state;
    assert_int_equal(serialport_open(&fd, &url), 0);
    assert_int_equal(serialport_open(&other, &url), -EBUSY);
    assert_int_equal(other, -1);
    close(fd);
    assert_int_equal(serialport_open(&fd, &url), 0); /* and open again works */
    close(fd);
}

/* As when somebody looks on with another program while the plugin is killed. */
static void who_has_it_open_beside_does_not_keep_it_locked(void **state)
{
    int fd = -1, looker = open(url.place, O_RDWR | O_NOCTTY | O_NONBLOCK), locked = -1;
    (void)state;
    assert_true(looker >= 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(serialport_open(&fd, &url), 0);
        assert_int_equal(ioctl(looker, TIOCGEXCL, &locked), 0);
        assert_int_equal(locked, 0);
        close(fd);
    }
    close(looker);
}

static void what_is_no_serial_line_is_refused(void **state)
{
    int fd = -1;
    (void)state;
    strcpy(url.place, "/dev/null");
    assert_int_equal(serialport_open(&fd, &url), -ENOTTY);
    strcpy(url.place, "/dev/ttyNONE");
    assert_int_equal(serialport_open(&fd, &url), -ENOENT);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, open_terminal, close_terminal)
    const struct CMUnitTest tests[] = {
        WITH(bytes_pass_as_they_are),
        WITH(what_the_url_says_is_set),
        WITH(what_the_device_cannot_do_is_refused),
        WITH(it_is_locked_against_others_who_lock_it),
        WITH(who_has_it_open_beside_does_not_keep_it_locked),
        WITH(what_is_no_serial_line_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
