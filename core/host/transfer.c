/* transfer - see transfer.h. The door to libcurl.
 *
 * Invariant: `attached` says that the multi handle has the easy one; what libcurl calls only notes
 * down and starts `rest`, because nothing of libcurl may be called from inside its own callbacks.
 *
 * Rule of this file: libcurl's resolver makes threads, so libcurl runs with all signals blocked. The
 * budget's signal must find the thread that runs Lua. */
#include "host/transfer.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/now.h"

enum {
    HOST_CONNECTIONS = 3, /* a stream, and two requests beside it */
    IDLE_CONNECTIONS = 8,
    CONNECT_MS = 10000,
    DENIALS_MAX = 4, /* who only ever says that the nonce is stale */
    THREAD_STACK = 512 * 1024,
    HOST_ROOM = 120
};

struct transfers {
    CURLM *multi;
    struct loop *loop;
    struct loop_timer timer;
    int count;
};

struct transfer {
    struct transfers *transfers;
    CURL *easy;
    struct curl_slist *lines;
    void (*news)(void *owner);
    void *owner;
    struct loop_rest rest;
    struct loop_timer deadline;
    struct transfer_answer answer;
    size_t head_bytes;
    size_t most;
    int64_t began_us;
    int64_t timeout_ms;
    int redirects; /* left */
    int denials;   /* answers 401 */
    bool attached;
    bool has_secret; /* a 401 may not be the last word */
    bool follows;    /* redirects are for GET and HEAD */
    bool stream;
    bool paused;
    char host[HOST_ROOM];
    char why[HOST_ROOM + CURL_ERROR_SIZE + 8];
    char said[CURL_ERROR_SIZE];
};

/* A socket that libcurl wants to be watched. */
struct wire {
    struct loop_watch watch;
    struct transfers *transfers;
    curl_socket_t fd;
};

/* The only place that knows CURLE_. */
static enum transfer_fault fault_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return TRANSFER_GOOD;
    case CURLE_OPERATION_TIMEDOUT:
        return TRANSFER_TIMEOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
        return TRANSFER_RESOLVE;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
        return TRANSFER_REFUSED;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return TRANSFER_CLOSED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_SHUTDOWN_FAILED:
        return TRANSFER_TLS;
    case CURLE_LOGIN_DENIED:
    case CURLE_AUTH_ERROR:
        return TRANSFER_AUTH;
    default:
        return TRANSFER_PROTOCOL;
    }
}

/* ---- The end */

static void tell(struct transfer *transfer)
{
    loop_rest_start(transfer->transfers->loop, &transfer->rest);
}

static void rest_came(struct loop_rest *rest)
{
    struct transfer *transfer = container_of(rest, struct transfer, rest);
    transfer->news(transfer->owner);
}

static void attach(struct transfer *transfer)
{
    CURLMcode code = curl_multi_add_handle(transfer->transfers->multi, transfer->easy);
    ASSERT(code == CURLM_OK);
    transfer->attached = true;
}

static void detach(struct transfer *transfer)
{
    if (transfer->attached)
        curl_multi_remove_handle(transfer->transfers->multi, transfer->easy);
    transfer->attached = false;
}

static void end(struct transfer *transfer, enum transfer_fault fault, const char *said)
{
    struct transfer_answer *answer = &transfer->answer;
    char *url = NULL;
    if (answer->fault == TRANSFER_GOOD)
        answer->fault = fault;
    if (said[0] == '\0' || answer->fault != fault)
        said = transfer_fault_text(answer->fault);
    snprintf(transfer->why, sizeof(transfer->why), "%s: %s", transfer->host, said);
    curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &url);
    answer->url = url != NULL ? url : "";
    answer->took_ms = (now_mono_us() - transfer->began_us) / 1000;
    answer->over = true;
    loop_timer_stop(&transfer->deadline);
    tell(transfer);
}

static void too_late(struct loop_timer *timer)
{
    struct transfer *transfer = container_of(timer, struct transfer, deadline);
    char said[60];
    detach(transfer);
    snprintf(said, sizeof(said), "no answer in %d ms", (int)transfer->timeout_ms);
    end(transfer, TRANSFER_TIMEOUT, said);
}

