/* serialport - stands in for host/lines/serialport.c: at the end of the line is a double of the test. */
#include "host/lines/serialport.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "rehearse/office.h"

int serialport_open(int *fd, const struct lineurl *url)
{
    char name[WIRE_NAME_ROOM];
    snprintf(name, sizeof(name), "serial://%s", url->place);
    int err = wire_open(office_current(), fd, name, SOCK_STREAM);
    return err == -ECONNREFUSED ? -ENOENT : err;
}
