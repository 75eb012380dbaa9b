/* keeper - see keeper.h. */
#include "rehearse/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/now.h"
#include "wire/talk.h"

enum { FETCH_MOST = 192 * 1024, ENTRY_OVERHEAD = 64 };

/* The rehearsal cannot go on. */
static void give_up(struct keeper *keeper, const char *what, int number)
{
    char text[120];
    snprintf(text, sizeof(text), "%s (%d)", what, number);
    mem_free(keeper->fault);
    keeper->fault = mem_text(text);
    loop_stop(keeper->loop);
}

static void send_frame(struct keeper *keeper, struct buffer *frame)
{
    int err = line_send(keeper->line, frame);
    buffer_free(frame);
    if (err && err != -EPIPE)
        give_up(keeper, "the host does not read what it asked for", err);
}

static void tell(struct keeper *keeper, enum talk_type type)
{
    struct buffer frame = {0};
    frame_begin(&frame, (uint8_t)type, 0);
    send_frame(keeper, &frame);
}

/* ---- Hello, start, ping */

static void hear_hello(struct keeper *keeper, const struct frame *frame)
{
    struct buffer start = {0};
    frame_begin(&start, TALK_START, frame->id);
    frame_put(&start, TAG_CONFIG, keeper->start->bytes, keeper->start->length);
    send_frame(keeper, &start);
    keeper->heard_us = now_mono_us();
    loop_timer_start(keeper->loop, &keeper->ping, KEEPER_PING_MS);
}

static void hear_pong(struct keeper *keeper, const struct frame *frame)
{
    (void)frame;
    keeper->heard_us = now_mono_us();
}

static void hear_nothing(struct keeper *keeper, const struct frame *frame)
{
    (void)keeper;
    (void)frame;
}

/* While the process waits in a device this comes late, and finds how long it has been silent. */
static void ping_again(struct loop_timer *timer)
{
    struct keeper *keeper = container_of(timer, struct keeper, ping);
    int64_t silent_us = now_mono_us() - keeper->heard_us;
    if (silent_us > KEEPER_SILENCE_MS * 1000LL) {
        trace_add(keeper->trace, "die did not answer the keeper for %lld s",
                  (long long)silent_us / 1000000);
        keeper->fate->struck = keeper->was_killed = true;
        loop_stop(keeper->loop);
        return;
    }
    tell(keeper, TALK_PING);
    loop_timer_start(keeper->loop, timer, KEEPER_PING_MS);
}

/* ---- Commits */

static void answer_commit(struct keeper *keeper, uint32_t id, int err, const char *text,
                          int64_t first)
{
    struct buffer done = {0};
    frame_begin(&done, TALK_DONE, id);
    frame_put_number(&done, TAG_ERROR, err);
    frame_put_text(&done, TAG_TEXT, text);
    frame_put_number(&done, TAG_SEQ, first);
    send_frame(keeper, &done);
}

static bool dies(struct keeper *keeper, bool after)
{
    if (!fate_strikes(keeper->fate, FATE_COMMIT, after))
        return false;
    trace_add(keeper->trace, "die %s commit", after ? "after" : "before");
    loop_stop(keeper->loop);
    return true;
}

static void make_durable(struct keeper *keeper, const struct frame *frame)
{
    struct buffer said = {0}, text = {0};
    int64_t first = -1;
    int err = ledger_commit(keeper->ledger, &frame->fields, &first, &said, &text);
    trace_add(keeper->trace, "%s %s", err ? "refuse" : "commit", buffer_text(&said));
    keeper->commits += err == 0;
    keeper->news |= first >= 0;
    if (!dies(keeper, true)) {
        answer_commit(keeper, frame->id, err, buffer_text(&text), first);
        keeper_wake(keeper);
    }
    buffer_free(&said);
    buffer_free(&text);
}

