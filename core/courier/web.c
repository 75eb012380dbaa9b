/* web - see web.h.
 *
 * Invariant: `easy` is NULL or on the multi handle. Nothing of libcurl is called from inside its own
 * callbacks: they only note down. The body's pipe is watched only while libcurl waits for it. */
#include "courier/web.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/now.h"
#include "courier/trust.h"

enum {
    CONNECT_MS = 20 * 1000,
    THREAD_STACK = 512 * 1024,
    HEAD_MAX = 32 * 1024,
    SLOW_RATE = 512 * 1024, /* bytes a second, below which less is read at once */
    SLOW_PART = 16 * 1024,
    PART = 64 * 1024
};

struct web {
    CURLM *multi;
    CURL *easy;
    struct curl_slist *lines;
    struct loop *loop;
    struct loop_timer timer;
    struct loop_watch body_watch;
    struct web_trust trust;
    void (*ended)(void *owner, const struct web_answer *answer);
    void *owner;
    char *url;
    int body;
    int64_t left, sent; /* of the body */
    bool is_short;      /* the pipe ended before the body did */
    struct web_answer answer;
    struct buffer text;
    char *location;
    size_t head_bytes;
    char said[CURL_ERROR_SIZE];
    char why[WEB_WHY_ROOM];
};

/* A socket that libcurl wants to be watched. */
struct wire {
    struct loop_watch watch;
    struct web *web;
    curl_socket_t fd;
};

/* The only place that knows CURLE_. */
static enum web_fault fault_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return WEB_GOOD;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return WEB_TRUST;
    default:
        return WEB_CUT;
    }
}

/* ---- The end */

static void clean(struct web *web)
{
    if (web->easy != NULL) {
        curl_multi_remove_handle(web->multi, web->easy);
        curl_easy_cleanup(web->easy);
    }
    web->easy = NULL;
    curl_slist_free_all(web->lines);
    web->lines = NULL;
    loop_watch_stop(&web->body_watch);
    if (web->body >= 0)
        close(web->body);
    web->body = -1;
}

static void end(struct web *web, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(web->easy, CURLINFO_RESPONSE_CODE, &status);
    web->answer.status = (int)status;
    web->answer.fault = web->is_short ? WEB_SHORT : fault_of(code);
    snprintf(web->why, sizeof(web->why), "%.100s",
             web->is_short          ? "the stored file cannot be read to its end"
             : web->said[0] != '\0' ? web->said
                                    : curl_easy_strerror(code));
    /* Who answers before the body is over, and closes, has answered. */
    if (code != CURLE_OK && web->answer.fault == WEB_CUT && status >= 400)
        web->answer.fault = WEB_GOOD;
    web->answer.why = web->why;
    web->answer.location = web->location;
    web->answer.body = web->text.bytes;
    web->answer.body_length = web->text.length;
    clean(web);
    web->ended(web->owner, &web->answer);
}

static void drain(struct web *web)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(web->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE && message->easy_handle == web->easy) {
            end(web, message->data.result);
            return;
        }
}

/* ---- What libcurl calls */

static size_t give_body(char *bytes, size_t one, size_t room, void *owner)
{
    struct web *web = owner;
    size_t most = one * room;
    if ((int64_t)most > web->left)
        most = (size_t)web->left;
    if (most == 0)
        return 0;
    ssize_t length = read(web->body, bytes, most);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) {
        loop_watch_start(web->loop, &web->body_watch, web->body, true, false);
        return CURL_READFUNC_PAUSE;
    }
    web->is_short = length <= 0;
    if (length <= 0)
        return CURL_READFUNC_ABORT;
    web->left -= length;
    web->sent += length;
    return (size_t)length;
}

static void body_ready(struct loop_watch *watch, bool readable, bool writable)
{
    struct web *web = container_of(watch, struct web, body_watch);
    (void)readable;
    (void)writable;
    loop_watch_stop(watch);
    curl_easy_pause(web->easy, CURLPAUSE_CONT);
}

static int64_t number_of(const char *value)
{
    char *rest;
    errno = 0;
    long long number = strtoll(value, &rest, 10);
    bool is_number = errno == 0 && rest != value && number >= 0 &&
                     strspn(rest, " \t\r\n") == strlen(rest);
    return is_number ? number : -1;
}

static bool is_same_part(CURLU *one, CURLU *other, CURLUPart part)
{
    char *a = NULL, *b = NULL;
    curl_url_get(one, part, &a, CURLU_DEFAULT_PORT);
    curl_url_get(other, part, &b, CURLU_DEFAULT_PORT);
    bool is_same = a != NULL && b != NULL && strcasecmp(a, b) == 0;
    curl_free(a);
    curl_free(b);
    return is_same;
}

