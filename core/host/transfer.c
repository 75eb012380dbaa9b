/* transfer - see transfer.h. What libcurl calls only notes down and starts `rest` (wires.h). */
#include "host/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/now.h"
#include "host/tap.h"
#include "host/webtap.h"
#include "host/wires.h"

enum {
    HOST_CONNECTIONS = 3, /* a stream, and two requests beside it */
    DENIALS_MAX = 4,      /* who only ever says that the nonce is stale */
    HOST_ROOM = 120
};

struct transfers {
    struct wires *wires;
    struct loop *loop;
    int count;
};

struct transfer {
    struct transfers *transfers;
    struct wires_job job;
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
    int redirects;   /* left */
    int denials;     /* answers 401 */
    bool has_secret; /* a 401 may not be the last word */
    bool follows;    /* redirects are for GET and HEAD */
    bool stream;
    bool paused;
    struct buffer head;          /* of the answer that comes, for who records it */
    char device[RING_NAME_ROOM]; /* as which */
    char *password;
    char host[HOST_ROOM];
    char why[HOST_ROOM + CURL_ERROR_SIZE + 8];
    char said[CURL_ERROR_SIZE];
};

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

static void end(struct transfer *transfer, enum transfer_fault fault, const char *said)
{
    struct transfer_answer *answer = &transfer->answer;
    char *url = NULL;
    if (answer->fault == TRANSFER_GOOD)
        answer->fault = fault;
    if (said[0] == '\0' || answer->fault != fault)
        said = transfer_fault_text(answer->fault);
    snprintf(transfer->why, sizeof(transfer->why), "%s: %s", transfer->host, said);
    curl_easy_getinfo(transfer->job.easy, CURLINFO_EFFECTIVE_URL, &url);
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
    wires_remove(&transfer->job);
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

/* What goes out, as the library has made it. */
static int note_request(CURL *easy, curl_infotype type, char *bytes, size_t length,
                        void *owner)
{
    const struct transfer *transfer = owner;
    (void)easy;
    if (type == CURLINFO_HEADER_OUT)
        webtap_head(transfer->device, RING_OUT, bytes, length, transfer->password);
    else if (type == CURLINFO_DATA_OUT)
        webtap_body(transfer->device, RING_OUT, bytes, length, transfer->password);
    return 0;
}

static void note_line(struct transfer *transfer, const char *line, size_t length)
{
    bool is_end = length <= 2 && (line[0] == '\r' || line[0] == '\n');
    if (!tap_is_on() && transfer->head.length == 0)
        return;
    buffer_append(&transfer->head, line, length);
    if (!is_end)
        return;
    webtap_head(transfer->device, RING_IN, transfer->head.bytes, transfer->head.length,
                NULL);
    buffer_free(&transfer->head);
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
    note_line(transfer, line, length);
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0)
        headers_clear(&transfer->answer.headers);
    else
        headers_add(&transfer->answer.headers, line, length);
    if (length <= 2 && (line[0] == '\r' || line[0] == '\n')) {
        curl_easy_getinfo(transfer->job.easy, CURLINFO_RESPONSE_CODE, &status);
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
    webtap_body(transfer->device, RING_IN, bytes, length, NULL);
    if (transfer->stream)
        head_is_there(transfer);
    return one * length;
}

/* ---- The loop */

/* Another host, or the same without its lock. */
static bool is_elsewhere(const char *from, const char *to)
{
    char *host = wires_part_of(from, CURLUPART_HOST),
         *next = wires_part_of(to, CURLUPART_HOST);
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
    curl_easy_getinfo(transfer->job.easy, CURLINFO_REDIRECT_URL, &next);
    curl_easy_getinfo(transfer->job.easy, CURLINFO_EFFECTIVE_URL, &from);
    if (next == NULL || transfer->redirects == 0 || !transfer->follows ||
        is_elsewhere(from, next))
        return false;
    transfer->redirects--;
    buffer_clear(&transfer->answer.body);
    curl_easy_setopt(transfer->job.easy, CURLOPT_URL, next);
    wires_add(transfer->transfers->wires, &transfer->job);
    return true;
}

static void take_end(struct wires_job *job, CURLcode code)
{
    struct transfer *transfer = container_of(job, struct transfer, job);
    long status = 0;
    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->answer.status = (int)status;
    if (code == CURLE_OK && follow(transfer))
        return;
    transfer->answer.has_head = transfer->answer.has_head || code == CURLE_OK;
    end(transfer, wires_fault(code), transfer->said);
}

/* ---- Life */

int transfer_prepare(void)
{
    return wires_prepare();
}

int transfer_open_all(struct transfers **out, struct loop *loop)
{
    struct wires *wires;
    int err = wires_open(&wires, loop, HOST_CONNECTIONS);
    if (err)
        return err;
    struct transfers *transfers = mem_new(struct transfers);
    *transfers = (struct transfers){.wires = wires, .loop = loop};
    *out = transfers;
    return 0;
}

void transfer_close_all(struct transfers *transfers)
{
    if (transfers == NULL)
        return;
    ASSERT(transfers->count == 0);
    wires_close(transfers->wires);
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
                                  .job = {.easy = easy, .ended = take_end},
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
    wires_remove(&transfer->job);
    curl_easy_cleanup(transfer->job.easy);
    curl_slist_free_all(transfer->lines);
    loop_rest_stop(&transfer->rest);
    loop_timer_stop(&transfer->deadline);
    headers_free(&transfer->answer.headers);
    buffer_free(&transfer->answer.body);
    buffer_free(&transfer->head);
    mem_free(transfer->password);
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
    char *host = wires_part_of(url, CURLUPART_HOST),
         *user = wires_part_of(url, CURLUPART_USER);
    char *scheme = wires_part_of(url, CURLUPART_SCHEME);
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
    CURL *easy = transfer->job.easy;
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
    CURL *easy = transfer->job.easy;
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, WAYS[wish->auth]);
    if (wish->auth == TRANSFER_NONE)
        return;
    curl_easy_setopt(easy, CURLOPT_USERNAME, wish->user);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, wish->password);
    transfer->password = wish->password != NULL ? mem_text(wish->password) : NULL;
    transfer->has_secret = wish->auth != TRANSFER_BASIC;
}

/* What is the same for all. */
static void set_habits(struct transfer *transfer)
{
    CURL *easy = transfer->job.easy;
    wires_set_habits(easy, transfer->said, "http,https");
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_line);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->lines);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (!transfer->stream)
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
}

/* Whether it is recorded is asked at its start: nobody else makes the library tell. */
static void set_tap(struct transfer *transfer, const char *url)
{
    CURL *easy = transfer->job.easy;
    webtap_name(transfer->device, url);
    if (!tap_is_on())
        return;
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, note_request);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
}

enum transfer_fault transfer_start(struct transfer *transfer,
                                   const struct transfer_wish *wish)
{
    CURL *easy = transfer->job.easy;
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
    set_tap(transfer, wish->url);
    wires_set_low_speed(easy, wish->low_bytes, wish->low_ms);
    wires_set_trust(easy, wish->ca, wish->insecure);
    wires_add(transfer->transfers->wires, &transfer->job);
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
    curl_easy_pause(transfer->job.easy, CURLPAUSE_CONT);
}
