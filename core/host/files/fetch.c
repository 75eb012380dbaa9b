/* fetch - see fetch.h. What libcurl calls only notes down and starts `rest` (wires.h). */
#include "host/files/fetch.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/now.h"
#include "host/files/fetch_sockets.h"
#include "host/tap/ftptap.h"
#include "host/tap/tap.h"
#include "host/web/wires.h"

enum {
    HOST_CONNECTIONS = 3,
    ANSWER_S = 30,   /* to one command */
    KEY_DIGITS = 43, /* base64 of 32 bytes, without its = */
    URL_ROOM = URLPART_ROOM + 3 * FETCH_PATH_MAX + 40,
    COMMAND_ROOM = FETCH_PATH_MAX + 8,
    HOST_ROOM = URLPART_ROOM + 8
};

/* The replies of a server that does not know the exact form. */
static const int UNKNOWN[] = {500, 501, 502, 504, 202};
enum { NOT_THERE = 550 };
static const char KEY_PREFIX[] = "SHA256:"; /* as ssh-keygen -l writes it */

struct fetches {
    struct wires *wires;
    struct loop *loop;
    int count;
    struct fetch_sockets sockets;
    char plain[HOST_ROOM]; /* the host that was the last not to know the exact form */
};

struct fetch {
    struct fetches *fetches;
    struct wires_job job;
    struct curl_slist *commands;
    void (*news)(void *owner);
    void *owner;
    struct loop_rest rest;
    struct loop_timer deadline;
    struct fetch_answer answer;
    struct ftpurl url;
    enum fetch_kind kind;
    size_t most;
    int64_t began_us;
    int64_t timeout_ms;
    int64_t from;     /* the library tells the size of what is left */
    int strange_port; /* what the server wished, and the URL does not name */
    bool stream;
    bool paused;
    char device[RING_NAME_ROOM]; /* as which it is recorded */
    char *password;
    char why[HOST_ROOM + CURL_ERROR_SIZE + 8];
    char said[CURL_ERROR_SIZE];
};

/* ---- The end */

/* The library would wait for an SSH server to close the file that is not wanted any more. */
static void hang_up(struct fetch *fetch)
{
    if (fetch->url.lock == FTPURL_SSH && fetch->job.on != NULL)
        fetch_sockets_shut(&fetch->fetches->sockets, fetch);
    wires_remove(&fetch->job);
}

static void tell(struct fetch *fetch)
{
    loop_rest_start(fetch->fetches->loop, &fetch->rest);
}

static void rest_came(struct loop_rest *rest)
{
    struct fetch *fetch = container_of(rest, struct fetch, rest);
    fetch->news(fetch->owner);
}

static void end(struct fetch *fetch, enum transfer_fault fault, const char *said)
{
    struct fetch_answer *answer = &fetch->answer;
    if (answer->fault == TRANSFER_GOOD)
        answer->fault = fault;
    if (said[0] == '\0' || answer->fault != fault)
        said = transfer_fault_text(answer->fault);
    snprintf(fetch->why, sizeof(fetch->why), "%s: %s", fetch->url.host, said);
    answer->took_ms = (now_mono_us() - fetch->began_us) / 1000;
    answer->over = true;
    loop_timer_stop(&fetch->deadline);
    if (fetch->url.lock == FTPURL_SSH)
        ftptap_end(fetch->device, transfer_fault_name(answer->fault), answer->size);
    tell(fetch);
}

static void too_late(struct loop_timer *timer)
{
    struct fetch *fetch = container_of(timer, struct fetch, deadline);
    char said[60];
    hang_up(fetch);
    snprintf(said, sizeof(said), "no answer in %d ms", (int)fetch->timeout_ms);
    end(fetch, TRANSFER_TIMEOUT, said);
}

/* ---- What libcurl calls */

