/* control - see control.h. */
#include "keeper/control/control.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "base/mem.h"

static void reader_gone(struct peer *peer, int why)
{
    struct control *control = peer->owner;
    (void)why;
    control->readers--;
    mem_free(peer);
}

/* By the kernel's word: nobody can say that he is somebody else. */
static int64_t user_of(int fd)
{
    struct ucred other;
    socklen_t length = sizeof(other);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &other, &length) != 0)
        return -1;
    return other.uid;
}

static void add_reader(struct control *control, int fd)
{
    struct peer *peer = mem_new(struct peer);
    *peer = (struct peer){.role = PEER_READER,
                          .name = "reader",
                          .uid = user_of(fd),
                          .owner = control,
                          .gone = reader_gone};
    if (children_add(control->children, peer, fd) != 0)
        mem_free(peer);
    else
        control->readers++;
}

static void accept_one(struct loop_watch *watch, bool readable, bool writable)
{
    struct control *control = container_of(watch, struct control, watch);
    int fd;
    (void)readable;
    (void)writable;
    if (line_accept(&fd, control->fd) != 0)
        return;
    if (control->readers < CONTROL_READERS_MAX)
        add_reader(control, fd);
    else
        close(fd);
}

int control_open(struct control *control, struct loop *loop, struct children *children,
                 const char *path)
{
    *control =
        (struct control){.children = children, .watch.ready = accept_one, .fd = -1};
    int length = snprintf(control->path, sizeof(control->path), "%s", path);
    if (length < 0 || (size_t)length >= sizeof(control->path))
        return -ENAMETOOLONG;
    int err = line_listen(&control->fd, path);
    if (!err)
        loop_watch_start(loop, &control->watch, control->fd, true, false);
    return err;
}

void control_close(struct control *control)
{
    loop_watch_stop(&control->watch);
    if (control->fd < 0)
        return;
    close(control->fd);
    unlink(control->path);
    control->fd = -1;
    for (struct peer *peer = control->children->peers, *next; peer != NULL; peer = next) {
        next = peer->next;
        if (peer->owner != control)
            continue;
        children_remove(control->children, peer);
        mem_free(peer);
    }
    control->readers = 0;
}