static void hear_commit(struct keeper *keeper, const struct frame *frame)
{
    keeper->before_commit(keeper->owner);
    if (keeper->fate->struck || dies(keeper, false))
        return;
    const char *refusal = fate_refusal(keeper->fate);
    if (refusal == NULL) {
        make_durable(keeper, frame);
        return;
    }
    trace_add(keeper->trace, "refuse %s", refusal);
    answer_commit(keeper, frame->id, ENOSPC, refusal, -1);
}

/* ---- Reading the store */

static void put_row(struct buffer *frame, const struct ledger_row *row)
{
    size_t mark = frame_open(frame, TAG_PUT);
    frame_put_text(frame, TAG_KEY, row->key);
    frame_put(frame, TAG_VALUE, row->value, row->length);
    frame_close(frame, mark);
}

static void read_key(const struct frame *frame, enum talk_tag tag, char *key)
{
    struct field field;
    key[0] = '\0';
    if (fields_find(&frame->fields, (uint8_t)tag, &field) == 0)
        field_text(&field, key, TALK_KEY_MAX + 1);
}

static int64_t read_number(const struct frame *frame, enum talk_tag tag,
                           int64_t otherwise)
{
    struct field field;
    int64_t number;
    if (fields_find(&frame->fields, (uint8_t)tag, &field) != 0 ||
        field_number(&field, &number) != 0)
        return otherwise;
    return number;
}

static void hear_get(struct keeper *keeper, const struct frame *frame)
{
    char key[TALK_KEY_MAX + 1];
    struct buffer values = {0};
    read_key(frame, TAG_KEY, key);
    const struct ledger_row *row = ledger_get(keeper->ledger, key);
    frame_begin(&values, TALK_VALUES, frame->id);
    if (row != NULL)
        put_row(&values, row);
    send_frame(keeper, &values);
}

static void hear_range(struct keeper *keeper, const struct frame *frame)
{
    char from[TALK_KEY_MAX + 1], until[TALK_KEY_MAX + 1];
    const struct ledger *ledger = keeper->ledger;
    struct buffer values = {0};
    read_key(frame, TAG_KEY, from);
    read_key(frame, TAG_UNTIL, until);
    int64_t left = read_number(frame, TAG_LIMIT, INT64_MAX);
    frame_begin(&values, TALK_VALUES, frame->id);
    size_t at = ledger_at(ledger, from);
    for (; at < ledger->row_count; at++) {
        const struct ledger_row *row = &ledger->rows[at];
        if (until[0] != '\0' && strcmp(row->key, until) >= 0)
            break;
        if (left-- <= 0 ||
            values.length + strlen(row->key) + row->length + ENTRY_OVERHEAD > FRAME_MAX) {
            frame_put(&values, TAG_MORE, "", 0);
            break;
        }
        put_row(&values, row);
    }
    send_frame(keeper, &values);
}

/* ---- Reading the journal */

static int put_events(const struct keeper *keeper, struct keeper_fetch *fetch,
                      struct buffer *frame)
{
    const struct ledger *ledger = keeper->ledger;
    int entries = 0;
    if (fetch->from < ledger->forgotten)
        fetch->from = ledger->forgotten;
    for (; fetch->from < ledger_end(ledger); fetch->from++) {
        const struct ledger_event *event =
            &ledger->events[fetch->from - ledger->forgotten];
        if (!word_matches(fetch->pattern, event->type))
            continue;
        if (entries == KEEPER_ENTRIES_MAX ||
            (entries > 0 &&
             frame->length + event->length + ENTRY_OVERHEAD > fetch->limit))
            break;
        size_t mark = frame_open(frame, TAG_ENTRY);
        frame_put_number(frame, TAG_SEQ, event->seq);
        frame_put_number(frame, TAG_LANE, event->lane);
        frame_put(frame, TAG_BODY, event->body, event->length);
        frame_close(frame, mark);
        entries++;
    }
    return entries;
}

