/* peer - the device at the other end: a process of its own that may block as it likes. */
#ifndef HOST_PEER_H
#define HOST_PEER_H

#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* A socket on a free port of loopback; *port is which. */
static inline int peer_socket(int type, int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, type, 0);
    if (bind(fd, (struct sockaddr *)&address, length) != 0 ||
        (type == SOCK_STREAM && listen(fd, 8) != 0) ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        abort();
    *port = ntohs(address.sin_port);
    return fd;
}

/* A port nobody has now. */
static inline int peer_free_port(void)
{
    int port;
    close(peer_socket(SOCK_STREAM, &port));
    return port;
}

static inline pid_t peer_run(int (*act)(int fd), int fd)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    alarm(120);
    _exit(act(fd));
}

/* What it answered. */
static inline int peer_end(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static inline bool peer_has_ended(pid_t pid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid;
}

/* ---- For the process itself */

/* Connects to the port of loopback as soon as somebody listens. */
static inline int peer_connect(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
            return fd;
        close(fd);
        usleep(2000);
    }
}

static inline void peer_say(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
        _exit(90);
}

/* Whether exactly this comes next. */
static inline bool peer_hears(int fd, const char *text)
{
    char room[256] = "";
    size_t length = strlen(text);
    return recv(fd, room, length, MSG_WAITALL) == (ssize_t)length &&
           memcmp(room, text, length) == 0;
}

static inline bool peer_sees_end(int fd)
{
    char byte;
    return recv(fd, &byte, 1, 0) <= 0;
}

#endif
