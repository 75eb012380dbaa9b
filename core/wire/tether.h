/* tether - a program's end of the line to the keeper that started it.
 *
 * Says HELLO, answers PING. Everything else is told; what breaks the protocol is logged and ends the
 * line as the keeper's death does: `closed`. Embedded in whatever knows more of what is said. */
#ifndef WIRE_TETHER_H
#define WIRE_TETHER_H

#include "wire/line.h"
#include "wire/talk.h"

struct tether;

struct tether_calls {
    /* Any frame but PING; negative when it is not as agreed. */
    int (*came)(struct tether *tether, const struct frame *frame);
    void (*closed)(struct tether *tether); /* may close it */
};

struct tether {
    struct line *line;
    struct buffer frame;
    const struct tether_calls *calls;
};

/* Takes over `fd`, also when it fails. */
int tether_open(struct tether *tether, struct loop *loop, int fd,
                const struct tether_calls *calls);
void tether_close(struct tether *tether);

/* Begins a frame; its fields are put into what comes back. */
struct buffer *tether_begin(struct tether *tether, enum talk_type type, uint32_t id);
/* Sends it. A keeper that takes nothing is `closed`, within this call. */
void tether_give(struct tether *tether);

/* HEALTH: `json` is for people. */
void tether_health(struct tether *tether, const char *json);

#endif
