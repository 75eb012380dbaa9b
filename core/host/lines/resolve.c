/* resolve - see resolve.h.
 *
 * Each try has a socket of its own, connected to one server: the kernel picks another port each time
 * and lets only that server's answers in. Ids are random as well. */
#include "host/lines/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/random.h"

enum { ANSWER_MAX = 4096, SERVER_PORT = 53 };

static const char HOSTS[] = "/etc/hosts", SERVERS[] = "/etc/resolv.conf";
static const enum dns_type TYPES[] = {DNS_A, DNS_AAAA};

static void ask_next(struct resolve *resolve);

/* ---- The end */

void resolve_stop(struct resolve *resolve)
{
    loop_timer_stop(&resolve->timer);
    loop_watch_stop(&resolve->watch);
    if (resolve->is_asking)
        close(resolve->fd);
    resolve->is_asking = false;
}

static void finish(struct resolve *resolve, int err)
{
    resolve_stop(resolve);
    resolve->done(resolve, resolve->count > 0 ? 0 : err);
}

/* ---- Files: words in lines, # begins a comment */

static void each_line(char *text, void (*line)(struct resolve *resolve, char *words),
                      struct resolve *resolve)
{
    char *rest = text;
    while (rest != NULL) {
        char *end = strchr(rest, '\n'), *words = rest;
        rest = end != NULL ? end + 1 : NULL;
        if (end != NULL)
            *end = '\0';
        words[strcspn(words, "#;")] = '\0';
        line(resolve, words);
    }
}

/* `address name name ...` */
static void read_host(struct resolve *resolve, char *words)
{
    char *rest, *word = strtok_r(words, " \t\r", &rest);
    struct address address;
    if (word == NULL || address_parse(&address, word, resolve->port) != 0)
        return;
    while ((word = strtok_r(NULL, " \t\r", &rest)) != NULL)
        if (strcasecmp(word, resolve->name) == 0 && resolve->count < RESOLVE_MAX)
            resolve->found[resolve->count++] = address;
}

/* `nameserver address` */
static void read_server(struct resolve *resolve, char *words)
{
    char *rest, *word = strtok_r(words, " \t\r", &rest);
    int port = resolve->server_port ? resolve->server_port : SERVER_PORT;
    if (word == NULL || strcmp(word, "nameserver") != 0 ||
        resolve->server_count == RESOLVE_SERVERS)
        return;
    word = strtok_r(NULL, " \t\r", &rest);
    if (word != NULL &&
        address_parse(&resolve->server[resolve->server_count], word, port) == 0)
        resolve->server_count++;
}

/* A file that is not there says nothing; -EACCES when it may not be read. */
static int read_lines(struct resolve *resolve, const char *path,
                      void (*line)(struct resolve *resolve, char *words))
{
    struct buffer text = {0};
    int err = file_read(&text, path, RESOLVE_FILE_MAX);
    buffer_append(&text, "", 1);
    if (!err)
        each_line(text.bytes, line, resolve);
    buffer_free(&text);
    return err == -EACCES ? err : 0;
}

/* ---- Servers */

static void take(struct resolve *resolve, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < countof(TYPES); i++) {
        if ((resolve->open & (1 << i)) == 0)
            continue;
        int count = dns_read(&resolve->question[i], bytes, length,
                             resolve->found + resolve->count,
                             RESOLVE_MAX - resolve->count, resolve->port);
        if (count == -EPROTO)
            continue;
        resolve->open &= ~(1 << i);
        if (count > 0)
            resolve->count += count;
        else if (count != -EAGAIN)
            resolve->err = -ENOENT; /* no such name, or none of that kind */
    }
}

static void answered(struct loop_watch *watch, bool readable, bool writable)
{
    struct resolve *resolve = container_of(watch, struct resolve, watch);
    uint8_t bytes[ANSWER_MAX];
    (void)readable;
    (void)writable;
    ssize_t length = recv(resolve->fd, bytes, sizeof(bytes), 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length < 0) {
        ask_next(resolve); /* nobody listens there */
        return;
    }
    take(resolve, bytes, (size_t)length);
    if (resolve->open != 0)
        return;
    if (resolve->count > 0 || resolve->err == -ENOENT)
        finish(resolve, resolve->err);
    else
        ask_next(resolve);
}

static bool send_questions(struct resolve *resolve)
{
    resolve->open = 0;
    for (size_t i = 0; i < countof(TYPES); i++) {
        uint16_t id;
        random_bytes(&id, sizeof(id));
        if (dns_ask(&resolve->question[i], id, TYPES[i], resolve->name) != 0 ||
            send(resolve->fd, resolve->question[i].bytes, resolve->question[i].length,
                 MSG_NOSIGNAL) < 0)
            return false;
        resolve->open |= 1 << i;
    }
    return true;
}

static bool ask(struct resolve *resolve, const struct address *server)
{
    int fd =
        socket(server->is.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    resolve->fd = fd;
    resolve->is_asking = true;
    if (connect(fd, &server->is.any, server->length) != 0 || !send_questions(resolve))
        return false;
    loop_watch_start(resolve->loop, &resolve->watch, fd, true, false);
    return true;
}

/* The next server; a little later when that one cannot even be asked. */
static void ask_next(struct resolve *resolve)
{
    resolve_stop(resolve);
    if (resolve->count > 0 || resolve->round == resolve->server_count * RESOLVE_ROUNDS) {
        finish(resolve, resolve->err);
        return;
    }
    bool asked = ask(resolve, &resolve->server[resolve->round++ % resolve->server_count]);
    loop_timer_start(resolve->loop, &resolve->timer, asked ? RESOLVE_MS : 1);
}

static void too_late(struct loop_timer *timer)
{
    ask_next(container_of(timer, struct resolve, timer));
}

static void begin(struct loop_timer *timer)
{
    struct resolve *resolve = container_of(timer, struct resolve, timer);
    struct dns_question probe;
    resolve->timer.fire = too_late;
    if (address_parse(&resolve->found[0], resolve->name, resolve->port) == 0) {
        resolve->count = 1;
        finish(resolve, 0);
        return;
    }
    if (dns_ask(&probe, 0, DNS_A, resolve->name) != 0) {
        finish(resolve, -EINVAL);
        return;
    }
    int err = read_lines(resolve, resolve->hosts ? resolve->hosts : HOSTS, read_host);
    if (!err && resolve->count == 0)
        err = read_lines(resolve, resolve->servers ? resolve->servers : SERVERS,
                         read_server);
    if (err)
        finish(resolve, err);
    else
        ask_next(resolve);
}

void resolve_start(struct loop *loop, struct resolve *resolve, const char *name, int port)
{
    resolve_stop(resolve);
    resolve->loop = loop;
    resolve->port = port;
    resolve->count = resolve->round = resolve->server_count = 0;
    resolve->err = -ETIMEDOUT;
    resolve->watch.ready = answered;
    resolve->timer.fire = begin;
    snprintf(resolve->name, sizeof(resolve->name), "%s", name);
    loop_timer_start(loop, &resolve->timer, 0);
}
