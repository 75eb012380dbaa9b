/* freeze - see freeze.h.
 *
 * One question after the other: START -> SPOOL -> the bytes, waiting -> SEAL -> COMMIT. */
#include "host/tap/freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/json.h"
#include "base/log.h"
#include "base/now.h"
#include "host/boundary/confine.h"
#include "host/instance/effects.h"
#include "host/instance/keeperline.h"
#include "host/instance/plugin.h"
#include "host/lines/stream.h"
#include "wire/pcapng.h"
#include "wire/ring.h"
#include "wire/talk.h"

enum { WRITE_MS = 30 * 1000 };

static const int64_t KEEP_MS = 30LL * 86400000, UTC_MOST_US = 253402300800000000;
static const char TYPE[] = "capture.recorded";

struct freeze {
    struct loop *loop;
    struct keeperline *line;
    struct question question;
    struct stream stream;
    struct ring_copy copy;
    struct json *start;
    struct buffer file; /* pcapng */
    int64_t spool;
    int64_t from_us, until_us; /* of the pieces */
    int64_t pieces;
    char digest[TALK_DIGEST_HEX + 1];
    int code;
};

static void end(struct freeze *freeze, const char *what, int64_t err)
{
    if (err)
        log_error("%s: device bytes are not kept: %s: %s",
                  freeze->start ? json_text(freeze->start, "instance") : "freeze", what,
                  strerror((int)err));
    freeze->code = err ? PLUGIN_BROKEN : PLUGIN_ENDED;
    loop_stop(freeze->loop);
}

static int64_t number_in(const struct frame *frame, enum talk_tag tag, int64_t otherwise)
{
    struct field field;
    int64_t number = otherwise;
    if (fields_find(&frame->fields, (uint8_t)tag, &field) == 0)
        field_number(&field, &number);
    return number;
}

static void ask(struct freeze *freeze, struct buffer *frame,
                void (*answered)(struct question *question, const struct frame *frame))
{
    freeze->question.answered = answered;
    int err = keeperline_ask(freeze->line, &freeze->question, frame);
    buffer_free(frame);
    if (err)
        end(freeze, "the keeper takes no question", -err);
}

/* ---- The event */

static void print_event(const struct freeze *freeze, struct buffer *out)
{
    static const char *const TEXTS[] = {"instance", "plugin", "reason"};
    char from[NOW_TEXT_ROOM], until[NOW_TEXT_ROOM];
    now_format(from, freeze->from_us);
    now_format(until, freeze->until_us);
    buffer_append_text(out, "{");
    for (size_t i = 0; i < countof(TEXTS); i++) {
        buffer_printf(out, "\"%s\":", TEXTS[i]);
        json_put_text(out, json_text(freeze->start, TEXTS[i]));
        buffer_append_text(out, ",");
    }
    if (json_text(freeze->start, "who") != NULL) {
        buffer_append_text(out, "\"who\":");
        json_put_text(out, json_text(freeze->start, "who"));
        buffer_append_text(out, ",");
    }
    buffer_printf(out,
                  "\"sha256\":\"%s\",\"size\":%zu,\"from\":\"%s\",\"until\":\"%s\","
                  "\"pieces\":%" PRId64 ",\"suppressed\":%" PRId64 "}",
                  freeze->digest, freeze->file.length, from, until, freeze->pieces,
                  json_number(freeze->start, "suppressed", 0));
}

static void committed(struct question *question, const struct frame *frame)
{
    struct freeze *freeze = container_of(question, struct freeze, question);
    end(freeze, "the commit was refused", number_in(frame, TAG_ERROR, EPROTO));
}

static void commit(struct freeze *freeze)
{
    struct effects effects = {0};
    const struct effects_event event = {.type = TYPE, .subject = "office"};
    const struct effects_blob blob = {.digest = freeze->digest,
                                      .class = CLASS_CAPTURE,
                                      .keep_ms = KEEP_MS,
                                      .erases = true};
    print_event(freeze, effects_event_begin(&effects, &event));
    int err = effects_event_end(&effects);
    if (!err)
        err = effects_blob(&effects, &blob);
    ASSERT(err == 0);
    effects.frame.length = effects.whole;
    ask(freeze, &effects.frame, committed);
}

/* ---- The blob */

static void sealed(struct question *question, const struct frame *frame)
{
    struct freeze *freeze = container_of(question, struct freeze, question);
    struct field digest;
    int64_t err = number_in(frame, TAG_ERROR, EPROTO);
    if (!err && (fields_find(&frame->fields, TAG_DIGEST, &digest) != 0 ||
                 field_text(&digest, freeze->digest, sizeof(freeze->digest)) != 0))
        err = EPROTO;
    if (err)
        end(freeze, "it was not stored", err);
    else
        commit(freeze);
}

