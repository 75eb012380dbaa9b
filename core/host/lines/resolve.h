/* resolve - the addresses of a name, asked without waiting and without a process of its own.
 *
 * An address is its own answer; then /etc/hosts is read, then the name servers of /etc/resolv.conf are
 * asked for IPv4 and IPv6 at once, one server after the other, RESOLVE_ROUNDS times RESOLVE_MS each.
 * Both files are read for every name, so that a change counts at once. Names are asked as they are:
 * no search list. Nothing is kept.
 *
 * The owner keeps the memory; a zeroed resolve is a stopped one. */
#ifndef HOST_LINES_RESOLVE_H
#define HOST_LINES_RESOLVE_H

#include "base/loop.h"
#include "host/lines/address.h"
#include "host/lines/dns.h"

enum {
    RESOLVE_MAX = 8,
    RESOLVE_SERVERS = 3,
    RESOLVE_ROUNDS = 2,
    RESOLVE_FILE_MAX = 64 * 1024
};
#ifdef SMALL_BOUNDS
enum { RESOLVE_MS = 200 };
#else
enum { RESOLVE_MS = 2000 };
#endif

struct resolve {
    /* Once, from the loop. 0, -ENOENT: no such name, -ETIMEDOUT: no name server answers, -EINVAL: that is
     * no name, -EACCES: the files may not be read. */
    void (*done)(struct resolve *resolve, int err);
    struct address found[RESOLVE_MAX];
    int count;
    /* For tests; NULL and 0: those of the machine. */
    const char *hosts;
    const char *servers;
    int server_port;

    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer timer;
    bool is_asking;
    int fd; /* while the watch runs */
    int port;
    int err; /* what is told when nobody knows better */
    int round;
    int open; /* questions without an answer */
    int server_count;
    struct address server[RESOLVE_SERVERS];
    struct dns_question question[2];
    char name[DNS_NAME_MAX + 2];
};

void resolve_start(struct loop *loop, struct resolve *resolve, const char *name,
                   int port);
void resolve_stop(struct resolve *resolve);

#endif