/* ---- What libcurl calls */

static bool is_last_word(const struct transfer *transfer)
{
    bool asks_again = transfer->answer.status == 401 && transfer->has_secret;
    bool leads_on = transfer->answer.status >= 300 && transfer->answer.status < 400 &&
                    transfer->redirects > 0 && transfer->follows;
    return transfer->answer.status >= 200 && !asks_again && !leads_on;
}

static void head_is_there(struct transfer *transfer)
{
    transfer->answer.has_head = true;
    if (!transfer->stream)
        return;
    loop_timer_stop(&transfer->deadline);
    tell(transfer);
}

/* Called for each line of each head that comes, 100 and 401 too. */
static size_t take_line(char *line, size_t one, size_t length, void *owner)
{
    struct transfer *transfer = owner;
    long status = 0;
    transfer->head_bytes += length;
    if (transfer->head_bytes > TRANSFER_HEAD_MAX) {
        transfer->answer.fault = TRANSFER_TOO_BIG;
        return 0;
    }
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0)
        headers_clear(&transfer->answer.headers);
    else
        headers_add(&transfer->answer.headers, line, length);
    if (length <= 2 && (line[0] == '\r' || line[0] == '\n')) {
        curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
        transfer->answer.status = (int)status;
        transfer->denials += status == 401;
        if (transfer->denials > DENIALS_MAX) {
            transfer->answer.fault = TRANSFER_AUTH;
            return 0;
        }
        if (is_last_word(transfer))
            head_is_there(transfer);
    }
    return one * length;
}

static size_t take_body(char *bytes, size_t one, size_t length, void *owner)
{
    struct transfer *transfer = owner;
    struct buffer *body = &transfer->answer.body;
    if (!transfer->stream && body->length + length > transfer->most) {
        transfer->answer.fault = TRANSFER_TOO_BIG;
        return 0;
    }
    if (transfer->stream && body->length > 0 && body->length + length > TRANSFER_ROOM) {
        transfer->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    buffer_append(body, bytes, length);
    if (transfer->stream)
        head_is_there(transfer);
    return one * length;
}

/* ---- The loop */

/* For curl_free(); NULL when it has none or is no URL. */
static char *part_of(const char *url, CURLUPart part)
{
    CURLU *parts = curl_url();
    char *text = NULL;
    ASSERT(parts != NULL);
    if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK)
        curl_url_get(parts, part, &text, 0);
    curl_url_cleanup(parts);
    return text;
}

/* Another host, or the same without its lock. */
static bool is_elsewhere(const char *from, const char *to)
{
    char *host = part_of(from, CURLUPART_HOST), *next = part_of(to, CURLUPART_HOST);
    bool is_safe =
        strncasecmp(from, "http:", 5) == 0 || strncasecmp(to, "https:", 6) == 0;
    bool is_same = host != NULL && next != NULL && is_safe && strcasecmp(host, next) == 0;
    curl_free(host);
    curl_free(next);
    return !is_same;
}

/* Whether it goes on at another place of the same host. */
static bool follow(struct transfer *transfer)
{
    char *next = NULL, *from = NULL;
    curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &next);
    curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &from);
    if (next == NULL || transfer->redirects == 0 || !transfer->follows ||
        is_elsewhere(from, next))
        return false;
    transfer->redirects--;
    buffer_clear(&transfer->answer.body);
    curl_easy_setopt(transfer->easy, CURLOPT_URL, next);
    attach(transfer);
    return true;
}

static void take_end(CURL *easy, CURLcode code)
{
    struct transfer *transfer;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    detach(transfer);
    transfer->answer.status = (int)status;
    if (code == CURLE_OK && follow(transfer))
        return;
    transfer->answer.has_head = transfer->answer.has_head || code == CURLE_OK;
    end(transfer, fault_of(code), transfer->said);
}

static void drain(struct transfers *transfers)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(transfers->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            take_end(message->easy_handle, message->data.result);
}

static void drive(struct transfers *transfers, curl_socket_t fd, int what)
{
    sigset_t all, before;
    int running;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    curl_multi_socket_action(transfers->multi, fd, what, &running);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    drain(transfers);
}

