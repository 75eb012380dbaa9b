/* server - an HTTP server for devices that push: requests come whole, answers go when the owner has them.
 *
 * `asked` is called from the loop, never from inside a call, with a request whose body is there; the
 * owner answers it once, then or later, and does not touch it afterwards. While it waits for its
 * answer nothing more is read from its connection. `gone` says that a request that was asked and not
 * answered is no more, because the server is closed.
 *
 * What the server answers by itself: 400 for what is no HTTP, 401 without the login asked for, 408
 * when a request is not there in time, 413 and 431 when it is too big, 503 when the bodies of all
 * requests together are. An address that is not allowed is hung up on; so is the next connection of
 * one address when it has half of them. Beyond `connections` the kernel lets the others wait. */
#ifndef HOST_WEB_SERVER_H
#define HOST_WEB_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "host/web/cidr.h"

enum {
    SERVER_CONNECTIONS_MAX = 64,
    SERVER_ALLOWED_MAX = 32,
    SERVER_HEAD_MAX = 16 * 1024,
    SERVER_BODY_MAX = 8 * 1024 * 1024,
    SERVER_BODIES_MAX = 16 * 1024 * 1024, /* of all requests together */
    SERVER_PEER_ROOM = 48
};

enum server_login { SERVER_OPEN, SERVER_BASIC, SERVER_DIGEST };

/* Texts are copied. */
struct server_wish {
    const char *url; /* serveurl.h */
    const char *
        certificate; /* of https://: a file in PEM, with what stands between it and the root */
    const char *key; /* its private key, a file */
    size_t body_most;
    int connections;
    int64_t idle_ms;  /* a connection without a request */
    int64_t whole_ms; /* until a request is there, and until an answer is gone */
    enum server_login login;
    const char *user;
    const char *password;
    struct cidr allowed[SERVER_ALLOWED_MAX];
    int allowed_count; /* 0: everybody */
};

struct server;
struct server_request;

struct server_calls {
    void (*asked)(void *owner, struct server_request *request);
    void (*gone)(void *owner, struct server_request *request);
};

/* 0, -EINVAL for a URL that makes no sense, or is https:// without certificate and key, -EKEYREJECTED for
 * files that cannot be read or make no pair, or what the system says (-EADDRINUSE, -EACCES). */
int server_open(struct server **out, struct loop *loop, const struct server_wish *wish,
                const struct server_calls *calls, void *owner);
void server_close(struct server *server);

/* The port it listens at. */
int server_port(const struct server *server);

const char *server_method(const struct server_request *request);
const char *server_path(const struct server_request *request); /* without the query */
const char *server_peer(const struct server_request *request); /* an address */
const void *server_body(const struct server_request *request, size_t *length);

/* Calls `each` for each header, or for each value of the query (NULL: it has none). */
void server_each_header(struct server_request *request,
                        void (*each)(void *owner, const char *name, const char *value),
                        void *owner);
void server_each_query(struct server_request *request,
                       void (*each)(void *owner, const char *name, const char *value),
                       void *owner);

/* What the owner remembers with a request. */
void server_remember(struct server_request *request, void *what);
void *server_remembered(const struct server_request *request);

/* A header of the answer, before it. */
void server_say(struct server_request *request, const char *name, const char *value);
/* The answer; the bytes are copied. */
void server_answer(struct server_request *request, int status, const void *body,
                   size_t length);

/* Lets what was answered go out now, because the process is about to end. */
void server_flush(struct server *server);

#endif
