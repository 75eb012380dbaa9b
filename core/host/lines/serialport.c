/* serialport - see serialport.h. */
#include "host/lines/serialport.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include "base/base.h"

static const struct {
    int baud;
    speed_t speed;
} SPEEDS[] = {
    {300, B300},         {600, B600},         {1200, B1200},       {1800, B1800},
    {2400, B2400},       {4800, B4800},       {9600, B9600},       {19200, B19200},
    {38400, B38400},     {57600, B57600},     {115200, B115200},   {230400, B230400},
    {460800, B460800},   {500000, B500000},   {576000, B576000},   {921600, B921600},
    {1000000, B1000000}, {1500000, B1500000}, {2000000, B2000000}, {3000000, B3000000},
};

static speed_t speed_of(int baud)
{
    for (size_t i = 0; i < countof(SPEEDS); i++)
        if (SPEEDS[i].baud == baud)
            return SPEEDS[i].speed;
    return B0;
}

/* Raw, both ways, without a modem's lines. VMIN of 1, so that a read without bytes is told from the end
 * of the device. */
static void describe(struct termios *line, const struct lineurl *url)
{
    cfmakeraw(line);
    line->c_iflag &= ~(tcflag_t)(IXOFF | IXANY | INPCK);
    line->c_cflag &= ~(tcflag_t)(CSIZE | CSTOPB | PARENB | PARODD | CRTSCTS);
    line->c_cflag |= CLOCAL | CREAD | (url->data == 7 ? CS7 : CS8);
    line->c_cflag |= (url->stop == 2 ? CSTOPB : 0) | (url->flow ? CRTSCTS : 0);
    line->c_cflag |= url->parity == 'N'   ? 0
                     : url->parity == 'E' ? PARENB
                                          : PARENB | PARODD;
    line->c_iflag |= url->parity == 'N' ? 0 : INPCK;
    line->c_cc[VMIN] = 1;
    line->c_cc[VTIME] = 0;
}

/* The kernel takes what it can and says so only when asked again. */
static bool is_as_described(int fd, const struct termios *wanted)
{
    static const tcflag_t LOOKED_AT = CSIZE | CSTOPB | PARENB | PARODD | CRTSCTS;
    struct termios line;
    return tcgetattr(fd, &line) == 0 &&
           ((line.c_cflag ^ wanted->c_cflag) & LOOKED_AT) == 0 &&
           cfgetospeed(&line) == cfgetospeed(wanted);
}

/* With a lock that ends with whoever holds it. TIOCEXCL would stay with the line for as long as anybody
 * else has it open, and shut out the next of us; and it does not stop root, as whom such others run. */
static int lock(int fd)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

static int set_up(int fd, const struct lineurl *url)
{
    struct termios line;
    speed_t speed = speed_of(url->baud);
    if (speed == B0)
        return -EINVAL;
    if (tcgetattr(fd, &line) != 0)
        return -ENOTTY;
    int err = lock(fd);
    if (err)
        return err;
    describe(&line, url);
    if (cfsetispeed(&line, speed) != 0 || cfsetospeed(&line, speed) != 0 ||
        tcsetattr(fd, TCSANOW, &line) != 0)
        return -errno;
    if (!is_as_described(fd, &line))
        return -EINVAL;
    return tcflush(fd, TCIOFLUSH) == 0 ? 0 : -errno;
}

int serialport_open(int *fd, const struct lineurl *url)
{
    int opened = open(url->place, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (opened < 0)
        return -errno;
    int err = set_up(opened, url);
    if (err)
        close(opened);
    else
        *fd = opened;
    return err;
}
