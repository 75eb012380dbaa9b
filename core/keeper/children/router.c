/* router - see router.h.
 *
 * Invariant: a fetch in the list has looked at every committed event before its `from`, and wants
 * none of them. */
#include "keeper/children/router.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "keeper/journal/scan.h"

enum { ENTRY_OVERHEAD = 64 };

struct fetch {
    struct peer *peer;
    uint32_t id;
    int lane; /* -1 any */
    char pattern[WORD_TYPE_MAX + 1];
    int64_t from;
    size_t limit;
    struct fetch *next;
};

/* An EVENTS frame being filled. */
struct filling {
    struct buffer frame;
    int entries;
    size_t limit;
};

void router_open(struct router *router, struct journal *journal)
{
    *router = (struct router){.journal = journal, .broken = -1};
}

void router_close(struct router *router)
{
    while (router->fetches != NULL)
        router_forget(router, router->fetches->peer);
}

static int put_entry(void *owner, const struct store_event *event)
{
    struct filling *filling = owner;
    size_t after = filling->frame.length + event->length + ENTRY_OVERHEAD;
    if (filling->entries == ROUTER_ENTRIES_MAX ||
        (filling->entries > 0 && after > filling->limit))
        return 1;
    size_t mark = frame_open(&filling->frame, TAG_ENTRY);
    frame_put_number(&filling->frame, TAG_SEQ, event->seq);
    frame_put_number(&filling->frame, TAG_LANE, event->lane);
    frame_put(&filling->frame, TAG_BODY, event->body, event->length);
    frame_close(&filling->frame, mark);
    filling->entries++;
    return 0;
}

static void say_broken(struct router *router, int64_t seq, int err)
{
    if (router->unreadable != NULL)
        router->unreadable(router->owner, seq);
    if (router->broken == seq)
        return;
    router->broken = seq;
    log_error("journal: event %" PRId64 " cannot be read (%s); what follows it waits",
              seq, strerror(-err));
}

/* Whether the fetch has been answered. */
static bool try_answer(struct router *router, struct fetch *fetch)
{
    struct scan_filter filter = {fetch->lane, fetch->pattern[0] ? fetch->pattern : NULL};
    struct filling filling = {.limit = fetch->limit};
    frame_begin(&filling.frame, TALK_EVENTS, fetch->id);
    int err = scan_events(router->journal, &filter, &fetch->from, put_entry, &filling);
    if (err)
        say_broken(router, fetch->from, err);
    bool answered = filling.entries > 0 || (!err && fetch->from < router->journal->size);
    if (answered) {
        frame_put_number(&filling.frame, TAG_SEQ, fetch->from);
        peer_send(fetch->peer, &filling.frame);
    }
    buffer_free(&filling.frame);
    return answered;
}

static int read_part(struct fetch *fetch, const struct field *field, char *name)
{
    int64_t number = 0;
    if (field->tag == TAG_PATTERN)
        return field_text(field, fetch->pattern, sizeof(fetch->pattern));
    if (field->tag == TAG_NAME)
        return field_text(field, name, WORD_ID_MAX + 1);
    if (field_number(field, &number) != 0 || number < 0)
        return -EPROTO;
    if (field->tag == TAG_LANE && number < LANES)
        fetch->lane = (int)number;
    else if (field->tag == TAG_SEQ)
        fetch->from = number;
    else if (field->tag == TAG_LIMIT)
        fetch->limit = number < ROUTER_LIMIT_MAX ? (size_t)number : ROUTER_LIMIT_MAX;
    else
        return -EPROTO;
    return 0;
}

static int read_fetch(struct router *router, struct fetch *fetch,
                      const struct frame *frame)
{
    char name[WORD_ID_MAX + 1] = "";
    struct fields fields = frame->fields;
    struct field field;
    int more, err = 0;
    while (!err && (more = fields_next(&fields, &field)) != 0)
        err = more < 0 ? more : read_part(fetch, &field, name);
    if (err)
        return -EPROTO;
    if (fetch->pattern[0] != '\0' && !word_is_pattern(fetch->pattern))
        return -EPROTO;
    if (name[0] == '\0')
        return 0;
    err = store_get_cursor(router->journal->store, fetch->peer->name, name, &fetch->from);
    fetch->from =
        fetch->from < router->journal->size ? fetch->from + 1 : router->journal->size;
    return err;
}

static int count_of(const struct router *router, const struct peer *peer)
{
    int count = 0;
    for (const struct fetch *fetch = router->fetches; fetch != NULL; fetch = fetch->next)
        count += fetch->peer == peer;
    return count;
}

int router_fetch(struct router *router, struct peer *peer, const struct frame *frame)
{
    if (count_of(router, peer) == TALK_FETCHES_MAX)
        return -ENOBUFS;
    struct fetch *fetch = mem_new(struct fetch);
    fetch->peer = peer;
    fetch->id = frame->id;
    fetch->lane = -1;
    fetch->limit = ROUTER_LIMIT_MAX;
    int err = read_fetch(router, fetch, frame);
    if (err || try_answer(router, fetch)) {
        mem_free(fetch);
        return err;
    }
    fetch->next = router->fetches;
    router->fetches = fetch;
    return 0;
}

static void drop(struct fetch **link)
{
    struct fetch *gone = *link;
    *link = gone->next;
    mem_free(gone);
}

void router_cancel(struct router *router, const struct peer *peer, uint32_t id)
{
    for (struct fetch **link = &router->fetches; *link != NULL; link = &(*link)->next)
        if ((*link)->peer == peer && (*link)->id == id) {
            drop(link);
            return;
        }
}

void router_forget(struct router *router, const struct peer *peer)
{
    struct fetch **link = &router->fetches;
    while (*link != NULL)
        if ((*link)->peer == peer)
            drop(link);
        else
            link = &(*link)->next;
}

void router_wake(struct router *router)
{
    struct fetch **link = &router->fetches;
    while (*link != NULL)
        if (try_answer(router, *link))
            drop(link);
        else
            link = &(*link)->next;
}
