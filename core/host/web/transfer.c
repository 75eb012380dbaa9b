/* transfer - see transfer.h. What libcurl calls only notes down and starts `rest` (wires.h). */
#include "host/web/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/now.h"
#include "base/random.h"
#include "host/tap/tap.h"
#include "host/tap/webtap.h"
#include "host/web/challenge.h"
#include "host/web/wires.h"

enum {
    HOST_CONNECTIONS = 3, /* a stream, and two requests beside it */
    DENIALS_MAX = 4,      /* who only ever says that the nonce is stale */
    CNONCE_BYTES = 16,
    HOST_ROOM = 120
};

/* What is sent when the answer that comes is not the last word. */
enum next { NOTHING, REDIRECT, DIGEST, BASIC, BODY };

struct transfers {
    struct wires *wires;
    struct loop *loop;
    int count;
};

struct transfer {
    struct transfers *transfers;
    struct wires_job job;
    struct curl_slist *lines;
    struct curl_slist *signed_lines; /* the same, and the login */
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
    enum transfer_auth auth;
    struct challenge challenge; /* of the last 401 */
    enum next next;
    bool has_tried; /* the password */
    bool is_hollow; /* the body waits until it is known whether a login is asked for */
    bool follows;   /* redirects are for GET and HEAD */
    bool stream;
    bool paused;
    struct buffer head;          /* of the answer that comes, for who records it */
    char device[RING_NAME_ROOM]; /* as which */
    char *user;
    char *password;
    char *method;
    char *sent; /* the body */
    size_t sent_length;
    char host[HOST_ROOM];
    char why[HOST_ROOM + CURL_ERROR_SIZE + 8];
    char said[CURL_ERROR_SIZE];
};

static void add_line(struct curl_slist **lines, const char *line)
{
    struct curl_slist *more = curl_slist_append(*lines, line);
    ASSERT(more != NULL);
    *lines = more;
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

/* The password goes out once, and again only when it was good and the nonce too old. */
static enum next login_of(struct transfer *transfer)
{
    const struct headers *headers = &transfer->answer.headers;
    bool may_digest = transfer->auth == TRANSFER_DIGEST || transfer->auth == TRANSFER_ANY;
    if (may_digest && challenge_read(&transfer->challenge, headers))
        return !transfer->has_tried || transfer->challenge.stale ? DIGEST : NOTHING;
    bool may_basic = transfer->auth == TRANSFER_ANY && !transfer->has_tried;
    return may_basic && challenge_names(headers, "Basic") ? BASIC : NOTHING;
}

static enum next next_of(struct transfer *transfer)
{
    int status = transfer->answer.status;
    if (status == 401)
        return login_of(transfer);
    if (transfer->is_hollow)
        return BODY;
    bool leads_on = status >= 300 && status < 400 && transfer->redirects > 0;
    return leads_on && transfer->follows ? REDIRECT : NOTHING;
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
        transfer->next = status < 200 ? NOTHING : next_of(transfer);
        if (status >= 200 && transfer->next == NOTHING)
            head_is_there(transfer);
    }
    return one * length;
}

/* Of an answer that is not the last word: only where a redirect leads may yet be seen. */
static bool is_passed_over(const struct transfer *transfer)
{
    return transfer->next != NOTHING && transfer->next != REDIRECT;
}

static size_t take_body(char *bytes, size_t one, size_t length, void *owner)
{
    struct transfer *transfer = owner;
    struct buffer *body = &transfer->answer.body;
    if (is_passed_over(transfer))
        return one * length;
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
    if (next == NULL || is_elsewhere(from, next))
        return false;
    transfer->redirects--;
    transfer->has_tried = false;
    buffer_clear(&transfer->answer.body);
    curl_easy_setopt(transfer->job.easy, CURLOPT_URL, next);
    curl_easy_setopt(transfer->job.easy, CURLOPT_REQUEST_TARGET, NULL);
    curl_easy_setopt(transfer->job.easy, CURLOPT_HTTPHEADER, transfer->lines);
    return true;
}

/* The body goes whole from now on. */
static void fill(struct transfer *transfer)
{
    if (!transfer->is_hollow)
        return;
    transfer->is_hollow = false;
    curl_easy_setopt(transfer->job.easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)transfer->sent_length);
}

/* Path and query, as they are signed and sent. */
static void append_target(struct buffer *target, CURL *easy)
{
    char *url = NULL;
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    char *path = wires_part_of(url, CURLUPART_PATH),
         *query = wires_part_of(url, CURLUPART_QUERY);
    buffer_append_text(target, path != NULL ? path : "/");
    if (query != NULL)
        buffer_printf(target, "?%s", query);
    curl_free(path);
    curl_free(query);
}

