/* wires - libcurl in our loop: what requests (transfer) and files (fetch) share. The door to the library.
 *
 * A job is embedded in its owner, which makes its easy handle and puts it on the wires; `ended` comes
 * from the loop, never from inside a call. Nothing of libcurl may be called from inside its own
 * callbacks: they only note down. */
#ifndef HOST_WEB_WIRES_H
#define HOST_WEB_WIRES_H

#define CURL_DISABLE_DEPRECATION /* curl_multi_socket_all(), see wires_add_restless() */
#include <curl/curl.h>
#include <stdbool.h>

#include "base/loop.h"
#include "host/web/transfer_fault.h"

struct wires;

struct wires_job {
    CURL *easy;
    void (*ended)(struct wires_job *job, CURLcode code); /* it is off the wires then */
    struct wires *on;                                    /* NULL: on none */
    bool restless;
};

/* Once per process, before it is confined: the library opens what it needs. 0 or a negative errno. */
int wires_prepare(void);

/* `most` connections to one host, kept and used again. */
int wires_open(struct wires **out, struct loop *loop, int most);
/* No job is on them any more. */
void wires_close(struct wires *wires);

void wires_add(struct wires *wires, struct wires_job *job);
/* The same for FTP: libcurl 7.88 does not say for what it waits when an answer comes at once, and would
 * wait for ever. So it is nudged, more and more seldom, until wires_settle() or the end. */
void wires_add_restless(struct wires *wires, struct wires_job *job);
void wires_settle(struct wires_job *job);
void wires_remove(struct wires_job *job); /* also one that is on none */

/* For what libcurl calls: how long it has been at it already, while nothing else can go on. */
int wires_busy_ms(const struct wires *wires);

/* The only place that knows CURLE_. */
enum transfer_fault wires_fault(CURLcode code);

/* What is the same for every job. `said` has CURL_ERROR_SIZE bytes. */
void wires_set_habits(CURL *easy, char *said, const char *protocols);
/* Whom to trust: the system's authorities, those of a file, or whoever it is. */
void wires_set_trust(CURL *easy, const char *ca, bool insecure);
/* Fewer bytes a second than this for so long end it; 0: never. */
void wires_set_low_speed(CURL *easy, int64_t bytes, int64_t ms);

/* A part of a URL, for curl_free(); NULL when it has none or is no URL. */
char *wires_part_of(const char *url, CURLUPart part);

#endif