static void look_at_file(struct fetch *fetch)
{
    curl_off_t size = -1, changed = -1;
    curl_easy_getinfo(fetch->job.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    curl_easy_getinfo(fetch->job.easy, CURLINFO_FILETIME_T, &changed);
    fetch->answer.size = size < 0 ? -1 : size + fetch->from;
    fetch->answer.time = changed;
}

/* Commands and replies, as they are on the line. */
static int note_line(CURL *easy, curl_infotype type, char *bytes, size_t length,
                     void *owner)
{
    const struct fetch *fetch = owner;
    (void)easy;
    if (type == CURLINFO_HEADER_OUT || type == CURLINFO_HEADER_IN)
        ftptap_line(fetch->device, type == CURLINFO_HEADER_OUT ? RING_OUT : RING_IN,
                    bytes, length, fetch->password);
    return 0;
}

/* libcurl says what it knows of a file as if it were one. */
static size_t take_body(char *bytes, size_t one, size_t length, void *owner)
{
    struct fetch *fetch = owner;
    struct buffer *body = &fetch->answer.body;
    if (fetch->kind != FETCH_LIST && fetch->kind != FETCH_READ)
        return one * length;
    if (!fetch->stream && body->length + length > fetch->most) {
        fetch->answer.fault = TRANSFER_TOO_BIG;
        return 0;
    }
    if (fetch->stream && body->length > 0 && body->length + length > FETCH_ROOM) {
        fetch->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    buffer_append(body, bytes, length);
    if (fetch->kind == FETCH_LIST)
        tap_put(fetch->device, RING_IN, bytes, length);
    if (!fetch->stream)
        return one * length;
    if (!fetch->answer.begun)
        look_at_file(fetch);
    fetch->answer.begun = true;
    wires_settle(&fetch->job);
    loop_timer_stop(&fetch->deadline);
    tell(fetch);
    return one * length;
}

static bool is_named(const struct ftpurl *url, int port)
{
    return port == url->port || (!url->active && port >= url->from && port <= url->until);
}

/* Port 0 is a socket of ours, for the server to connect to. */
static int port_of(const struct curl_sockaddr *address)
{
    if (address->family == AF_INET6)
        return ntohs(
            ((const struct sockaddr_in6 *)(const void *)&address->addr)->sin6_port);
    return ntohs(((const struct sockaddr_in *)(const void *)&address->addr)->sin_port);
}

static curl_socket_t open_socket(void *owner, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
    struct fetch *fetch = owner;
    int port = port_of(address);
    (void)purpose;
    if (port == 0 || is_named(&fetch->url, port))
        return fetch_sockets_open(&fetch->fetches->sockets, address->family,
                                  address->socktype, address->protocol, fetch);
    fetch->strange_port = port;
    return CURL_SOCKET_BAD;
}

static int close_socket(void *owner, curl_socket_t fd)
{
    struct fetches *fetches = owner;
    return fetch_sockets_close(&fetches->sockets, fd);
}

/* Called also while libcurl waits and nothing else in this process goes on. */
static int look_at_time(void *owner, curl_off_t all, curl_off_t come, curl_off_t sent,
                        curl_off_t left)
{
    const struct fetch *fetch = owner;
    (void)all;
    (void)come;
    (void)sent;
    (void)left;
    return wires_busy_ms(fetch->fetches->wires) >= FETCH_BLOCK_MS;
}

/* ---- How it went */

static bool is_unknown(int reply)
{
    for (size_t i = 0; i < countof(UNKNOWN); i++)
        if (UNKNOWN[i] == reply)
            return true;
    return false;
}

static void list_plainly(struct fetch *fetch)
{
    fetch->answer.facts = false;
    buffer_clear(&fetch->answer.body);
    curl_easy_setopt(fetch->job.easy, CURLOPT_CUSTOMREQUEST, NULL);
    wires_add_restless(fetch->fetches->wires, &fetch->job);
}

/* SFTP has no replies with numbers; of a command the library tells in words alone why it failed. */
static enum transfer_fault judge_ssh(const struct fetch *fetch, CURLcode code)
{
    if (code == CURLE_REMOTE_ACCESS_DENIED)
        return TRANSFER_DENIED;
    if (code == CURLE_SSH)
        return TRANSFER_CLOSED;
    if (code == CURLE_QUOTE_ERROR && strstr(fetch->said, "No such file") != NULL)
        return TRANSFER_MISSING;
    return wires_fault(code);
}

/* The library says "missing" for each command that a server refuses. */
static enum transfer_fault judge(struct fetch *fetch, CURLcode code)
{
    if (fetch->url.lock == FTPURL_SSH)
        return judge_ssh(fetch, code);
    enum transfer_fault fault = wires_fault(code);
    bool refused = fault == TRANSFER_MISSING || fault == TRANSFER_DENIED;
    if (fetch->answer.reply >= 420 && fetch->answer.reply < 430 && fault != TRANSFER_GOOD)
        return TRANSFER_CLOSED;
    if (refused)
        return fetch->answer.reply == NOT_THERE ? TRANSFER_MISSING : TRANSFER_DENIED;
    return fault;
}

static void say(struct fetch *fetch, enum transfer_fault fault)
{
    char text[CURL_ERROR_SIZE], reply[24] = "";
    if (fetch->answer.reply != 0)
        snprintf(reply, sizeof(reply), " (reply %d)", fetch->answer.reply);
    if (fault == TRANSFER_MISSING || fault == TRANSFER_DENIED)
        snprintf(text, sizeof(text), "%s%s", transfer_fault_text(fault), reply);
    else if (fault == TRANSFER_REFUSED && fetch->strange_port != 0)
        snprintf(text, sizeof(text),
                 "it gives its data at port %d, which passive= in the URL does not name",
                 fetch->strange_port);
    else if (fault == TRANSFER_AUTH)
        snprintf(text, sizeof(text), "it lets nobody in with this login%s", reply);
    else
        snprintf(text, sizeof(text), "%s", fetch->said);
    end(fetch, fault, text);
}

static void take_end(struct wires_job *job, CURLcode code)
{
    struct fetch *fetch = container_of(job, struct fetch, job);
    long reply = 0;
    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &reply);
    fetch->answer.reply = (int)reply;
    enum transfer_fault fault = judge(fetch, code);
    if (fault == TRANSFER_DENIED && fetch->answer.facts && is_unknown((int)reply)) {
        snprintf(fetch->fetches->plain, HOST_ROOM, "%s:%d", fetch->url.host,
                 fetch->url.port);
        list_plainly(fetch);
        return;
    }
    if (fault == TRANSFER_GOOD)
        look_at_file(fetch);
    say(fetch, fault);
}

/* ---- Life */

int fetch_prepare(void)
{
    return wires_prepare();
}

int fetch_open_all(struct fetches **out, struct loop *loop)
{
    struct wires *wires;
    int err = wires_open(&wires, loop, HOST_CONNECTIONS);
    if (err)
        return err;
    struct fetches *fetches = mem_new(struct fetches);
    *fetches = (struct fetches){.wires = wires, .loop = loop};
    fetch_sockets_init(&fetches->sockets);
    *out = fetches;
    return 0;
}

void fetch_close_all(struct fetches *fetches)
{
    if (fetches == NULL)
        return;
    ASSERT(fetches->count == 0);
    fetch_sockets_shut_all(&fetches->sockets);
    wires_close(fetches->wires);
    mem_free(fetches);
}

int fetch_open(struct fetch **out, struct fetches *fetches, void (*news)(void *owner),
               void *owner)
{
    if (fetches->count == FETCHES_MAX)
        return -EBUSY;
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return -ENOMEM;
    struct fetch *fetch = mem_new(struct fetch);
    *fetch = (struct fetch){.fetches = fetches,
                            .job = {.easy = easy, .ended = take_end},
                            .news = news,
                            .owner = owner,
                            .rest.fire = rest_came,
                            .deadline.fire = too_late};
    fetch->answer.why = fetch->why;
    fetch->answer.size = fetch->answer.time = -1;
    fetches->count++;
    *out = fetch;
    return 0;
}

void fetch_close(struct fetch *fetch)
{
    if (fetch == NULL)
        return;
    hang_up(fetch);
    fetch_sockets_leave(&fetch->fetches->sockets, fetch);
    curl_easy_cleanup(fetch->job.easy);
    curl_slist_free_all(fetch->commands);
    loop_rest_stop(&fetch->rest);
    loop_timer_stop(&fetch->deadline);
    buffer_free(&fetch->answer.body);
    mem_free(fetch->password);
    fetch->fetches->count--;
    mem_free(fetch);
}

/* ---- The start */

static enum transfer_fault refuse(struct fetch *fetch, const char *why)
{
    fetch->answer.fault = TRANSFER_ARGUMENT;
    snprintf(fetch->why, sizeof(fetch->why), "%s", why);
    return TRANSFER_ARGUMENT;
}

/* A control character would end a command and begin the next. */
static bool is_path(const char *path, bool from_root)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)path[i] < ' ' || path[i] == 127)
            return false;
    return length <= FETCH_PATH_MAX && (!from_root || path[0] == '/');
}

