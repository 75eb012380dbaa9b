/* fetch - one thing asked of a file server, by FTP or SFTP: what is in a folder, a file, its size and
 * time; or that a file be renamed or removed. The connections are kept and used again, logged in.
 *
 * As with a transfer `news` comes from the loop, never from inside a call. A login is tried once. The
 * server's own words are in no message, nor are user, password and path: a refusal has its number.
 *
 * By FTP the data of a file come by a connection of their own. To any other port than those of the URL none is
 * made, on every kernel; where to, the server has no say: it is the host of the URL.
 *
 * Bounds: FETCHES_MAX at once; three connections to one host; of a listing and of a file that is read
 * at once what was wished; a stream that nobody reads waits, with FETCH_ROOM and what the library had in
 * hand. A server that does not say the end of what it has sent holds up the plugin for FETCH_BLOCK_MS,
 * because libcurl waits there. */
#ifndef HOST_FILES_FETCH_H
#define HOST_FILES_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/loop.h"
#include "host/files/ftpurl.h"
#include "host/web/transfer_fault.h"

enum { FETCHES_MAX = 16, FETCH_PATH_MAX = 1024, FETCH_BLOCK_MS = 1500 };

#ifdef SMALL_BOUNDS
enum { FETCH_ROOM = 1 };
#else
enum { FETCH_ROOM = 64 * 1024 };
#endif

enum fetch_kind { FETCH_LIST, FETCH_READ, FETCH_STAT, FETCH_RENAME, FETCH_REMOVE };

struct fetch_wish {
    enum fetch_kind kind;
    const struct ftpurl *url;
    const char
        *path; /* as the server writes it; of what is renamed or removed from "/" on */
    const char *to;   /* its new name */
    const char *user; /* NULL: nobody in particular */
    const char *password;
    const char *ca;       /* a file; NULL: those of the system */
    const char *host_key; /* of SFTP: "SHA256:..." of the server's key */
    bool insecure;        /* whoever it is */
    bool stream;  /* it is read bit by bit; the time-out is for its first byte only */
    int64_t from; /* of a file: so many bytes are known already */
    int64_t timeout_ms;
    int64_t low_bytes; /* fewer a second than this */
    int64_t low_ms;    /* for so long end it; 0: never */
    size_t most;       /* bytes, when it is no stream */
};

struct fetch_answer {
    bool begun; /* the first byte is there */
    bool over;  /* then the rest is set */
    bool facts; /* of a listing: in the exact form */
    enum transfer_fault fault;
    const char *why;
    int reply;    /* of the server, 0: none */
    int64_t size; /* of the file, -1: not told; also when begun */
    int64_t time; /* of its last change, UTC; -1: not told */
    int64_t took_ms;
    struct buffer body; /* of a stream: what has not been taken yet */
};

struct fetches;
struct fetch;

/* As with transfers (transfer.h). */
int fetch_prepare(void);
int fetch_open_all(struct fetches **out, struct loop *loop);
void fetch_close_all(struct fetches *fetches);

int fetch_open(struct fetch **out, struct fetches *fetches, void (*news)(void *owner),
               void *owner);
void fetch_close(struct fetch *fetch);

/* Nothing of the wish is used after this. A fault is told in `why`. */
enum transfer_fault fetch_start(struct fetch *fetch, const struct fetch_wish *wish);

const struct fetch_answer *fetch_answer(const struct fetch *fetch);

/* Takes bytes of a stream away from the front of the body. */
void fetch_take(struct fetch *fetch, size_t length);

#endif
