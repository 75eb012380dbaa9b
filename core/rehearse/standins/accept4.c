/* accept4 - as the kernel's, but who came in is told as the test has it. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/lines/address.h"
#include "rehearse/office.h"

enum { PORT = 40000 };

int accept4(int fd, struct sockaddr *from, socklen_t *length, int flags)
{
    struct address caller;
    int made = (int)syscall(SYS_accept4, fd, NULL, NULL, flags);
    const char *name = made >= 0 ? wire_caller(office_current()) : NULL;
    if (name != NULL && address_parse(&caller, name, PORT) == 0) {
        memcpy(from, &caller.is, caller.length);
        *length = caller.length;
    }
    return made;
}