/* Whoever it is would be told the password. */
static enum transfer_fault look_at_trust(struct fetch *fetch,
                                         const struct fetch_wish *wish)
{
    size_t prefix = sizeof(KEY_PREFIX) - 1;
    bool is_ssh = wish->url->lock == FTPURL_SSH;
    if (!is_ssh && wish->host_key != NULL)
        return refuse(fetch, "host_key: expected with sftp:// only");
    if (!is_ssh)
        return TRANSFER_GOOD;
    if (wish->user == NULL)
        return refuse(fetch, "sftp: expected user and password");
    if (wish->host_key == NULL && !wish->insecure)
        return refuse(fetch,
                      "sftp: expected host_key, \"SHA256:...\" of the server's key "
                      "(ssh-keyscan HOST | ssh-keygen -lf -)");
    if (wish->host_key != NULL && (strncmp(wish->host_key, KEY_PREFIX, prefix) != 0 ||
                                   strlen(wish->host_key) != prefix + KEY_DIGITS))
        return refuse(fetch, "host_key: expected \"SHA256:\" and 43 letters");
    return TRANSFER_GOOD;
}

static enum transfer_fault look_at_paths(struct fetch *fetch,
                                         const struct fetch_wish *wish)
{
    bool is_command = wish->kind == FETCH_RENAME || wish->kind == FETCH_REMOVE;
    if (!is_path(wish->path, is_command) ||
        (wish->to != NULL && !is_path(wish->to, true)))
        return refuse(fetch, is_command
                                 ? "expected paths from / on, without control characters"
                                 : "path: expected at most 1024 bytes without control "
                                   "characters");
    size_t length = strlen(wish->path);
    if (wish->kind != FETCH_LIST && (length == 0 || wish->path[length - 1] == '/'))
        return refuse(fetch, "path: expected the name of a file");
    return TRANSFER_GOOD;
}

