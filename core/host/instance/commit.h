/* commit - effects on their way to the disk.
 *
 * A keeper that does not listen for a while (this plugin says too much) loses nothing: what its line does
 * not take is held and sent later, in order, while the handlers wait.
 *
 * Until its answer comes a commit is listed, so that a read of the store sees what has been sent
 * and is not yet durable. The keeper takes the commits of one plugin in the order sent. */
#ifndef HOST_INSTANCE_COMMIT_H
#define HOST_INSTANCE_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "host/instance/effects.h"
#include "host/instance/keeperline.h"

enum { COMMIT_TEXT_ROOM = 200, COMMIT_AGAIN_MS = 10 };

struct commit {
    /* err: 0 when durable, else a positive errno as the keeper says it, with its text. */
    void (*done)(struct commit *commit, int err, const char *text, int64_t seq);
    struct question question;
    struct buffer frame;
    size_t whole;
    bool is_held;            /* not sent yet */
    struct commits *commits; /* NULL while nothing is under way */
    struct commit *older;
};

struct commits {
    struct keeperline *line;
    struct loop *loop;
    struct loop_timer again; /* runs while one is held */
    struct commit *newest;
};

void commits_open(struct commits *commits, struct loop *loop, struct keeperline *line);
/* Those under way are their owners' to forget. */
void commits_close(struct commits *commits);
/* Whether any is under way. */
bool commits_are_under_way(const struct commits *commits);

/* Sends the effects, which are empty afterwards. A commit has one thing under way at a time. When
 * the line is over: a negative errno, and the effects are lost. */
int commit_send(struct commits *commits, struct commit *commit, struct effects *effects);
/* Its answer will not be heard. Fine when nothing is under way. */
void commit_forget(struct commit *commit);
bool commit_is_under_way(const struct commit *commit);

/* What all commits under way do to the key, as effects_find(). */
int commits_find(const struct commits *commits, const char *key, struct field *value);
/* effects_each() for all commits under way, oldest first. */
void commits_each(const struct commits *commits,
                  void (*seen)(void *owner, const struct field *key,
                               const struct field *value),
                  void *owner);

#endif
