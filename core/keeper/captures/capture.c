/* capture - see capture.h. */
#include "keeper/captures/capture.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "keeper/captures/reel.h"
#include "keeper/control/asking.h"

static const struct {
    int err;
    const char *before, *after; /* the instance's name */
} REFUSALS[] = {
    {-ENOENT, "expected the name of an instance that runs, got ", ""},
    {-ENODATA, "nothing was recorded of ",
     ": say for how long (--for), or set record = true"},
    {-EAGAIN, "within the last minute it was kept already what was recorded of ", ""},
    {-EBUSY, "too many recordings wait to be kept, so there is no place for ", ""},
    {-EINVAL, "expected 1 ms to 24 h as the time to record ", ""},
    {-EPERM, "expected an officer or a technician to ask for what is recorded of ", ""},
};

static void answer(struct peer *asker, uint32_t id, int err, const char *instance)
{
    struct buffer why = {0};
    for (size_t i = 0; i < countof(REFUSALS); i++)
        if (REFUSALS[i].err == err)
            buffer_printf(&why, "%s%s%s", REFUSALS[i].before, instance,
                          REFUSALS[i].after);
    if (why.length == 0)
        buffer_append_text(&why, strerror(-err));
    peer_done(asker, id, err, buffer_text(&why), -1);
    buffer_free(&why);
}

static struct peer *host_of(const struct children *children, const char *instance)
{
    for (struct peer *peer = children->peers; peer != NULL; peer = peer->next)
        if (peer->role == PEER_HOST && peer->is_ready && peer->reel != NULL &&
            strcmp(peer->name, instance) == 0)
            return peer;
    return NULL;
}

static void record(struct peer *host, int64_t ms, const char *who)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_RECORD, 0);
    frame_put_number(&frame, TAG_LIMIT, ms);
    peer_send(host, &frame);
    buffer_free(&frame);
    reel_freeze_after(host->reel, ms, who);
}

static int keep(const struct children *children, const struct peer *asker,
                const char *instance, int64_t ms)
{
    struct access_who who;
    struct peer *host = host_of(children, instance);
    access_local(&who, json_get(children->asking->config->json, "access"), asker->uid);
    if (!(who.roles & (ACCESS_OFFICER | ACCESS_TECHNICIAN)))
        return -EPERM;
    if (host == NULL)
        return -ENOENT;
    if (ms < 0 || ms > REEL_RECORD_MAX_MS)
        return -EINVAL;
    if (ms == 0)
        return reel_freeze(host->reel, "asked", who.name);
    record(host, ms, who.name);
    return 0;
}

int capture_hear(struct children *children, struct peer *asker, const struct frame *frame)
{
    char instance[WORD_ID_MAX + 1];
    struct field field;
    int64_t ms = 0;
    if (children->asking == NULL || fields_find(&frame->fields, TAG_NAME, &field) != 0 ||
        field_text(&field, instance, sizeof(instance)) != 0 || !word_is_id(instance) ||
        fields_find(&frame->fields, TAG_LIMIT, &field) != 0 ||
        field_number(&field, &ms) != 0)
        return -EPROTO;
    answer(asker, frame->id, keep(children, asker, instance, ms), instance);
    return 0;
}