static void set_url(struct fetch *fetch, const struct fetch_wish *wish)
{
    char text[URL_ROOM];
    static const char *const SCHEMES[] = {[FTPURL_PLAIN] = "ftp",
                                          [FTPURL_EXPLICIT] = "ftp",
                                          [FTPURL_IMPLICIT] = "ftps",
                                          [FTPURL_SSH] = "sftp"};
    const struct ftpurl *url = &fetch->url;
    bool is_six = strchr(url->host, ':') != NULL;
    snprintf(text, sizeof(text), is_six ? "%s://[%s]:%d/" : "%s://%s:%d/",
             SCHEMES[url->lock], url->host, url->port);
    if (wish->kind != FETCH_RENAME && wish->kind != FETCH_REMOVE)
        ftpurl_append(url, text, sizeof(text) - 2, wish->path);
    if (wish->kind == FETCH_LIST && text[strlen(text) - 1] != '/')
        strcat(text, "/");
    curl_easy_setopt(fetch->job.easy, CURLOPT_URL, text);
}

static void set_route(CURL *easy, const struct ftpurl *url)
{
    char range[40];
    if (url->active) {
        snprintf(range, sizeof(range), ":%d-%d", url->from, url->until);
        curl_easy_setopt(easy, CURLOPT_FTPPORT, range);
    }
    curl_easy_setopt(easy, CURLOPT_FTP_SKIP_PASV_IP, 1L);
    curl_easy_setopt(easy, CURLOPT_FTP_FILEMETHOD, (long)CURLFTPMETHOD_SINGLECWD);
    if (url->lock == FTPURL_EXPLICIT)
        curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
}

static void add_line(struct fetch *fetch, const char *line)
{
    struct curl_slist *commands = curl_slist_append(fetch->commands, line);
    ASSERT(commands != NULL);
    fetch->commands = commands;
}

static void add_command(struct fetch *fetch, const char *verb, const char *path)
{
    char line[COMMAND_ROOM];
    snprintf(line, sizeof(line), "%s %s", verb, path);
    add_line(fetch, line);
}

/* The library's own commands for SFTP: a path in quotes. */
static void append_quoted(struct buffer *line, const char *path)
{
    buffer_append_text(line, " \"");
    for (; *path != '\0'; path++) {
        if (*path == '"' || *path == '\\')
            buffer_append(line, "\\", 1);
        buffer_append(line, path, 1);
    }
    buffer_append_text(line, "\"");
}

static void add_ssh_command(struct fetch *fetch, const struct fetch_wish *wish)
{
    struct buffer line = {0};
    buffer_append_text(&line, wish->kind == FETCH_RENAME ? "rename" : "rm");
    append_quoted(&line, wish->path);
    if (wish->to != NULL)
        append_quoted(&line, wish->to);
    add_line(fetch, buffer_text(&line));
    buffer_free(&line);
}

static void add_commands(struct fetch *fetch, const struct fetch_wish *wish)
{
    if (fetch->url.lock == FTPURL_SSH) {
        add_ssh_command(fetch, wish);
    } else if (wish->kind == FETCH_RENAME) {
        add_command(fetch, "RNFR", wish->path);
        add_command(fetch, "RNTO", wish->to);
    } else {
        add_command(fetch, "DELE", wish->path);
    }
}

