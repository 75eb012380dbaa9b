/* keeperline - the courier's end of the line to the keeper.
 *
 * Says HELLO, answers PING, and turns frames into calls. One question is open at a time. A frame that
 * breaks the protocol is logged and ends the line like the keeper's death does: `closed`. What a call
 * is given is valid only during the call. */
#ifndef COURIER_KEEPERLINE_H
#define COURIER_KEEPERLINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/loop.h"
#include "wire/frame.h"
#include "wire/talk.h"

struct keeperline;

struct keeperline_calls {
    void (*start)(void *owner, const void *config, size_t length);
    /* The answer to keeperline_list(): its ENTRY fields. */
    void (*listed)(void *owner, const struct fields *entries);
    /* To keeperline_note() and keeperline_handover(): 0 or a negative errno, and its words. */
    void (*done)(void *owner, int err, const char *text);
    /* To keeperline_draw(): `pipe` is the owner's, or -1 with a negative errno. */
    void (*drawn)(void *owner, int pipe, int err, const char *text);
    void (*stop)(void *owner);
    void (*closed)(void *owner);
};

/* Takes over `fd`. */
int keeperline_open(struct keeperline **out, struct loop *loop, int fd,
                    const struct keeperline_calls *calls, void *owner);
void keeperline_close(struct keeperline *keeper);

void keeperline_list(struct keeperline *keeper);
void keeperline_note(struct keeperline *keeper, const char *sha256,
                     const struct buffer *note);
/* The same, and it is set aside for so long from now, because of `why`. */
void keeperline_set_aside(struct keeperline *keeper, const char *sha256,
                          const struct buffer *note, int64_t ms, const char *why);
void keeperline_draw(struct keeperline *keeper, const char *sha256, int64_t offset);
void keeperline_handover(struct keeperline *keeper, const struct buffer *note);

void keeperline_health(struct keeperline *keeper, const char *json);

#endif
