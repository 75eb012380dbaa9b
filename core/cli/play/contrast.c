/* contrast - see contrast.h.
 *
 * Both are read in the order of time, always the older of the two next. What has found no match waits,
 * as long as the tolerance, in the order of its time and in a bucket of its type and subject. */
#include "cli/play/contrast.h"

#include <string.h>

#include "base/base.h"
#include "base/mem.h"

enum { BUCKETS = 4096, SIDES = 2, REFERENCE = 0 };

#ifdef SMALL_BOUNDS
enum { WAITING_MAX = 16 };
#else
enum { WAITING_MAX = 20000 }; /* on a side; beyond that the oldest waits no longer */
#endif

struct waiting {
    struct spool_event event;
    struct waiting *newer;  /* of the same side */
    struct waiting *next;   /* in the same bucket */
    struct waiting *before; /* of the same side, the next older */
    uint32_t data_hash;
};

struct side {
    struct spool *spool;
    struct spool_event next;
    bool has_next;
    struct waiting *oldest, *newest;
    int count;
    struct waiting *buckets[BUCKETS];
};

struct table {
    struct contrast *contrast;
    struct side sides[SIDES];
};

static uint32_t hash_more(uint32_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619U;
    return hash;
}

static struct waiting **bucket_of(struct side *side, const struct spool_event *event)
{
    uint32_t hash = hash_more(hash_more(2166136261U, event->type), event->subject);
    return &side->buckets[hash % BUCKETS];
}

/* ---- Who waits */

static void put_waiting(struct side *side, const struct spool_event *event)
{
    struct waiting *waiting = mem_new(struct waiting);
    waiting->event = *event;
    waiting->data_hash = hash_more(2166136261U, event->data);
    struct waiting **link = bucket_of(side, event);
    while (*link != NULL)
        link = &(*link)->next;
    *link = waiting;
    waiting->before = side->newest;
    if (side->newest != NULL)
        side->newest->newer = waiting;
    else
        side->oldest = waiting;
    side->newest = waiting;
    side->count++;
}

/* Takes it out of both lists; the event is the caller's. */
static struct spool_event take_waiting(struct side *side, struct waiting **link)
{
    struct waiting *waiting = *link;
    struct spool_event event = waiting->event;
    *link = waiting->next;
    if (waiting->before != NULL)
        waiting->before->newer = waiting->newer;
    else
        side->oldest = waiting->newer;
    if (waiting->newer != NULL)
        waiting->newer->before = waiting->before;
    else
        side->newest = waiting->before;
    side->count--;
    mem_free(waiting);
    return event;
}

/* The oldest of the side that is like the event, with the same data or with any; NULL: none. */
static struct waiting **find_like(struct side *side, const struct spool_event *event,
                                  int64_t within_us, bool same_data)
{
    uint32_t hash = same_data ? hash_more(2166136261U, event->data) : 0;
    for (struct waiting **link = bucket_of(side, event); *link != NULL;
         link = &(*link)->next) {
        const struct spool_event *other = &(*link)->event;
        int64_t apart_us = other->at_us - event->at_us;
        if (apart_us <= within_us && apart_us >= -within_us &&
            (!same_data ||
             ((*link)->data_hash == hash && strcmp(other->data, event->data) == 0)) &&
            strcmp(other->type, event->type) == 0 &&
            strcmp(other->subject, event->subject) == 0)
            return link;
    }
    return NULL;
}

/* ---- What differs */

static void count_it(struct contrast *contrast, enum contrast_kind kind,
                     const struct spool_event *event)
{
    size_t at = 0;
    contrast->differences++;
    contrast->lanes[event->lane][kind]++;
    while (at < contrast->type_count &&
           strcmp(contrast->types[at].type, event->type) != 0)
        at++;
    if (at == SPOOL_TYPES_MAX)
        return;
    if (at == contrast->type_count) {
        contrast->type_count++;
        strcpy(contrast->types[at].type, event->type);
        contrast->types[at].lane = event->lane;
    }
    contrast->types[at].counts[kind]++;
}

/* Takes over `event` and `was`. */
static void tell(struct contrast *contrast, enum contrast_kind kind,
                 struct spool_event *event, char *was)
{
    count_it(contrast, kind, event);
    if ((int64_t)contrast_example_count(contrast) >= contrast->limit) {
        mem_free(event->data);
        mem_free(was);
        return;
    }
    struct contrast_example example = {kind, *event, was};
    buffer_append(&contrast->examples, &example, sizeof(example));
}