static void set_kind(struct fetch *fetch, const struct fetch_wish *wish)
{
    char place[HOST_ROOM];
    CURL *easy = fetch->job.easy;
    snprintf(place, sizeof(place), "%s:%d", fetch->url.host, fetch->url.port);
    fetch->answer.facts = wish->kind == FETCH_LIST && fetch->url.lock != FTPURL_SSH &&
                          strcmp(place, fetch->fetches->plain) != 0;
    if (fetch->answer.facts)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "MLSD");
    if (wish->kind == FETCH_RENAME || wish->kind == FETCH_REMOVE) {
        add_commands(fetch, wish);
    } else if (wish->kind != FETCH_LIST) {
        curl_easy_setopt(easy, CURLOPT_FILETIME, 1L);
        curl_easy_setopt(easy, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)wish->from);
    }
    curl_easy_setopt(easy, CURLOPT_NOBODY,
                     (long)(wish->kind != FETCH_LIST && wish->kind != FETCH_READ));
    curl_easy_setopt(easy, CURLOPT_QUOTE, fetch->commands);
}

static void set_habits(struct fetch *fetch, const struct fetch_wish *wish)
{
    CURL *easy = fetch->job.easy;
    wires_set_habits(easy, fetch->said, "ftp,ftps,sftp");
    wires_set_trust(easy, wish->ca, wish->insecure);
    if (wish->host_key != NULL)
        curl_easy_setopt(easy, CURLOPT_SSH_HOST_PUBLIC_KEY_SHA256,
                         wish->host_key + sizeof(KEY_PREFIX) - 1);
    /* One way only: the library would try the same password by the next. */
    curl_easy_setopt(easy, CURLOPT_SSH_AUTH_TYPES, (long)CURLSSH_AUTH_PASSWORD);
    wires_set_low_speed(easy, wish->low_bytes, wish->low_ms);
    curl_easy_setopt(easy, CURLOPT_USERNAME,
                     wish->user != NULL ? wish->user : "anonymous");
    curl_easy_setopt(easy, CURLOPT_PASSWORD,
                     wish->password != NULL ? wish->password : "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, fetch->fetches);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, look_at_time);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, fetch);
    curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)ANSWER_S);
}

/* Whether it is recorded is asked at its start: nobody else makes the library tell. */
static void set_tap(struct fetch *fetch, const struct fetch_wish *wish)
{
    static const char *const NAMES[] = {
        [FETCH_LIST] = "list",     [FETCH_READ] = "read",     [FETCH_STAT] = "stat",
        [FETCH_RENAME] = "rename", [FETCH_REMOVE] = "remove",
    };
    CURL *easy = fetch->job.easy;
    ftpurl_print(&fetch->url, fetch->device, sizeof(fetch->device));
    fetch->password = wish->password != NULL ? mem_text(wish->password) : NULL;
    if (fetch->url.lock == FTPURL_SSH)
        ftptap_ask(fetch->device, NAMES[wish->kind], wish->path, wish->from);
    else if (tap_is_on()) {
        curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, note_line);
        curl_easy_setopt(easy, CURLOPT_DEBUGDATA, fetch);
        curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
    }
}

enum transfer_fault fetch_start(struct fetch *fetch, const struct fetch_wish *wish)
{
    if (look_at_trust(fetch, wish) != TRANSFER_GOOD ||
        look_at_paths(fetch, wish) != TRANSFER_GOOD)
        return TRANSFER_ARGUMENT;
    fetch->kind = wish->kind;
    fetch->url = *wish->url;
    fetch->most = wish->most;
    fetch->stream = wish->stream;
    fetch->from = wish->from;
    fetch->timeout_ms = wish->timeout_ms;
    fetch->began_us = now_mono_us();
    set_url(fetch, wish);
    set_route(fetch->job.easy, &fetch->url);
    set_kind(fetch, wish);
    set_habits(fetch, wish);
    set_tap(fetch, wish);
    wires_add_restless(fetch->fetches->wires, &fetch->job);
    loop_timer_start(fetch->fetches->loop, &fetch->deadline, wish->timeout_ms);
    return TRANSFER_GOOD;
}

/* ---- The answer */

const struct fetch_answer *fetch_answer(const struct fetch *fetch)
{
    return &fetch->answer;
}

/* Goes on reading when half of the room is free again. */
void fetch_take(struct fetch *fetch, size_t length)
{
    buffer_drop_front(&fetch->answer.body, length);
    if (!fetch->paused || fetch->answer.over ||
        fetch->answer.body.length > FETCH_ROOM / 2)
        return;
    fetch->paused = false;
    curl_easy_pause(fetch->job.easy, CURLPAUSE_CONT);
}
