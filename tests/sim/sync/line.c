/* line - stands in for wire/line.c: the one line between the keeper and its uplink.
 *
 * Frames come in order, a moment later. When one end dies, what it had sent still comes, and then
 * the other end is told. */
#include "wire/line.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "chance.h"
#include "clock.h"
#include "thread.h"

enum { FRAME_US = 60, QUEUE_MOST = 4096 };

struct line {
    const struct line_calls *calls;
    void *owner;
    int end;
};

/* Of the line to come or the one that is there; both ends are closed before the next one. */
static struct line *ends[THREAD_ENDS];
static int64_t last_us[THREAD_ENDS]; /* the last arrival at that end */
static int epoch, waiting;

static const enum actor ACTOR_OF[THREAD_ENDS] = {
    [THREAD_UPLINK] = ACTOR_UPLINK, [THREAD_KEEPER] = ACTOR_KEEPER};

struct parcel {
    int end, epoch;
    size_t length;
    char bytes[];
};

void thread_begin(void)
{
    memset(ends, 0, sizeof(ends));
    memset(last_us, 0, sizeof(last_us));
    epoch++;
    waiting = 0;
}

static int end_of(int fd)
{
    return fd == LINE_CHILD_FD ? THREAD_UPLINK : THREAD_KEEPER;
}

int line_open(struct line **out, struct loop *loop, int fd,
              const struct line_calls *calls, void *owner)
{
    struct line *line = mem_new(struct line);
    (void)loop;
    line->calls = calls;
    line->owner = owner;
    line->end = end_of(fd);
    ends[line->end] = line;
    *out = line;
    return 0;
}

static void hear(void *owner)
{
    struct parcel *parcel = owner;
    struct line *line = ends[parcel->end];
    struct frame frame;
    int err = frame_read(&frame, parcel->bytes, parcel->length);
    ASSERT(err == 0);
    line->calls->came(line->owner, line, &frame);
}

static void tell_closed(void *owner)
{
    struct parcel *parcel = owner;
    struct line *line = ends[parcel->end];
    line->calls->closed(line->owner, line, 0);
}

/* The parcel is the world's: its hearer may die over it. */
static void arrive(void *owner)
{
    struct parcel *parcel = owner;
    if (parcel->epoch == epoch) {
        waiting--;
        if (ends[parcel->end] != NULL)
            actor_act(ACTOR_OF[parcel->end], parcel->length > 0 ? hear : tell_closed,
                      parcel);
    }
    mem_free(parcel);
}

/* Without bytes: that the other end is gone. */
static void post(int end, const void *bytes, size_t length)
{
    struct parcel *parcel = actor_keep(NULL, sizeof(*parcel) + length);
    parcel->end = end;
    parcel->epoch = epoch;
    parcel->length = length;
    if (length > 0)
        memcpy(parcel->bytes, bytes, length);
    int64_t at = clock_us() + 1 + chance_below(FRAME_US);
    if (at <= last_us[end])
        at = last_us[end] + 1;
    last_us[end] = at;
    waiting++;
    ASSERT(waiting < QUEUE_MOST);
    clock_at(at, ACTOR_WORLD, arrive, parcel);
}

int line_send(struct line *line, const struct buffer *frame)
{
    actor_risk();
    if (ends[1 - line->end] != NULL)
        post(1 - line->end, frame->bytes, frame->length);
    return 0;
}

void thread_cut(enum thread_end end)
{
    if (ends[end] == NULL)
        return;
    ends[end] = NULL;
    if (ends[1 - end] != NULL)
        post(1 - (int)end, NULL, 0);
}

void line_close(struct line *line)
{
    if (line == NULL)
        return;
    if (ends[line->end] == line)
        thread_cut((enum thread_end)line->end);
    mem_free(line);
}

/* Only for hosts. */
void line_pause(struct line *line, int64_t ms)
{
    (void)line;
    (void)ms;
}

void line_shut(struct line *line)
{
    post(line->end, NULL, 0);
}

size_t line_queued(const struct line *line)
{
    (void)line;
    return 0;
}

/* Nobody in the simulation is handed a descriptor. */
int line_send_descriptor(struct line *line, const struct buffer *frame, int fd)
{
    ASSERT(fd < 0);
    return line_send(line, frame);
}
