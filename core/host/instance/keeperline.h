/* keeperline - the plugin's only way out: questions to the keeper and its answers.
 *
 * A question is embedded in who asks. Its answer comes once, from the loop; the frame is valid
 * only during the call. An asker that goes away forgets its question first. When the line is gone
 * or the keeper says what it must not, `lost` is called and nothing comes any more. */
#ifndef HOST_INSTANCE_KEEPERLINE_H
#define HOST_INSTANCE_KEEPERLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/loop.h"
#include "wire/frame.h"

struct keeperline;

struct keeperline_calls {
    void (*start)(void *owner, const char *config, size_t length);
    void (*stop)(void *owner);
    /* PING came: appends what the PONG shall say beside. NULL: nothing. */
    void (*ping)(void *owner, struct buffer *pong);
    void (*record)(void *owner, int64_t ms); /* NULL: nothing can be recorded */
    void (*asked)(void *owner,
                  const struct frame *frame); /* to be answered with its id */
    void (*lost)(void *owner, int why);
};

struct question {
    void (*answered)(struct question *question, const struct frame *frame);
    struct keeperline *line; /* NULL while nothing is asked */
    uint32_t id;
    struct question *next;
    struct question **link;
};

/* Takes over `fd` and says HELLO. */
int keeperline_open(struct keeperline **out, struct loop *loop, int fd,
                    const struct keeperline_calls *calls, void *owner);
void keeperline_close(struct keeperline *line);

/* Asks what the frame says; its id is filled in. 0, -ENOBUFS (for commits sooner) or -EPIPE. */
int keeperline_ask(struct keeperline *line, struct question *question,
                   struct buffer *frame);
/* Its answer will not be heard. Fine for a question that is not asked. */
void keeperline_forget(struct question *question);

/* Inside `answered`: the descriptor that came with the answer, the caller's from now on; -1: none. */
int keeperline_take_descriptor(struct keeperline *line);

/* Sends a frame that nobody answers. */
int keeperline_tell(struct keeperline *line, const struct buffer *frame);

#endif