static void try_answer(struct keeper *keeper, struct keeper_fetch *fetch)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_EVENTS, fetch->id);
    if (put_events(keeper, fetch, &frame) == 0) {
        buffer_free(&frame);
        return;
    }
    frame_put_number(&frame, TAG_SEQ, fetch->from);
    fetch->id = 0;
    send_frame(keeper, &frame);
}

static void hear_fetch(struct keeper *keeper, const struct frame *frame)
{
    char name[TALK_KEY_MAX + 1], pattern[TALK_KEY_MAX + 1];
    struct keeper_fetch *fetch = keeper->fetches;
    read_key(frame, TAG_PATTERN, pattern);
    while (fetch < keeper->fetches + KEEPER_FETCHES_MAX && fetch->pattern[0] != '\0' &&
           strcmp(fetch->pattern, pattern) != 0)
        fetch++;
    ASSERT(fetch < keeper->fetches + KEEPER_FETCHES_MAX); /* one a subscription */
    *fetch = (struct keeper_fetch){.id = frame->id, .limit = FETCH_MOST};
    snprintf(fetch->pattern, sizeof(fetch->pattern), "%.*s", WORD_TYPE_MAX, pattern);
    read_key(frame, TAG_NAME, name);
    fetch->from = name[0] != '\0' ? ledger_place(keeper->ledger, name)
                                  : read_number(frame, TAG_SEQ, 0);
    int64_t limit = read_number(frame, TAG_LIMIT, FETCH_MOST);
    fetch->limit = limit < FETCH_MOST ? (size_t)limit : FETCH_MOST;
    try_answer(keeper, fetch);
}

static void hear_cancel(struct keeper *keeper, const struct frame *frame)
{
    for (size_t i = 0; i < KEEPER_FETCHES_MAX; i++)
        if (keeper->fetches[i].id == frame->id)
            keeper->fetches[i].id = 0;
}

void keeper_wake(struct keeper *keeper)
{
    for (size_t i = 0; i < KEEPER_FETCHES_MAX && keeper->line != NULL; i++)
        if (keeper->fetches[i].id != 0)
            try_answer(keeper, &keeper->fetches[i]);
}

int64_t keeper_given(const struct keeper *keeper)
{
    int64_t place = ledger_end(keeper->ledger);
    for (size_t i = 0; i < KEEPER_FETCHES_MAX; i++)
        if (keeper->fetches[i].pattern[0] != '\0' && keeper->fetches[i].from < place)
            place = keeper->fetches[i].from;
    return place;
}

/* ---- Questions */

void keeper_ask(struct keeper *keeper, const char *type, const char *name,
                const struct buffer *params, const struct buffer *who)
{
    struct keeper_question *question = &keeper->question;
    struct buffer frame = {0};
    question->id++;
    question->is_answered = false;
    question->err = ETIMEDOUT;
    buffer_clear(&question->answer);
    buffer_append_text(&question->answer, "no answer in time");
    frame_begin(&frame, TALK_ASK, question->id);
    frame_put_text(&frame, TAG_TYPE, type);
    frame_put_text(&frame, TAG_KEY, name);
    frame_put(&frame, TAG_DATA, params->bytes, params->length);
    frame_put(&frame, TAG_TEXT, who->bytes, who->length);
    send_frame(keeper, &frame);
}

static void hear_answer(struct keeper *keeper, const struct frame *frame)
{
    struct keeper_question *question = &keeper->question;
    struct field field;
    if (frame->id != question->id || question->is_answered)
        return;
    question->is_answered = true;
    question->err = read_number(frame, TAG_ERROR, EPROTO);
    buffer_clear(&question->answer);
    if (fields_find(&frame->fields, question->err ? TAG_TEXT : TAG_DATA, &field) == 0)
        buffer_append(&question->answer, field.bytes, field.length);
}

/* ---- Blobs */

