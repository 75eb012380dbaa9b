/* peer - see peer.h. */
#include "keeper/children/peer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

void peer_end(struct peer *peer)
{
    peer->is_ended = true;
    line_shut(peer->line);
}

void peer_send_descriptor(struct peer *peer, const struct buffer *frame, int fd)
{
    if (peer->is_ended) {
        if (fd >= 0)
            close(fd);
        return;
    }
    int err = line_send_descriptor(peer->line, frame, fd);
    if (err == 0 || err == -EPIPE)
        return; /* a line that is over says so by itself */
    log_warn("%s: does not take its answers (%zu bytes wait): %s; ended", peer->name,
             line_queued(peer->line), strerror(-err));
    peer_end(peer);
}

void peer_send(struct peer *peer, const struct buffer *frame)
{
    peer_send_descriptor(peer, frame, -1);
}

void peer_tell(struct peer *peer, enum talk_type type)
{
    struct buffer frame = {0};
    frame_begin(&frame, (uint8_t)type, 0);
    peer_send(peer, &frame);
    buffer_free(&frame);
}

void peer_done(struct peer *peer, uint32_t id, int err, const char *text, int64_t seq)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_DONE, id);
    frame_put_number(&frame, TAG_ERROR, -err);
    if (err)
        frame_put_text(&frame, TAG_TEXT, text);
    frame_put_number(&frame, TAG_SEQ, seq);
    peer_send(peer, &frame);
    buffer_free(&frame);
}
