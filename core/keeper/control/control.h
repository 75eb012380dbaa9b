/* control - the socket that `outpost status`, `events --follow`, `do` and `show` connect to.
 *
 * STATE/keeper.sock, mode 0660; at most CONTROL_READERS_MAX at once, one more is hung up on. */
#ifndef KEEPER_CONTROL_CONTROL_H
#define KEEPER_CONTROL_CONTROL_H

#include "keeper/children/children.h"

enum { CONTROL_READERS_MAX = 32 };

struct control {
    struct children *children;
    struct loop_watch watch;
    int fd; /* -1 while closed */
    int readers;
    char path[256];
};

int control_open(struct control *control, struct loop *loop, struct children *children,
                 const char *path);
/* Hangs up on all readers. */
void control_close(struct control *control);

#endif