static void hear_spool(struct keeper *keeper, const struct frame *frame)
{
    char class[TALK_KEY_MAX + 1];
    struct buffer spooled = {0};
    int64_t number = -1;
    int fd = -1;
    read_key(frame, TAG_NAME, class);
    int err = blobs_spool(keeper->blobs, read_number(frame, TAG_LIMIT, 0), &number, &fd);
    trace_add(keeper->trace, "spool %s%s%s", class, err ? ": " : "",
              err ? strerror(err) : "");
    frame_begin(&spooled, TALK_SPOOLED, frame->id);
    frame_put_number(&spooled, TAG_ERROR, err);
    frame_put_number(&spooled, TAG_SPOOL, number);
    if (line_send_descriptor(keeper->line, &spooled, fd) != 0)
        give_up(keeper, "the host takes no pipe", err);
    buffer_free(&spooled);
}

static void hear_seal(struct keeper *keeper, const struct frame *frame)
{
    struct blob blob = {.size = 0};
    struct buffer sealed = {0};
    int err = blobs_seal(keeper->blobs, read_number(frame, TAG_SPOOL, 0), &blob);
    if (err)
        trace_add(keeper->trace, "seal: %s", strerror(err));
    else
        trace_add(keeper->trace, "seal %lld", (long long)blob.size);
    frame_begin(&sealed, TALK_SEALED, frame->id);
    frame_put_number(&sealed, TAG_ERROR, err);
    frame_put_text(&sealed, TAG_DIGEST, blob.sha256);
    frame_put_text(&sealed, TAG_SM3, blob.sm3);
    frame_put_number(&sealed, TAG_SIZE, blob.size);
    if (blob.is_known)
        frame_put(&sealed, TAG_MORE, "", 0);
    send_frame(keeper, &sealed);
}

static void hear_abandon(struct keeper *keeper, const struct frame *frame)
{
    trace_add(keeper->trace, "abandon");
    blobs_abandon(keeper->blobs, read_number(frame, TAG_SPOOL, 0));
}

/* ---- The line */

static void (*const HEARS[TALK_TYPES])(struct keeper *keeper,
                                       const struct frame *frame) = {
    [TALK_HELLO] = hear_hello, [TALK_COMMIT] = hear_commit, [TALK_GET] = hear_get,
    [TALK_RANGE] = hear_range, [TALK_FETCH] = hear_fetch,   [TALK_CANCEL] = hear_cancel,
    [TALK_PONG] = hear_pong,   [TALK_ANSWER] = hear_answer, [TALK_HEALTH] = hear_nothing,
    [TALK_SPOOL] = hear_spool, [TALK_SEAL] = hear_seal,     [TALK_ABANDON] = hear_abandon,
};

static void frame_came(void *owner, struct line *line, const struct frame *frame)
{
    struct keeper *keeper = owner;
    (void)line;
    if (keeper->fate->struck)
        return; /* sent by a process that is dead since */
    if (frame->type < TALK_TYPES && HEARS[frame->type] != NULL) {
        HEARS[frame->type](keeper, frame);
        return;
    }
    give_up(keeper, "the host sent a frame that it may not send", frame->type);
}

/* The process has ended; who owns both ends knows. */
static void line_over(void *owner, struct line *line, int why)
{
    (void)owner;
    (void)line;
    (void)why;
}

static const struct line_calls CALLS = {.came = frame_came, .closed = line_over};

int keeper_greet(struct keeper *keeper, int fd)
{
    ASSERT(keeper->line == NULL);
    memset(keeper->fetches, 0, sizeof(keeper->fetches));
    keeper->ping.fire = ping_again;
    keeper->was_killed = false;
    return line_open(&keeper->line, keeper->loop, fd, &CALLS, keeper);
}

void keeper_hang_up(struct keeper *keeper)
{
    loop_timer_stop(&keeper->ping);
    line_close(keeper->line);
    keeper->line = NULL;
}

void keeper_stop(struct keeper *keeper)
{
    tell(keeper, TALK_STOP);
}
