/* hearsay - see hearsay.h. */
#include "keeper/children/hearsay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "base/now.h"

enum {
    PART = 4096,
    TURN_PARTS = 4,  /* before the others have their turn */
    END_PARTS = 256, /* more than a pipe holds */
    PAUSE_MS = 100,
    SECOND_US = 1000 * 1000
};

static const char SAID_BY[] = "host: "; /* in each line that a host logs */

/* ---- One line */

/* Behind the time and the level of a line that a host has logged; NULL when it is no such line. */
static const char *find_text(const char *line, const char **level)
{
    const char *at = strchr(line, ' ');
    if (at == NULL || at == line || at[-1] != 'Z' || at - line >= NOW_TEXT_ROOM)
        return NULL;
    const char *word = log_level(++at);
    if (word == NULL)
        return NULL;
    at += strlen(word);
    at += strspn(at, " ");
    if (strncmp(at, SAID_BY, strlen(SAID_BY)) != 0)
        return NULL;
    *level = word;
    return at + strlen(SAID_BY);
}

/* The name stands before it already, or is put there. */
static void say(const struct hearsay *hearsay, const char *line)
{
    const char *level = "warn";
    const char *text = find_text(line, &level);
    size_t length = strlen(hearsay->name);
    if (text == NULL)
        log_for("host", level, "%s: says: %s", hearsay->name, line);
    else if (strncmp(text, hearsay->name, length) == 0 && text[length] == ':')
        log_for("host", level, "%s", text);
    else
        log_for("host", level, "%s: %s", hearsay->name, text);
}

static void earn(struct hearsay *hearsay)
{
    int64_t now_us = now_mono_us();
    int64_t earned = (now_us - hearsay->tokens_us) * HEARSAY_PER_S / SECOND_US;
    if (earned <= 0)
        return;
    hearsay->tokens_us = now_us;
    hearsay->tokens += earned;
    if (hearsay->tokens > HEARSAY_BURST)
        hearsay->tokens = HEARSAY_BURST;
}

/* Of those that were dropped a line tells as soon as one may be said again. */
static void line_came(struct hearsay *hearsay)
{
    earn(hearsay);
    if (hearsay->tokens == 0 || !log_is_ready()) {
        hearsay->dropped++;
        return;
    }
    hearsay->tokens--;
    if (hearsay->dropped > 0)
        log_warn("%s: says more than %d lines a second; %lld were left out",
                 hearsay->name, HEARSAY_PER_S, (long long)hearsay->dropped);
    hearsay->dropped = 0;
    say(hearsay, hearsay->line);
}

static void end_line(struct hearsay *hearsay)
{
    hearsay->line[hearsay->length] = '\0';
    if (hearsay->length > 0)
        line_came(hearsay);
    hearsay->length = 0;
}

/* A NUL would hide what follows it; what is too long for a line is passed over. */
static void letter_came(struct hearsay *hearsay, char letter)
{
    if (letter == '\n')
        end_line(hearsay);
    else if (hearsay->length < sizeof(hearsay->line) - 1)
        hearsay->line[hearsay->length++] = (char)(letter == '\0' ? '?' : letter);
}

/* ---- The pipe */

/* 1 when there may be more, 0 when not now, -1 when there never will be. */
static int hear_part(struct hearsay *hearsay)
{
    char part[PART];
    ssize_t length = read(hearsay->fd, part, sizeof(part));
    if (length < 0)
        return errno == EAGAIN ? 0 : errno == EINTR ? 1 : -1;
    for (ssize_t i = 0; i < length; i++)
        letter_came(hearsay, part[i]);
    return length > 0 ? 1 : -1;
}

static int hear(struct hearsay *hearsay, int parts)
{
    int more = 1;
    while (more > 0 && parts-- > 0)
        more = hear_part(hearsay);
    return more;
}

static void listen_on(struct hearsay *hearsay)
{
    loop_watch_start(hearsay->loop, &hearsay->watch, hearsay->fd, true, false);
}

static void pause_over(struct loop_timer *timer)
{
    listen_on(container_of(timer, struct hearsay, pause));
}

/* Who says too much waits, and so does everybody while nobody reads the log; the keeper does not. */
static void said(struct loop_watch *watch, bool readable, bool writable)
{
    struct hearsay *hearsay = container_of(watch, struct hearsay, watch);
    (void)readable;
    (void)writable;
    bool is_read = log_is_ready();
    int more = is_read ? hear(hearsay, TURN_PARTS) : 1;
    if (more < 0) {
        loop_watch_stop(&hearsay->watch);
    } else if (!is_read || hearsay->dropped > 0) {
        loop_watch_stop(&hearsay->watch);
        loop_timer_start(hearsay->loop, &hearsay->pause, PAUSE_MS);
    }
}

int hearsay_begin(struct hearsay *hearsay, struct loop *loop, const char *plugin,
                  const char *instance, int *end)
{
    int fds[2];
    hearsay_end(hearsay);
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -errno;
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    *hearsay = (struct hearsay){.loop = loop,
                                .watch.ready = said,
                                .pause.fire = pause_over,
                                .fd = fds[0],
                                .tokens = HEARSAY_BURST,
                                .tokens_us = now_mono_us()};
    snprintf(hearsay->name, sizeof(hearsay->name), "%s %s", plugin, instance);
    listen_on(hearsay);
    *end = fds[1];
    return 0;
}

void hearsay_end(struct hearsay *hearsay)
{
    if (hearsay->loop == NULL)
        return;
    loop_watch_stop(&hearsay->watch);
    loop_timer_stop(&hearsay->pause);
    (void)hear(hearsay, END_PARTS);
    end_line(hearsay);
    if (hearsay->dropped > 0)
        log_warn("%s: %lld lines of it were left out", hearsay->name,
                 (long long)hearsay->dropped);
    close(hearsay->fd);
    hearsay->loop = NULL;
}