static void sign(struct transfer *transfer)
{
    struct buffer line = {0}, target = {0};
    unsigned char bytes[CNONCE_BYTES];
    char cnonce[2 * CNONCE_BYTES + 1];
    random_bytes(bytes, sizeof(bytes));
    hex_encode(cnonce, bytes, sizeof(bytes));
    append_target(&target, transfer->job.easy);
    const struct challenge_login login = {.user = transfer->user,
                                          .password = transfer->password,
                                          .method = transfer->method,
                                          .target = buffer_text(&target),
                                          .body = transfer->sent,
                                          .body_length = transfer->sent_length,
                                          .cnonce = cnonce};
    buffer_append_text(&line, "Authorization: ");
    challenge_answer(&line, &transfer->challenge, &login);
    curl_slist_free_all(transfer->signed_lines);
    transfer->signed_lines = NULL;
    for (const struct curl_slist *one = transfer->lines; one != NULL; one = one->next)
        add_line(&transfer->signed_lines, one->data);
    add_line(&transfer->signed_lines, buffer_text(&line));
    curl_easy_setopt(transfer->job.easy, CURLOPT_REQUEST_TARGET, login.target);
    curl_easy_setopt(transfer->job.easy, CURLOPT_HTTPHEADER, transfer->signed_lines);
    buffer_free(&target);
    buffer_free(&line);
}

static void show_password(struct transfer *transfer)
{
    CURL *easy = transfer->job.easy;
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(easy, CURLOPT_USERNAME, transfer->user);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, transfer->password);
}

/* Whether the request goes out once more. */
static bool goes_on(struct transfer *transfer)
{
    enum next next = transfer->next;
    if (next == NOTHING || (next == REDIRECT && !follow(transfer)))
        return false;
    if (next == DIGEST)
        sign(transfer);
    else if (next == BASIC)
        show_password(transfer);
    transfer->has_tried = transfer->has_tried || next == DIGEST || next == BASIC;
    transfer->next = NOTHING;
    fill(transfer);
    wires_add(transfer->transfers->wires, &transfer->job);
    return true;
}

/* An answer that is passed over may well be cut. */
static void take_end(struct wires_job *job, CURLcode code)
{
    struct transfer *transfer = container_of(job, struct transfer, job);
    enum transfer_fault fault = wires_fault(code);
    long status = 0;
    bool is_whole =
        code == CURLE_OK || (fault == TRANSFER_CLOSED && is_passed_over(transfer));
    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->answer.status = (int)status;
    if (is_whole && goes_on(transfer))
        return;
    transfer->answer.has_head = transfer->answer.has_head || code == CURLE_OK;
    end(transfer, fault, transfer->said);
}

/* ---- Life */

int transfer_prepare(void)
{
    int err = digest_open();
    return err ? err : wires_prepare();
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
    curl_slist_free_all(transfer->signed_lines);
    loop_rest_stop(&transfer->rest);
    loop_timer_stop(&transfer->deadline);
    headers_free(&transfer->answer.headers);
    buffer_free(&transfer->answer.body);
    buffer_free(&transfer->head);
    mem_free(transfer->user);
    mem_free(transfer->password);
    mem_free(transfer->method);
    mem_free(transfer->sent);
    transfer->transfers->count--;
    mem_free(transfer);
}

void transfer_header(struct transfer *transfer, const char *line)
{
    add_line(&transfer->lines, line);
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

/* A body is not sent before it is known whether somebody asks for a login first. */
static void set_body(struct transfer *transfer, const struct transfer_wish *wish)
{
    CURL *easy = transfer->job.easy;
    if (!has_line(transfer, "Content-Type:"))
        transfer_header(transfer, "Content-Type:"); /* none, instead of the library's */
    transfer->sent = mem_text_of(wish->body != NULL ? wish->body : "", wish->body_length);
    transfer->sent_length = wish->body_length;
    transfer->is_hollow = wish->body_length > 0 &&
                          (wish->auth == TRANSFER_DIGEST || wish->auth == TRANSFER_ANY);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->sent);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     transfer->is_hollow ? (curl_off_t)0 : (curl_off_t)wish->body_length);
}

static void set_method(struct transfer *transfer, const struct transfer_wish *wish)
{
    CURL *easy = transfer->job.easy;
    const char *method = wish->method;
    if (method == NULL)
        method = wish->body != NULL ? "POST" : "GET";
    bool sends =
        wish->body != NULL || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;
    transfer->method = mem_text(method);
    if (sends)
        set_body(transfer, wish);
    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (strcmp(method, sends ? "POST" : "GET") != 0)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    transfer->follows =
        !sends && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0);
}

/* A digest is made here: the library would answer the first challenge and not the strongest. */
static void set_login(struct transfer *transfer, const struct transfer_wish *wish)
{
    transfer->auth = wish->auth;
    curl_easy_setopt(transfer->job.easy, CURLOPT_HTTPAUTH, CURLAUTH_NONE);
    if (wish->auth == TRANSFER_NONE)
        return;
    transfer->user = mem_text(wish->user);
    transfer->password = mem_text(wish->password);
    if (wish->auth == TRANSFER_BASIC)
        show_password(transfer);
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