/* The oldest of the side waits no longer. */
static void give_up_oldest(struct table *table, int which)
{
    struct side *side = &table->sides[which], *other = &table->sides[!which];
    struct waiting **link = bucket_of(side, &side->oldest->event);
    while (*link != side->oldest)
        link = &(*link)->next;
    struct spool_event event = take_waiting(side, link);
    link = find_like(other, &event, table->contrast->within_us, false);
    if (link == NULL && which == REFERENCE &&
        (event.at_us < table->contrast->from_us ||
         event.at_us > table->contrast->until_us)) {
        table->contrast->passed_over++;
        mem_free(event.data);
        return;
    }
    if (link == NULL) {
        tell(table->contrast, which == REFERENCE ? CONTRAST_FEWER : CONTRAST_MORE, &event,
             NULL);
        return;
    }
    struct spool_event partner = take_waiting(other, link);
    struct spool_event *is = which == REFERENCE ? &partner : &event;
    struct spool_event *was = which == REFERENCE ? &event : &partner;
    tell(table->contrast, CONTRAST_OTHER, is, was->data);
}

/* ---- Both sides */

/* 0 or a negative errno; has_next says whether there is one. */
static int read_next(struct contrast *contrast, struct side *side)
{
    int more;
    while ((more = spool_next(side->spool, &side->next)) == 1 &&
           contrast->passes != NULL &&
           !contrast->passes(contrast->owner, side->next.type))
        mem_free(side->next.data);
    side->has_next = more == 1;
    return more < 0 ? more : 0;
}

static void meet(struct table *table, int which)
{
    struct side *side = &table->sides[which], *other = &table->sides[!which];
    const struct contrast *contrast = table->contrast;
    for (int i = 0; i < SIDES; i++)
        while (table->sides[i].oldest != NULL &&
               table->sides[i].oldest->event.at_us <
                   side->next.at_us - contrast->within_us)
            give_up_oldest(table, i);
    struct waiting **link = find_like(other, &side->next, contrast->within_us, true);
    if (link != NULL) {
        struct spool_event event = take_waiting(other, link);
        mem_free(event.data);
        mem_free(side->next.data);
        return;
    }
    if (side->count == WAITING_MAX)
        give_up_oldest(table, which);
    put_waiting(side, &side->next);
}

static int older_of(const struct side sides[SIDES])
{
    if (!sides[0].has_next || !sides[1].has_next)
        return sides[0].has_next ? 0 : 1;
    return sides[0].next.at_us <= sides[1].next.at_us ? 0 : 1;
}

int contrast_run(struct contrast *contrast, struct spool *reference, struct spool *spool)
{
    struct table *table = mem_new(struct table);
    table->contrast = contrast;
    table->sides[REFERENCE].spool = reference;
    table->sides[1].spool = spool;
    int err = read_next(contrast, &table->sides[0]);
    if (!err)
        err = read_next(contrast, &table->sides[1]);
    while (!err && (table->sides[0].has_next || table->sides[1].has_next)) {
        int which = older_of(table->sides);
        meet(table, which);
        err = read_next(contrast, &table->sides[which]);
    }
    for (int i = 0; i < SIDES; i++)
        while (table->sides[i].oldest != NULL)
            give_up_oldest(table, i);
    for (int i = 0; i < SIDES; i++)
        if (table->sides[i].has_next)
            mem_free(table->sides[i].next.data);
    mem_free(table);
    return err;
}

void contrast_free(struct contrast *contrast)
{
    for (size_t i = 0; i < contrast_example_count(contrast); i++) {
        const struct contrast_example *example = contrast_example(contrast, i);
        mem_free(example->event.data);
        mem_free(example->was);
    }
    buffer_free(&contrast->examples);
}

const struct contrast_example *contrast_example(const struct contrast *contrast, size_t i)
{
    return (const struct contrast_example *)contrast->examples.bytes + i;
}

size_t contrast_example_count(const struct contrast *contrast)
{
    return contrast->examples.length / sizeof(struct contrast_example);
}

const char *contrast_kind_name(enum contrast_kind kind)
{
    static const char *const NAMES[CONTRAST_KINDS] = {"fewer", "more", "other"};
    return NAMES[kind];
}