static bool is_same_server(CURLU *one, CURLU *other)
{
    return is_same_part(one, other, CURLUPART_SCHEME) &&
           is_same_part(one, other, CURLUPART_HOST) &&
           is_same_part(one, other, CURLUPART_PORT);
}

/* A server behind a proxy that speaks TLS for it takes itself for http. */
static void take_for_ours(CURLU *to, CURLU *from)
{
    char *scheme = NULL, *port = NULL;
    curl_url_get(to, CURLUPART_SCHEME, &scheme, 0);
    if (scheme != NULL && strcasecmp(scheme, "http") == 0 &&
        is_same_part(from, to, CURLUPART_HOST)) {
        curl_url_get(from, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
        curl_url_set(to, CURLUPART_SCHEME, "https", 0);
        curl_url_set(to, CURLUPART_PORT, port, 0);
    }
    curl_free(scheme);
    curl_free(port);
}

/* Where the server says it is, made absolute; only on the same server, or our certificate and the
 * office's files would follow whoever points elsewhere. */
static char *resolve(const char *base, const char *place)
{
    CURLU *from = curl_url(), *to = curl_url();
    char *url = NULL, *found = NULL;
    ASSERT(from != NULL && to != NULL);
    bool is_url = curl_url_set(from, CURLUPART_URL, base, 0) == CURLUE_OK &&
                  curl_url_set(to, CURLUPART_URL, base, 0) == CURLUE_OK &&
                  curl_url_set(to, CURLUPART_URL, place, 0) == CURLUE_OK;
    if (is_url)
        take_for_ours(to, from);
    if (is_url && is_same_server(from, to) &&
        curl_url_get(to, CURLUPART_URL, &url, 0) == CURLUE_OK)
        found = mem_text(url);
    curl_free(url);
    curl_url_cleanup(from);
    curl_url_cleanup(to);
    return found;
}

bool web_is_same_server(const char *url, const char *other)
{
    CURLU *one = curl_url(), *two = curl_url();
    ASSERT(one != NULL && two != NULL);
    bool is_same = curl_url_set(one, CURLUPART_URL, url, 0) == CURLUE_OK &&
                   curl_url_set(two, CURLUPART_URL, other, 0) == CURLUE_OK &&
                   is_same_server(one, two);
    curl_url_cleanup(one);
    curl_url_cleanup(two);
    return is_same;
}

static const char *value_of(const char *line, const char *name)
{
    size_t length = strlen(name);
    if (strncasecmp(line, name, length) != 0 || line[length] != ':')
        return NULL;
    line += length + 1;
    return line + strspn(line, " \t");
}

static void take_header(struct web *web, char *line)
{
    const char *value;
    line[strcspn(line, "\r\n")] = '\0';
    if ((value = value_of(line, "Upload-Offset")) != NULL)
        web->answer.offset = number_of(value);
    else if ((value = value_of(line, "Upload-Length")) != NULL)
        web->answer.length = number_of(value);
    else if ((value = value_of(line, "Retry-After")) != NULL)
        web->answer.retry_s = number_of(value); /* a date is none */
    else if (value_of(line, "Tus-Resumable") != NULL)
        web->answer.is_tus = true;
    else if ((value = value_of(line, "Location")) != NULL) {
        mem_free(web->location);
        web->location = resolve(web->url, value);
    }
}

static size_t take_line(char *bytes, size_t one, size_t length, void *owner)
{
    struct web *web = owner;
    web->head_bytes += one * length;
    if (web->head_bytes > HEAD_MAX)
        return 0;
    char *line = mem_text_of(bytes, one * length);
    take_header(web, line);
    mem_free(line);
    return one * length;
}

/* What is beyond the bound is no receipt; it is not kept, and does not end an answer that is one. */
static size_t take_body(char *bytes, size_t one, size_t length, void *owner)
{
    struct web *web = owner;
    size_t room = WEB_BODY_MAX - web->text.length;
    buffer_append(&web->text, bytes, one * length < room ? one * length : room);
    return one * length;
}

/* ---- The loop */

static void drive(struct web *web, curl_socket_t fd, int what)
{
    sigset_t all, before;
    int running;
    sigfillset(&all); /* the resolver's threads take no signals */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    curl_multi_socket_action(web->multi, fd, what, &running);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    drain(web);
}

static void timer_over(struct loop_timer *timer)
{
    drive(container_of(timer, struct web, timer), CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long ms, void *owner)
{
    struct web *web = owner;
    (void)multi;
    if (ms < 0)
        loop_timer_stop(&web->timer);
    else
        loop_timer_start(web->loop, &web->timer, ms);
    return 0;
}

/* The wire may be gone when libcurl returns. */
static void wire_ready(struct loop_watch *watch, bool readable, bool writable)
{
    struct wire *wire = container_of(watch, struct wire, watch);
    drive(wire->web, wire->fd,
          (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *owner, void *seat)
{
    struct web *web = owner;
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
        *wire = (struct wire){.watch.ready = wire_ready, .web = web, .fd = fd};
        curl_multi_assign(web->multi, fd, wire);
    }
    loop_watch_start(web->loop, &wire->watch, fd, (what & CURL_POLL_IN) != 0,
                     (what & CURL_POLL_OUT) != 0);
    return 0;
}

/* ---- The start */

/* A clock that is not set makes no good certificate bad, one set back no expired one good. */
static CURLcode date_trust(CURL *easy, void *context, void *owner)
{
    (void)easy;
    (void)owner;
    trust_by(context, now_latest_us());
    return CURLE_OK;
}

static void set_trust(struct web *web)
{
    CURL *easy = web->easy;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, date_trust);
    ASSERT(code == CURLE_OK); /* a libcurl with OpenSSL: that of etc/packages.debian */
    if (web->trust.ca != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, web->trust.ca);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (web->trust.cert != NULL) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, web->trust.cert);
        curl_easy_setopt(easy, CURLOPT_SSLKEY, web->trust.key);
    }
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static void set_habits(struct web *web)
{
    CURL *easy = web->easy;
    curl_easy_setopt(easy, CURLOPT_URL, web->url);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, web->said);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)(WEB_SILENCE_MS / 1000));
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_line);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, web);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, web);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, web->lines);
}