static void timer_over(struct loop_timer *timer)
{
    drive(container_of(timer, struct transfers, timer), CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long ms, void *owner)
{
    struct transfers *transfers = owner;
    (void)multi;
    if (ms < 0)
        loop_timer_stop(&transfers->timer);
    else
        loop_timer_start(transfers->loop, &transfers->timer, ms);
    return 0;
}

/* The wire may be gone when libcurl returns. */
static void wire_ready(struct loop_watch *watch, bool readable, bool writable)
{
    struct wire *wire = container_of(watch, struct wire, watch);
    drive(wire->transfers, wire->fd,
          (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *owner, void *seat)
{
    struct transfers *transfers = owner;
    struct wire *wire = seat;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (wire != NULL)
            loop_watch_stop(&wire->watch);
        mem_free(wire);
        return 0;
    }
    if (wire == NULL) {
        wire = mem_new(struct wire);
        wire->watch.ready = wire_ready;
        wire->transfers = transfers;
        wire->fd = fd;
        curl_multi_assign(transfers->multi, fd, wire);
    }
    loop_watch_start(transfers->loop, &wire->watch, fd, (what & CURL_POLL_IN) != 0,
                     (what & CURL_POLL_OUT) != 0);
    return 0;
}

/* ---- Life */

int transfer_prepare(void)
{
    pthread_attr_t attributes;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return -ENOMEM;
    signal(SIGPIPE, SIG_IGN);
    if (pthread_attr_init(&attributes) != 0)
        return -ENOMEM;
    pthread_attr_setstacksize(&attributes, THREAD_STACK);
    int err = pthread_setattr_default_np(&attributes); /* the resolver's threads */
    pthread_attr_destroy(&attributes);
    return -err;
}

int transfer_open_all(struct transfers **out, struct loop *loop)
{
    CURLM *multi = curl_multi_init();
    if (multi == NULL)
        return -ENOMEM;
    struct transfers *transfers = mem_new(struct transfers);
    *transfers = (struct transfers){.multi = multi, .loop = loop};
    transfers->timer.fire = timer_over;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, transfers);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, transfers);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)HOST_CONNECTIONS);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
    *out = transfers;
    return 0;
}

void transfer_close_all(struct transfers *transfers)
{
    if (transfers == NULL)
        return;
    ASSERT(transfers->count == 0);
    curl_multi_cleanup(transfers->multi);
    loop_timer_stop(&transfers->timer);
    mem_free(transfers);
}

int transfer_open(struct transfer **out, struct transfers *transfers,
                  void (*news)(void *owner), void *owner)
{
    if (transfers->count == TRANSFERS_MAX)
        return -EBUSY;
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return -ENOMEM;
    struct transfer *transfer = mem_new(struct transfer);
    *transfer = (struct transfer){.transfers = transfers,
                                  .easy = easy,
                                  .news = news,
                                  .owner = owner,
                                  .rest.fire = rest_came,
                                  .deadline.fire = too_late};
    transfer->answer.why = transfer->why;
    transfers->count++;
    *out = transfer;
    return 0;
}

void transfer_close(struct transfer *transfer)
{
    if (transfer == NULL)
        return;
    detach(transfer);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->lines);
    loop_rest_stop(&transfer->rest);
    loop_timer_stop(&transfer->deadline);
    headers_free(&transfer->answer.headers);
    buffer_free(&transfer->answer.body);
    transfer->transfers->count--;
    mem_free(transfer);
}

void transfer_header(struct transfer *transfer, const char *line)
{
    struct curl_slist *lines = curl_slist_append(transfer->lines, line);
    ASSERT(lines != NULL);
    transfer->lines = lines;
}

/* ---- The start */