static void written(struct stream *stream)
{
    struct freeze *freeze = container_of(stream, struct freeze, stream);
    struct buffer frame = {0};
    if (stream->write_err == -ETIMEDOUT) {
        end(freeze, "the disk did not take it in time", ETIMEDOUT);
        return;
    }
    stream_close(stream); /* what went wrong SEALED says */
    frame_begin(&frame, TALK_SEAL, 0);
    frame_put_number(&frame, TAG_SPOOL, freeze->spool);
    ask(freeze, &frame, sealed);
}

static void spooled(struct question *question, const struct frame *frame)
{
    struct freeze *freeze = container_of(question, struct freeze, question);
    int64_t err = number_in(frame, TAG_ERROR, EPROTO);
    int fd = keeperline_take_descriptor(freeze->line);
    freeze->spool = number_in(frame, TAG_SPOOL, -1);
    if (!err && (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0))
        err = EPROTO;
    if (err) {
        end(freeze, "there is no place for it", err);
        return;
    }
    stream_open(&freeze->stream, freeze->loop, fd, false);
    if (stream_write(&freeze->stream, freeze->file.bytes, freeze->file.length,
                     WRITE_MS) != -EINPROGRESS)
        written(&freeze->stream);
}

/* ---- The file */

/* A mad writer may have put any number there; an event says a year of four digits. */
static int64_t sane(int64_t utc_us)
{
    return utc_us >= 0 && utc_us < UTC_MOST_US ? utc_us : 0;
}

static void write_file(struct freeze *freeze)
{
    struct buffer comment = {0};
    struct ring_piece piece;
    json_print(&comment, freeze->start);
    pcapng_begin(&freeze->file, buffer_text(&comment));
    for (int i = 0; i < freeze->copy.names; i++)
        pcapng_device(&freeze->file, ring_copy_name(&freeze->copy, i));
    for (; ring_next(&freeze->copy, &piece) == 1; freeze->pieces++) {
        const struct pcapng_piece packet = {piece.name, piece.way == RING_OUT,
                                            piece.utc_us, piece.bytes, piece.length};
        pcapng_piece(&freeze->file, &packet);
        if (freeze->pieces == 0)
            freeze->from_us = sane(piece.utc_us);
        freeze->until_us = sane(piece.utc_us);
    }
    buffer_free(&comment);
}

static bool is_order(const struct json *start)
{
    return json_text(start, "instance") != NULL && json_text(start, "plugin") != NULL &&
           json_text(start, "reason") != NULL;
}

static void keeper_starts(void *owner, const char *config, size_t length)
{
    struct freeze *freeze = owner;
    struct confine_wish wish = {.folders = {NULL}};
    struct confine told;
    struct buffer frame = {0};
    int err = confine(&told, &wish);
    if (!err)
        err = json_parse(&freeze->start, config, length);
    if (err || !is_order(freeze->start)) {
        end(freeze, "START makes no sense, or it cannot be confined",
            err ? -err : EPROTO);
        return;
    }
    write_file(freeze);
    if (freeze->pieces == 0) {
        end(freeze, "", 0);
        return;
    }
    frame_begin(&frame, TALK_SPOOL, 0);
    frame_put_text(&frame, TAG_NAME, talk_class_name(CLASS_CAPTURE));
    frame_put_number(&frame, TAG_LIMIT, (int64_t)freeze->file.length);
    ask(freeze, &frame, spooled);
}

static void keeper_stops(void *owner)
{
    end(owner, "the keeper stops", ECANCELED);
}

static void keeper_lost(void *owner, int why)
{
    end(owner, "the line to the keeper is over", why ? -why : EPIPE);
}

static void keeper_asks(void *owner, const struct frame *frame)
{
    (void)owner;
    (void)frame;
}

static const struct keeperline_calls CALLS = {.start = keeper_starts,
                                              .stop = keeper_stops,
                                              .asked = keeper_asks,
                                              .lost = keeper_lost};

int freeze_run(int line, int ring)
{
    struct freeze freeze = {.stream.write_over = written};
    log_open("freeze");
    signal(SIGPIPE, SIG_IGN);
    int err = loop_open(&freeze.loop);
    if (!err)
        err = ring_copy_take(&freeze.copy, ring);
    close(ring);
    if (!err)
        err = keeperline_open(&freeze.line, freeze.loop, line, &CALLS, &freeze);
    if (!err)
        loop_run(freeze.loop);
    else
        log_error("cannot freeze a ring: %s", strerror(-err));
    stream_drop(&freeze.stream);
    keeperline_close(freeze.line);
    loop_close(freeze.loop);
    ring_copy_free(&freeze.copy);
    buffer_free(&freeze.file);
    json_free(freeze.start);
    return err ? PLUGIN_BROKEN : freeze.code;
}
