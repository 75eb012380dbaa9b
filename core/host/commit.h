/* commit - effects on their way to the disk.
 *
 * Until its answer comes a commit is listed, so that a read of the store sees what has been sent
 * and is not yet durable. The keeper takes the commits of one plugin in the order sent. */
#ifndef HOST_COMMIT_H
#define HOST_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "host/effects.h"
#include "host/keeperline.h"

enum { COMMIT_TEXT_ROOM = 200 };

struct commit {
    /* err: 0 when durable, else a positive errno as the keeper says it, with its text. */
    void (*done)(struct commit *commit, int err, const char *text, int64_t seq);
    struct question question;
    struct buffer frame;
    size_t whole;
    struct commits *commits; /* NULL while nothing is under way */
    struct commit *older;
};

struct commits {
    struct keeperline *line;
    struct commit *newest;
};

/* Sends the effects, which are empty afterwards. A commit has one thing under way at a time. When
 * the line cannot take it: a negative errno, and the effects are lost. */
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