/* The host for messages; a user has no place in a URL, because URLs are shown. */
static enum transfer_fault look_at_url(struct transfer *transfer, const char *url)
{
    char *host = part_of(url, CURLUPART_HOST), *user = part_of(url, CURLUPART_USER);
    char *scheme = part_of(url, CURLUPART_SCHEME);
    const char *fault = NULL;
    if (host == NULL || scheme == NULL ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        fault = "expected http://HOST/... or https://HOST/...";
    else if (user != NULL)
        fault = "expected no user in it: there are user and password for that";
    else
        snprintf(transfer->host, sizeof(transfer->host), "%s", host);
    curl_free(host);
    curl_free(user);
    curl_free(scheme);
    if (fault != NULL)
        snprintf(transfer->why, sizeof(transfer->why), "url: %s", fault);
    transfer->answer.fault = fault != NULL ? TRANSFER_ARGUMENT : TRANSFER_GOOD;
    return transfer->answer.fault;
}

static bool has_line(const struct transfer *transfer, const char *name)
{
    for (const struct curl_slist *line = transfer->lines; line; line = line->next)
        if (strncasecmp(line->data, name, strlen(name)) == 0)
            return true;
    return false;
}

static void set_method(struct transfer *transfer, const struct transfer_wish *wish)
{
    CURL *easy = transfer->easy;
    const char *method = wish->method;
    if (method == NULL)
        method = wish->body != NULL ? "POST" : "GET";
    bool sends =
        wish->body != NULL || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;
    if (sends) {
        if (!has_line(transfer, "Content-Type:"))
            transfer_header(transfer,
                            "Content-Type:"); /* none, instead of the library's */
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)wish->body_length);
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, wish->body ? wish->body : "");
    }
    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (strcmp(method, sends ? "POST" : "GET") != 0)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    transfer->follows =
        !sends && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0);
}

static void set_login(struct transfer *transfer, const struct transfer_wish *wish)
{
    static const unsigned long WAYS[] = {
        [TRANSFER_NONE] = CURLAUTH_NONE,
        [TRANSFER_BASIC] = CURLAUTH_BASIC,
        [TRANSFER_DIGEST] = CURLAUTH_DIGEST,
        [TRANSFER_ANY] = CURLAUTH_BASIC | CURLAUTH_DIGEST,
    };
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, WAYS[wish->auth]);
    if (wish->auth == TRANSFER_NONE)
        return;
    curl_easy_setopt(easy, CURLOPT_USERNAME, wish->user);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, wish->password);
    transfer->has_secret = wish->auth != TRANSFER_BASIC;
}

static void set_bounds(CURL *easy, const struct transfer_wish *wish)
{
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    if (wish->low_ms > 0) {
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)wish->low_bytes);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                         (long)((wish->low_ms + 999) / 1000));
    }
    if (!wish->stream)
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
}

static void set_trust(CURL *easy, const struct transfer_wish *wish)
{
    if (wish->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (wish->ca != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, wish->ca);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
}

/* What is the same for all. QUICK_EXIT: ending one must not wait for a name server. */
static void set_habits(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->said);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_line);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->lines);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
}

enum transfer_fault transfer_start(struct transfer *transfer,
                                   const struct transfer_wish *wish)
{
    CURL *easy = transfer->easy;
    if (look_at_url(transfer, wish->url) != TRANSFER_GOOD)
        return TRANSFER_ARGUMENT;
    transfer->most = wish->most;
    transfer->stream = wish->stream;
    transfer->redirects = wish->redirects;
    transfer->timeout_ms = wish->timeout_ms;
    transfer->began_us = now_mono_us();
    curl_easy_setopt(easy, CURLOPT_URL, wish->url);
    transfer_header(transfer, "Expect:"); /* devices do not know 100-continue */
    set_method(transfer, wish);
    set_habits(transfer);
    set_login(transfer, wish);
    set_bounds(easy, wish);
    set_trust(easy, wish);
    attach(transfer);
    loop_timer_start(transfer->transfers->loop, &transfer->deadline, wish->timeout_ms);
    return TRANSFER_GOOD;
}

/* ---- The answer */

const struct transfer_answer *transfer_answer(const struct transfer *transfer)
{
    return &transfer->answer;
}

/* Goes on reading when half of the room is free again. */
void transfer_take(struct transfer *transfer, size_t length)
{
    buffer_drop_front(&transfer->answer.body, length);
    if (!transfer->paused || transfer->answer.over ||
        transfer->answer.body.length > TRANSFER_ROOM / 2)
        return;
    transfer->paused = false;
    curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
}
