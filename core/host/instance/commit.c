/* commit - see commit.h.
 *
 * Invariant: a commit is in the list, with its frame, exactly while its question is asked or it is
 * held; those that are held are the newest, and `again` runs while there are any. */
#include "host/instance/commit.h"

#include <errno.h>

#include "base/base.h"
#include "wire/talk.h"

static void leave(struct commit *commit)
{
    struct commit **link = &commit->commits->newest;
    while (*link != commit)
        link = &(*link)->older;
    *link = commit->older;
    commit->commits = NULL;
    buffer_free(&commit->frame);
}

static int64_t number_in(const struct frame *frame, enum talk_tag tag, int64_t otherwise)
{
    struct field field;
    int64_t number;
    if (fields_find(&frame->fields, (uint8_t)tag, &field) != 0 ||
        field_number(&field, &number) != 0)
        return otherwise;
    return number;
}

static void answered(struct question *question, const struct frame *frame)
{
    struct commit *commit = container_of(question, struct commit, question);
    struct field field;
    char text[COMMIT_TEXT_ROOM] = "";
    int64_t err = frame->type == TALK_DONE ? number_in(frame, TAG_ERROR, EPROTO) : EPROTO;
    if (fields_find(&frame->fields, TAG_TEXT, &field) != 0 ||
        field_text(&field, text, sizeof(text)) != 0)
        text[0] = '\0';
    leave(commit);
    commit->done(commit, (int)err, text, number_in(frame, TAG_SEQ, -1));
}

static struct commit *oldest_held(const struct commits *commits)
{
    struct commit *oldest = NULL;
    for (struct commit *commit = commits->newest; commit != NULL && commit->is_held;
         commit = commit->older)
        oldest = commit;
    return oldest;
}

static int send_held(struct commits *commits)
{
    struct commit *commit;
    while ((commit = oldest_held(commits)) != NULL) {
        int err = keeperline_ask(commits->line, &commit->question, &commit->frame);
        if (err == -ENOBUFS) {
            loop_timer_start(commits->loop, &commits->again, COMMIT_AGAIN_MS);
            return 0;
        }
        if (err)
            return err;
        commit->is_held = false;
    }
    return 0;
}

/* A line that is over says so by itself. */
static void try_again(struct loop_timer *timer)
{
    send_held(container_of(timer, struct commits, again));
}

void commits_open(struct commits *commits, struct loop *loop, struct keeperline *line)
{
    *commits = (struct commits){.line = line, .loop = loop, .again.fire = try_again};
}

void commits_close(struct commits *commits)
{
    loop_timer_stop(&commits->again);
}

bool commits_are_under_way(const struct commits *commits)
{
    return commits->newest != NULL;
}

int commit_send(struct commits *commits, struct commit *commit, struct effects *effects)
{
    ASSERT(commit->commits == NULL && !effects_is_empty(effects));
    commit->question.answered = answered;
    commit->frame = effects->frame;
    commit->frame.length = effects->whole;
    commit->whole = effects->whole;
    effects->frame = (struct buffer){0};
    effects_clear(effects);
    commit->is_held = true;
    commit->commits = commits;
    commit->older = commits->newest;
    commits->newest = commit;
    int err = send_held(commits);
    if (err)
        leave(commit);
    return err;
}

void commit_forget(struct commit *commit)
{
    keeperline_forget(&commit->question);
    if (commit->commits != NULL)
        leave(commit);
}

bool commit_is_under_way(const struct commit *commit)
{
    return commit->commits != NULL;
}

int commits_find(const struct commits *commits, const char *key, struct field *value)
{
    for (const struct commit *commit = commits->newest; commit; commit = commit->older)
        if (effects_find(&commit->frame, commit->whole, key, value))
            return 1;
    return 0;
}

static void each_older_first(const struct commit *commit,
                             void (*seen)(void *owner, const struct field *key,
                                          const struct field *value),
                             void *owner)
{
    if (commit == NULL)
        return;
    each_older_first(commit->older, seen, owner);
    effects_each(&commit->frame, commit->whole, seen, owner);
}

void commits_each(const struct commits *commits,
                  void (*seen)(void *owner, const struct field *key,
                               const struct field *value),
                  void *owner)
{
    each_older_first(commits->newest, seen, owner);
}
