/* post - UDP ports of the plugin at which everybody is heard: doubles send messages there, and are sent
 * messages from there.
 *
 * A double is found by the address that a message is for: "udp://ADDRESS:PORT", or "udp://ADDRESS". It is
 * a table of the test with the function posted(self, port, bytes). A message for nobody is lost, as in
 * life. */
#ifndef REHEARSE_POST_H
#define REHEARSE_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/loop.h"
#include "host/lines/address.h"

enum { POST_PORTS_MAX = 16, POST_LATER_MAX = 64 };

struct office;

struct post_port {
    struct office *office;
    struct loop_watch watch;
    int fd;      /* our end; 0: free */
    ino_t inode; /* of the plugin's end: its number may be another socket's soon */
    int port;
};

/* What a double has said that it will send. */
struct post_later {
    struct office *office; /* NULL: free */
    struct loop_timer timer;
    struct address from;
    int port;
    struct buffer bytes;
};

struct post {
    struct post_port ports[POST_PORTS_MAX];
    struct post_later later[POST_LATER_MAX];
};

/* The plugin's end of a port; -EADDRINUSE, or another negative errno. */
int post_bind(struct office *office, int *fd, int port);
/* Whether that descriptor of the plugin is one; the number of its port, or 0. */
bool post_has(const struct office *office, int fd);
int post_port(const struct office *office, int fd);

/* The double of this name sends to that port, after so long. -EINVAL when the name is no address. */
int post_send(struct office *office, const char *name, int port, const void *bytes,
              size_t length, int64_t after_ms);

/* Looks at what the plugin has sent so far. */
void post_drain(struct office *office);
/* The process is gone; what is under way still is. */
void post_end_all(struct office *office);
void post_free(struct office *office);

#endif
