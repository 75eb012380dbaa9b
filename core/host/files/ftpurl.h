/* ftpurl - where a file server is, and by which ports its data comes:
 *
 *   ftp://HOST[:PORT]?passive=50000-50100     without a lock; PORT is 21
 *   ftpes://HOST[:PORT]?passive=50000-50100   locked by a command (AUTH TLS), as most servers do it
 *   ftps://HOST[:PORT]?passive=50000-50100    locked from the first byte; PORT is 990
 *   sftp://HOST[:PORT]                        files over SSH, all on one connection; PORT is 22
 *
 * With passive=, one port or a range, the server says at which of its ports it gives the data; with
 * active= it connects to one of these of ours. One of the two has to be named, but for SFTP, because a
 * plugin reaches only what its configuration names. Pure. */
#ifndef HOST_FILES_FTPURL_H
#define HOST_FILES_FTPURL_H

#include <stdbool.h>
#include <stddef.h>

#include "host/lines/urlpart.h"

enum ftpurl_lock { FTPURL_PLAIN, FTPURL_EXPLICIT, FTPURL_IMPLICIT, FTPURL_SSH };

struct ftpurl {
    enum ftpurl_lock lock;
    char host[URLPART_ROOM];
    int port;
    bool active;
    int from, until; /* ports of the data; 0 with SSH */
};

/* 0, or -EINVAL and what is wrong in `why`, where no user and password is shown. */
int ftpurl_parse(struct ftpurl *url, const char *text, char *why, size_t room);

/* "ftp://10.0.0.8" again, with the port where it is not the usual one, without options. */
void ftpurl_print(const struct ftpurl *url, char *text, size_t room);

/* Appends a path as libcurl has it: from the root on when it begins with "/", else from where the login leads
 * to; SFTP's "~" is that. */
void ftpurl_append(const struct ftpurl *url, char *to, size_t room, const char *path);

#endif
