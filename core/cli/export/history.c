/* history - see history.h. */
#include "cli/export/history.h"

#include <errno.h>
#include <string.h>

static int take(void *owner, uint64_t seq, const void *body, size_t length)
{
    struct history *history = owner;
    struct history_event event = {seq, history->bodies.length, length};
    if (history_count(history) == HISTORY_MAX ||
        history->bodies.length + length > HISTORY_BYTES_MAX)
        return -E2BIG;
    buffer_append(&history->events, &event, sizeof(event));
    buffer_append(&history->bodies, body, length);
    return 0;
}

int history_each(struct archive *archive, const char *sha256, uint64_t from,
                 uint64_t *unread,
                 int (*each)(void *owner, uint64_t seq, const void *body, size_t length),
                 void *owner)
{
    uint64_t size = archive_size(archive);
    size_t digits = strlen(sha256);
    int err = 0;
    for (uint64_t seq = from; seq < size && !err; seq++) {
        const void *body;
        size_t length;
        int missing = archive_event(archive, seq, &body, &length);
        if (missing)
            *unread += missing != -ENODATA;
        else if (memmem(body, length, sha256, digits) != NULL)
            err = each(owner, seq, body, length);
    }
    return err;
}

int history_gather(struct history *history, struct archive *archive, const char *sha256,
                   uint64_t from)
{
    return history_each(archive, sha256, from, &history->unread, take, history);
}

const char *history_first(struct archive *archive, const char *sha256, uint64_t from,
                          uint64_t most, size_t *length)
{
    uint64_t size = archive_size(archive);
    for (uint64_t seq = from; seq < size && seq - from < most; seq++) {
        const void *body;
        if (archive_event(archive, seq, &body, length) == 0 &&
            memmem(body, *length, sha256, strlen(sha256)) != NULL)
            return body;
    }
    return NULL;
}

void history_free(struct history *history)
{
    buffer_free(&history->events);
    buffer_free(&history->bodies);
}

size_t history_count(const struct history *history)
{
    return history->events.length / sizeof(struct history_event);
}

const struct history_event *history_at(const struct history *history, size_t i)
{
    return (const struct history_event *)(const void *)history->events.bytes + i;
}

const char *history_body(const struct history *history, const struct history_event *event)
{
    return history->bodies.bytes + event->start;
}
