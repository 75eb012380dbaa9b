/* wires - see wires.h.
 *
 * Invariant: job->on says that the multi handle has its easy one.
 *
 * Rule of this file: libcurl's resolver makes threads, so libcurl runs with all signals blocked. The
 * budget's signal must find the thread that runs Lua. */
#include "host/web/wires.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/now.h"

enum { NUDGE_LEAST_MS = 2, NUDGE_MOST_MS = 128 };
enum { IDLE_CONNECTIONS = 8, CONNECT_MS = 10000, THREAD_STACK = 512 * 1024 };

struct wires {
    CURLM *multi;
    CURLSH *
        sessions; /* of TLS: many file servers want that of the commands for the data too */
    struct loop *loop;
    struct loop_timer timer;
    struct loop_timer nudge;
    int64_t nudge_ms;   /* the next one comes so long after the last */
    int restless;       /* jobs */
    int64_t entered_us; /* the library; 0: it is not at work */
};

/* A socket that libcurl wants to be watched. */
struct wire {
    struct loop_watch watch;
    struct wires *wires;
    curl_socket_t fd;
};

enum transfer_fault wires_fault(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return TRANSFER_GOOD;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_FTP_ACCEPT_TIMEOUT:
        return TRANSFER_TIMEOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
        return TRANSFER_RESOLVE;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
    case CURLE_FTP_CANT_GET_HOST:
    case CURLE_FTP_PORT_FAILED:
    case CURLE_FTP_ACCEPT_FAILED:
        return TRANSFER_REFUSED;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
        return TRANSFER_CLOSED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_USE_SSL_FAILED:
        return TRANSFER_TLS;
    case CURLE_LOGIN_DENIED:
    case CURLE_AUTH_ERROR:
        return TRANSFER_AUTH;
    case CURLE_REMOTE_FILE_NOT_FOUND:
    case CURLE_REMOTE_ACCESS_DENIED:
    case CURLE_FTP_COULDNT_RETR_FILE:
        return TRANSFER_MISSING;
    case CURLE_QUOTE_ERROR:
    case CURLE_FTP_COULDNT_SET_TYPE:
        return TRANSFER_DENIED;
    case CURLE_BAD_DOWNLOAD_RESUME:
        return TRANSFER_ARGUMENT;
    default:
        return TRANSFER_PROTOCOL;
    }
}

/* ---- Jobs */

void wires_add(struct wires *wires, struct wires_job *job)
{
    ASSERT(job->on == NULL);
    curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
    curl_easy_setopt(job->easy, CURLOPT_SHARE, wires->sessions);
    CURLMcode code = curl_multi_add_handle(wires->multi, job->easy);
    ASSERT(code == CURLM_OK);
    job->on = wires;
}

void wires_add_restless(struct wires *wires, struct wires_job *job)
{
    wires_add(wires, job);
    job->restless = true;
    wires->restless++;
    wires->nudge_ms = NUDGE_LEAST_MS;
    loop_timer_start(wires->loop, &wires->nudge, wires->nudge_ms);
}

void wires_settle(struct wires_job *job)
{
    if (job->on != NULL && job->restless)
        job->on->restless--;
    job->restless = false;
}

void wires_remove(struct wires_job *job)
{
    wires_settle(job);
    if (job->on != NULL)
        curl_multi_remove_handle(job->on->multi, job->easy);
    job->on = NULL;
}

static void take_end(CURL *easy, CURLcode code)
{
    struct wires_job *job;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&job);
    wires_remove(job);
    job->ended(job, code);
}

/* ---- The loop */

static void drain(struct wires *wires)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(wires->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            take_end(message->easy_handle, message->data.result);
}

static void enter(struct wires *wires, sigset_t *before)
{
    sigset_t all;
    wires->entered_us = now_mono_us();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

static void leave(struct wires *wires, const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
    wires->entered_us = 0;
    drain(wires);
}

static void drive(struct wires *wires, curl_socket_t fd, int what)
{
    sigset_t before;
    int running;
    enter(wires, &before);
    curl_multi_socket_action(wires->multi, fd, what, &running);
    leave(wires, &before);
    wires->nudge_ms = NUDGE_LEAST_MS;
}

static void nudge(struct loop_timer *timer)
{
    struct wires *wires = container_of(timer, struct wires, nudge);
    sigset_t before;
    int running;
    if (wires->restless == 0)
        return;
    enter(wires, &before);
    curl_multi_socket_all(wires->multi, &running);
    leave(wires, &before);
    loop_timer_start(wires->loop, timer, wires->nudge_ms);
    if (wires->nudge_ms < NUDGE_MOST_MS)
        wires->nudge_ms *= 2;
}

static void timer_over(struct loop_timer *timer)
{
    drive(container_of(timer, struct wires, timer), CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long ms, void *owner)
{
    struct wires *wires = owner;
    (void)multi;
    if (ms < 0)
        loop_timer_stop(&wires->timer);
    else
        loop_timer_start(wires->loop, &wires->timer, ms);
    return 0;
}

/* The wire may be gone when libcurl returns. */
static void wire_ready(struct loop_watch *watch, bool readable, bool writable)
{
    struct wire *wire = container_of(watch, struct wire, watch);
    drive(wire->wires, wire->fd,
          (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *owner, void *seat)
{
    struct wires *wires = owner;
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
        wire->wires = wires;
        wire->fd = fd;
        curl_multi_assign(wires->multi, fd, wire);
    }
    loop_watch_start(wires->loop, &wire->watch, fd, (what & CURL_POLL_IN) != 0,
                     (what & CURL_POLL_OUT) != 0);
    return 0;
}

/* ---- Life */

int wires_prepare(void)
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

int wires_open(struct wires **out, struct loop *loop, int most)
{
    CURLM *multi = curl_multi_init();
    CURLSH *sessions = curl_share_init();
    if (multi == NULL || sessions == NULL) {
        curl_multi_cleanup(multi);
        curl_share_cleanup(sessions);
        return -ENOMEM;
    }
    curl_share_setopt(sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    struct wires *wires = mem_new(struct wires);
    *wires = (struct wires){.multi = multi,
                            .sessions = sessions,
                            .loop = loop,
                            .timer.fire = timer_over,
                            .nudge.fire = nudge};
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, wires);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, wires);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)most);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
    *out = wires;
    return 0;
}

void wires_close(struct wires *wires)
{
    if (wires == NULL)
        return;
    curl_multi_cleanup(wires->multi);
    curl_share_cleanup(wires->sessions);
    loop_timer_stop(&wires->timer);
    loop_timer_stop(&wires->nudge);
    mem_free(wires);
}

int wires_busy_ms(const struct wires *wires)
{
    if (wires->entered_us == 0)
        return 0;
    return (int)((now_mono_us() - wires->entered_us) / 1000);
}

/* ---- Options */

char *wires_part_of(const char *url, CURLUPart part)
{
    CURLU *parts = curl_url();
    char *text = NULL;
    ASSERT(parts != NULL);
    if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK)
        curl_url_get(parts, part, &text, 0);
    curl_url_cleanup(parts);
    return text;
}

/* QUICK_EXIT: ending one must not wait for a name server. */
void wires_set_habits(CURL *easy, char *said, const char *protocols)
{
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, said);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
}

void wires_set_trust(CURL *easy, const char *ca, bool insecure)
{
    if (insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (ca != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
}

void wires_set_low_speed(CURL *easy, int64_t bytes, int64_t ms)
{
    if (ms == 0)
        return;
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)bytes);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)((ms + 999) / 1000));
}
