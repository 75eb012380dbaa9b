/* group - see group.h.
 *
 * Invariant: answers wait only while the journal's transaction is open. */
#include "keeper/children/group.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"

struct answer {
    struct peer *peer;
    uint32_t id;
    int64_t seq;
};

static void window_over(struct loop_timer *timer)
{
    group_commit(container_of(timer, struct group, window));
}

static void turn_over(struct loop_rest *rest)
{
    group_commit(container_of(rest, struct group, rest));
}

void group_open(struct group *group, struct loop *loop, struct journal *journal,
                void (*committed)(void *owner, int err, bool had_alarm), void *owner)
{
    *group = (struct group){.loop = loop,
                            .journal = journal,
                            .window.fire = window_over,
                            .rest.fire = turn_over,
                            .committed = committed,
                            .owner = owner};
}

void group_close(struct group *group)
{
    loop_timer_stop(&group->window);
    loop_rest_stop(&group->rest);
    buffer_free(&group->answers);
    holdings_free(&group->holdings);
}

int group_enter(struct group *group)
{
    return group->journal->is_open ? 0 : journal_begin(group->journal);
}

void group_answer(struct group *group, struct peer *peer, uint32_t id, int64_t seq)
{
    struct answer answer = {peer, id, seq};
    ASSERT(group->journal->is_open);
    buffer_append(&group->answers, &answer, sizeof(answer));
}

void group_ask(struct group *group, int writes, bool urgent)
{
    group->writes += writes;
    if (urgent || group->writes >= GROUP_FULL)
        loop_rest_start(group->loop, &group->rest);
    else if (!loop_timer_is_running(&group->window))
        loop_timer_start(group->loop, &group->window, GROUP_WINDOW_MS);
}

static void answer_all(struct group *group, int err)
{
    struct buffer answers = group->answers;
    group->answers = (struct buffer){0};
    for (size_t at = 0; at < answers.length; at += sizeof(struct answer)) {
        struct answer answer;
        memcpy(&answer, answers.bytes + at, sizeof(answer));
        if (answer.peer != NULL)
            peer_done(answer.peer, answer.id, err, err ? strerror(-err) : "",
                      err ? -1 : answer.seq);
    }
    buffer_free(&answers);
}

static void end_group(struct group *group, int err)
{
    bool had_alarm = group->has_alarm;
    group->commits += err == 0;
    loop_timer_stop(&group->window);
    loop_rest_stop(&group->rest);
    group->writes = 0;
    group->has_alarm = false;
    holdings_settle(&group->holdings, err == 0);
    answer_all(group, err);
    group->committed(group->owner, err, had_alarm);
}

/* After a failed fsync nobody knows what is on disk: no answer is better than a wrong one. The
 * owner ends the keeper, and who has no answer asks the next one. */
static bool is_known(int err)
{
    return err == 0 || err == -ENOSPC || err == -EBUSY;
}

void group_commit(struct group *group)
{
    if (!group->journal->is_open)
        return;
    int err = journal_commit(group->journal);
    if (!is_known(err))
        buffer_clear(&group->answers);
    end_group(group, err);
}

void group_fail(struct group *group, int err)
{
    journal_rollback(group->journal);
    end_group(group, err);
}

void group_forget(struct group *group, const struct peer *peer)
{
    for (size_t at = 0; at < group->answers.length; at += sizeof(struct answer)) {
        struct answer *answer = (struct answer *)(group->answers.bytes + at);
        if (answer->peer == peer)
            answer->peer = NULL;
    }
}