static void set_method(struct web *web, const struct web_wish *wish)
{
    CURL *easy = web->easy;
    if (wish->body >= 0) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)wish->length);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(easy, CURLOPT_READDATA, web);
        curl_easy_setopt(easy, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)wish->rate);
        bool is_slow = wish->rate > 0 && wish->rate < SLOW_RATE;
        curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
                         (long)(is_slow ? SLOW_PART : PART));
    } else {
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)WEB_ANSWER_MS);
    }
    if (strcmp(wish->method, "HEAD") == 0)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (strcmp(wish->method, "POST") == 0)
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, "");
    else
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, wish->method);
}

/* No Expect: that the server takes it from there was asked just now (HEAD). */
static void set_lines(struct web *web, const struct web_wish *wish)
{
    web->lines = curl_slist_append(NULL, "Expect:");
    for (const char *const *line = wish->headers; *line != NULL; line++)
        web->lines = curl_slist_append(web->lines, *line);
    ASSERT(web->lines != NULL);
}

void web_start(struct web *web, const struct web_wish *wish)
{
    ASSERT(web->easy == NULL);
    mem_free(web->url);
    mem_free(web->location);
    web->url = mem_text(wish->url);
    web->location = NULL;
    web->body = wish->body;
    web->left = wish->length;
    web->sent = 0;
    web->is_short = false;
    web->head_bytes = 0;
    web->said[0] = '\0';
    buffer_clear(&web->text);
    web->answer = (struct web_answer){.offset = -1, .length = -1, .retry_s = -1};
    web->easy = curl_easy_init();
    ASSERT(web->easy != NULL);
    set_lines(web, wish);
    set_habits(web);
    set_trust(web);
    set_method(web, wish);
    CURLMcode code = curl_multi_add_handle(web->multi, web->easy);
    ASSERT(code == CURLM_OK);
}

void web_stop(struct web *web)
{
    if (web != NULL)
        clean(web);
}

bool web_is_busy(const struct web *web)
{
    return web->easy != NULL;
}

int64_t web_sent(const struct web *web)
{
    return web->easy == NULL ? 0 : web->sent;
}

/* ---- Life */

int web_prepare(void)
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

int web_open(struct web **out, struct loop *loop, const struct web_trust *trust,
             void (*ended)(void *owner, const struct web_answer *answer), void *owner)
{
    CURLM *multi = curl_multi_init();
    if (multi == NULL)
        return -ENOMEM;
    struct web *web = mem_new(struct web);
    *web = (struct web){.multi = multi,
                        .loop = loop,
                        .timer.fire = timer_over,
                        .body_watch.ready = body_ready,
                        .trust = *trust,
                        .ended = ended,
                        .owner = owner,
                        .body = -1};
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, web);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, web);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 1L);
    *out = web;
    return 0;
}

void web_close(struct web *web)
{
    if (web == NULL)
        return;
    clean(web);
    curl_multi_cleanup(web->multi);
    loop_timer_stop(&web->timer);
    buffer_free(&web->text);
    mem_free(web->url);
    mem_free(web->location);
    mem_free(web);
}
