/* visit - a handler that answers requests to a server, one after the other; a listener has some.
 *
 * The answer of a handler goes out when what it emitted and stored is durable, and not before: a
 * terminal that heard 200 may forget. When it raises, nothing of it happened and the answer is 500;
 * when the keeper refuses, it is 503 and the process starts again from what is durable. */
#ifndef HOST_WEB_VISIT_H
#define HOST_WEB_VISIT_H

#include <lua.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "host/instance/commit.h"
#include "host/instance/complaint.h"
#include "host/instance/task.h"
#include "host/web/server.h"

enum { VISIT_PLACE_ROOM = 80 };

/* What the visits of one listener share. */
struct visit_house {
    struct server *server; /* NULL: closed */
    int function_ref;
    struct complaint complaint;
    char place[VISIT_PLACE_ROOM];            /* where the function is, for logs */
    void (*free)(struct visit_house *house); /* a visit is over */
};

struct visit {
    struct task task;
    struct commit commit;
    struct visit_house *house;
    struct server_request *request; /* NULL: idle, or its client is gone */
    bool busy;
    int status;
    struct buffer said; /* headers of the answer: name NUL value NUL ... */
    struct buffer body;
};

/* `thread_ref` is of task_reserve(). */
void visit_open(struct visit *visit, struct visit_house *house, struct plugin *plugin,
                int thread_ref);
void visit_close(struct visit *visit);

/* Runs the handler for the request. The visit is idle. */
void visit_begin(struct visit *visit, struct server_request *request);

#endif
