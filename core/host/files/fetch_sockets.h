/* fetch_sockets - what libcurl has open for fetches, so that it can be shut down before the library says
 * goodbye to a server: it would wait for the answer, and all else in this process with it.
 *
 * Bound: FETCH_SOCKETS_MAX; one more is refused. */
#ifndef HOST_FILES_FETCH_SOCKETS_H
#define HOST_FILES_FETCH_SOCKETS_H

enum { FETCH_SOCKETS_MAX = 64 };

struct fetch_sockets {
    struct {
        int fd;             /* -1: free */
        const void *opener; /* NULL: gone; others may use the connection */
    } all[FETCH_SOCKETS_MAX];
};

void fetch_sockets_init(struct fetch_sockets *sockets);

/* A socket, or -1. */
int fetch_sockets_open(struct fetch_sockets *sockets, int family, int type, int protocol,
                       const void *opener);
int fetch_sockets_close(struct fetch_sockets *sockets, int fd);

/* The opener goes; its sockets stay. */
void fetch_sockets_leave(struct fetch_sockets *sockets, const void *opener);

/* Shuts down what the opener has opened. The library does not say which of the older connections one
 * uses that has opened none: then all those are. */
void fetch_sockets_shut(const struct fetch_sockets *sockets, const void *opener);
void fetch_sockets_shut_all(const struct fetch_sockets *sockets);

#endif
