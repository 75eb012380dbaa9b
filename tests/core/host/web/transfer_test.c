/* Requests over real sockets to a server that says what it was told to, whatever it is asked. */
#include "host/web/transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/now.h"
#include "host/tap.h"

enum { HEAD_ROOM = 4096, ANSWERS_MAX = 8 };

/* One connection after the other, one answer a request; "" closes without one, "..." says nothing, "*"
 * before an answer leaves the connection open. */
static struct {
    struct loop *loop;
    struct transfers *transfers;
    struct transfer *transfer;
    int news;
    pid_t server;
    int told; /* what the server was asked, as it came */
    char url[60];
    char asked[ANSWERS_MAX * HEAD_ROOM];
} desk;

/* ---- The server, in a process of its own */

static void answer_all(int listener, int told, const char *const *answers)
{
    int fd = -1;
    for (; *answers != NULL; answers++) {
        char head[HEAD_ROOM];
        if (fd < 0)
            fd = accept(listener, NULL, NULL);
        ssize_t length = recv(fd, head, sizeof(head), 0);
        if (length <= 0) {
            close(fd);
            fd = -1;
            answers--;
            continue;
        }
        if (write(told, head, (size_t)length) != length)
            _exit(1);
        if (strcmp(*answers, "...") == 0)
            pause();
        bool stays = (*answers)[0] == '*';
        send(fd, *answers + stays, strlen(*answers) - stays, MSG_NOSIGNAL);
        if (!stays) {
            close(fd);
            fd = -1;
        }
    }
    pause();
}

static void serve(const char *const *answers)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fds[2], listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(pipe(fds), 0);
    snprintf(desk.url, sizeof(desk.url), "http://127.0.0.1:%d", ntohs(address.sin_port));
    desk.server = fork();
    if (desk.server == 0)
        answer_all(listener, fds[1], answers);
    close(listener);
    close(fds[1]);
    desk.told = fds[0];
}

/* Everything that was asked until now; the server is gone afterwards. */
static const char *asked(void)
{
    kill(desk.server, SIGKILL);
    waitpid(desk.server, NULL, 0);
    desk.server = 0;
    size_t length = 0;
    ssize_t more;
    while ((more = read(desk.told, desk.asked + length,
                        sizeof(desk.asked) - 1 - length)) > 0)
        length += (size_t)more;
    desk.asked[length] = '\0';
    close(desk.told);
    return desk.asked;
}

/* ---- The client */

static void news_came(void *owner)
{
    assert_ptr_equal(owner, &desk);
    desk.news++;
}

static int open_all(void **state)
{
    (void)state;
    memset(&desk, 0, sizeof(desk));
    assert_int_equal(loop_open(&desk.loop), 0);
    assert_int_equal(transfer_open_all(&desk.transfers, desk.loop), 0);
    assert_int_equal(transfer_open(&desk.transfer, desk.transfers, news_came, &desk), 0);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    if (desk.server != 0)
        asked();
    transfer_close(desk.transfer);
    transfer_close_all(desk.transfers);
    loop_close(desk.loop);
    return 0;
}

static struct transfer_wish wish_for(const char *path)
{
    static char url[100];
    snprintf(url, sizeof(url), "%s%s", desk.url, path);
    return (struct transfer_wish){.url = url, .timeout_ms = 5000, .most = 1000};
}

static struct transfer_wish secret_wish(enum transfer_auth auth)
{
    struct transfer_wish wish = wish_for("/x");
    wish.auth = auth;
    wish.user = "admin";
    wish.password = "secret-word";
    return wish;
}

static const struct transfer_answer *get(const struct transfer_wish *wish)
{
    const struct transfer_answer *answer = transfer_answer(desk.transfer);
    assert_int_equal(transfer_start(desk.transfer, wish), TRANSFER_GOOD);
    assert_int_equal(desk.news, 0); /* never from inside the call */
    while (!answer->over)
        loop_turn(desk.loop);
    assert_null(strstr(answer->why, "secret-word"));
    return answer;
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        count++;
    return count;
}

#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: " body

static const char *const GOOD[] = {OK("5\r\nX-One: 1\r\n\r\nhello"), NULL};

static const char DENIED[] = "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"IP "
                             "Camera(51253)\", qop=\"auth\", nonce=\"4e6a5930\"\r\n"
                             "Content-Length: 6\r\nConnection: close\r\n\r\ndenied";

/* ---- Promises */

static void an_answer_comes_with_status_head_and_body(void **state)
{
    (void)state;
    serve(GOOD);
    struct transfer_wish wish = wish_for("/a?b=c");
    transfer_header(desk.transfer, "X-Mine: yes");
    const struct transfer_answer *answer = get(&wish);
    assert_int_equal(answer->fault, TRANSFER_GOOD);
    assert_int_equal(answer->status, 200);
    assert_int_equal(answer->body.length, 5);
    assert_memory_equal(answer->body.bytes, "hello", 5);
    assert_string_equal(headers_find(&answer->headers, "x-one"), "1");
    assert_string_equal(answer->url, wish.url);
    assert_true(answer->took_ms >= 0);
    const char *text = asked();
    assert_memory_equal(text, "GET /a?b=c HTTP/1.1\r\n", 21);
    assert_non_null(strstr(text, "X-Mine: yes\r\n"));
}

static void a_body_goes_as_it_is(void **state)
{
    (void)state;
    serve(GOOD);
    struct transfer_wish wish = wish_for("/put");
    wish.method = "PUT";
    wish.body = "a\0b";
    wish.body_length = 3;
    get(&wish);
    const char *text = asked();
    assert_memory_equal(text, "PUT /put HTTP/1.1\r\n", 19);
    assert_non_null(strstr(text, "Content-Length: 3\r\n"));
    assert_null(strstr(text, "Content-Type"));
    assert_null(strstr(text, "Expect"));
}

static void a_password_is_tried_once(void **state)
{
    static const char *const NEVER[] = {DENIED, DENIED, DENIED, DENIED, NULL};
    (void)state;
    serve(NEVER);
    struct transfer_wish wish = secret_wish(TRANSFER_DIGEST);
    const struct transfer_answer *answer = get(&wish);
    assert_int_equal(answer->fault, TRANSFER_GOOD);
    assert_int_equal(answer->status, 401);
    const char *text = asked();
    assert_int_equal(count_of(text, "GET /x"), 2);
    assert_int_equal(count_of(text, "Authorization: Digest"), 1);
    assert_null(strstr(text, "secret-word"));
}

static void digest_sends_the_body_again(void **state)
{
    static const char *const TWICE[] = {DENIED, OK("2\r\n\r\nok"), NULL};
    (void)state;
    serve(TWICE);
    struct transfer_wish wish = secret_wish(TRANSFER_DIGEST);
    wish.body = "the body";
    wish.body_length = 8;
    const struct transfer_answer *answer = get(&wish);
    assert_int_equal(answer->status, 200);
    const char *second = strstr(asked(), "Authorization: Digest");
    assert_non_null(second);
    assert_non_null(strstr(second, "\r\n\r\nthe body"));
}

static void nobody_who_did_not_ask_gets_the_password(void **state)
{
    (void)state;
    serve(GOOD);
    struct transfer_wish wish = secret_wish(TRANSFER_ANY);
    get(&wish);
    assert_null(strstr(asked(), "Authorization"));
}

static void faults_have_their_names(void **state)
{
    static const struct {
        const char *answer;
        enum transfer_fault fault;
    } TOLD[] = {
        {"", TRANSFER_CLOSED},
        {"\1\2 no HTTP\r\n\r\n", TRANSFER_PROTOCOL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", TRANSFER_CLOSED},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n", TRANSFER_CLOSED},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", TRANSFER_CLOSED},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip at all",
         TRANSFER_PROTOCOL},
    };
    for (size_t i = 0; i < countof(TOLD); i++) {
        const char *const answers[] = {TOLD[i].answer, NULL};
        open_all(state);
        serve(answers);
        struct transfer_wish wish = wish_for("/x");
        const struct transfer_answer *answer = get(&wish);
        assert_string_equal(transfer_fault_name(answer->fault),
                            transfer_fault_name(TOLD[i].fault));
        assert_memory_equal(answer->why, "127.0.0.1: ", 11);
        close_all(state);
    }
}

static void nobody_there_is_refused_and_silence_has_its_time(void **state)
{
    static const char *const SILENT[] = {"...", NULL};
    (void)state;
    struct transfer_wish wish = {.url = "http://127.0.0.1:1/", .timeout_ms = 5000};
    assert_int_equal(get(&wish)->fault, TRANSFER_REFUSED);
    close_all(state);
    open_all(state);
    serve(SILENT);
    wish = wish_for("/x");
    wish.timeout_ms = 150;
    int64_t began = now_mono_us();
    assert_int_equal(get(&wish)->fault, TRANSFER_TIMEOUT);
    assert_in_range(now_mono_us() - began, 140000, 60 * 1000 * 1000);
}

static void too_much_is_refused(void **state)
{
    char big[3000], head[TRANSFER_HEAD_MAX + 3000] = "HTTP/1.1 200 OK\r\n";
    const char *const bodies[] = {big, NULL}, *const heads[] = {head, NULL};
    (void)state;
    int length = snprintf(big, sizeof(big), "HTTP/1.1 200 OK\r\n\r\n");
    memset(big + length, 'x', 1001);
    big[length + 1001] = '\0';
    serve(bodies);
    struct transfer_wish wish = wish_for("/x");
    assert_int_equal(get(&wish)->fault, TRANSFER_TOO_BIG);
    close_all(state);
    open_all(state);
    while (strlen(head) < TRANSFER_HEAD_MAX + 2000)
        memcpy(head + strlen(head), "X-A: 0123456789012345678901234567890\r\n", 39);
    serve(heads);
    wish = wish_for("/x");
    assert_int_equal(get(&wish)->fault, TRANSFER_TOO_BIG);
}

static void only_the_web_is_asked_and_no_user_stands_in_a_url(void **state)
{
    static const char *const URLS[] = {"file:///etc/passwd",
                                       "ftp://127.0.0.1/",
                                       "nonsense",
                                       "http://me:secret-word@127.0.0.1/",
                                       "",
                                       "http://"};
    (void)state;
    for (size_t i = 0; i < countof(URLS); i++) {
        struct transfer_wish wish = {.url = URLS[i], .timeout_ms = 100};
        assert_int_equal(transfer_start(desk.transfer, &wish), TRANSFER_ARGUMENT);
        assert_null(strstr(transfer_answer(desk.transfer)->why, "secret-word"));
        close_all(state);
        open_all(state);
    }
}

static const char BACK[] =
    "*HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 4\r\n\r\nback";

static void redirects_are_followed_when_wished_and_not_elsewhere(void **state)
{
    static const char *const ONCE[] = {BACK, OK("2\r\n\r\nok"), NULL};
    static const char *const ROUND[] = {BACK, BACK, BACK, BACK, NULL};
    static const char *const AWAY[] = {"*HTTP/1.1 302 Found\r\nLocation: "
                                       "http://localhost:1/\r\nContent-Length: 0\r\n\r\n",
                                       NULL};
    static const struct {
        const char *const *answers;
        int redirects;
        const char *method;
        int status;
        size_t asked;
    } CASES[] = {
        {ONCE, 0, NULL, 302, 1}, {ONCE, 3, NULL, 200, 2},   {ROUND, 3, NULL, 302, 4},
        {AWAY, 3, NULL, 302, 1}, {ONCE, 3, "POST", 302, 1},
    };
    for (size_t i = 0; i < countof(CASES); i++) {
        open_all(state);
        serve(CASES[i].answers);
        struct transfer_wish wish = wish_for("/a");
        wish.redirects = CASES[i].redirects;
        wish.method = CASES[i].method;
        const struct transfer_answer *answer = get(&wish);
        assert_int_equal(answer->status, CASES[i].status);
        assert_int_equal(answer->body.length, CASES[i].status == 200 ? 2
                                              : i == 3               ? 0
                                                                     : 4);
        assert_int_equal(count_of(asked(), " HTTP/1.1\r\n"), CASES[i].asked);
        close_all(state);
    }
}

/* The first request goes without the password, the second with it. */
static void what_is_recorded_has_no_password(void **state)
{
    static const char *const ANSWERS[] = {DENIED, OK("5\r\n\r\nhello"), NULL};
    (void)state;
    serve(ANSWERS);
    struct transfer_wish wish = secret_wish(TRANSFER_ANY);
    wish.body = "<user>secret-word</user>";
    wish.body_length = strlen(wish.body);
    tap_begin(-1);
    assert_int_equal(get(&wish)->status, 200);
    const char *text = tap_end();
    assert_null(strstr(text, "secret-word"));
    assert_null(strstr(text, "response=\""));
    assert_int_equal(count_of(text, "> POST /x HTTP/1.1\r\n"), 2);
    assert_non_null(strstr(text, "<user>***********</user>"));
    assert_non_null(strstr(text, "\r\nAuthorization:****"));
    assert_non_null(strstr(text, "< HTTP/1.1 401 No\r\n"));
    assert_non_null(strstr(text, "< HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
    assert_non_null(strstr(text, "< hello\n"));
    assert_memory_equal(text, desk.url, strlen(desk.url));
}

static void only_so_many_go_at_once(void **state)
{
    struct transfer *more[TRANSFERS_MAX], *beyond;
    (void)state;
    for (int i = 1; i < TRANSFERS_MAX; i++)
        assert_int_equal(transfer_open(&more[i], desk.transfers, news_came, &desk), 0);
    assert_int_equal(transfer_open(&beyond, desk.transfers, news_came, &desk), -EBUSY);
    for (int i = 1; i < TRANSFERS_MAX; i++)
        transfer_close(more[i]);
}

/* ---- Streams */

static void a_stream_that_nobody_reads_waits(void **state)
{
    static char big[400000];
    const char *const answers[] = {big, NULL};
    const struct transfer_answer *answer = transfer_answer(desk.transfer);
    size_t taken = 0, most = 0;
    (void)state;
    int head =
        snprintf(big, sizeof(big), "*HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    memset(big + head, 'x', sizeof(big) - 1 - (size_t)head);
    serve(answers);
    struct transfer_wish wish = wish_for("/x");
    wish.stream = true;
    wish.most = 0;
    assert_int_equal(transfer_start(desk.transfer, &wish), TRANSFER_GOOD);
    while (answer->body.length == 0)
        loop_turn(desk.loop);
    assert_true(answer->has_head);
    while (taken < sizeof(big) - 1 - (size_t)head) {
        most = answer->body.length > most ? answer->body.length : most;
        taken += answer->body.length;
        transfer_take(desk.transfer, answer->body.length);
        if (answer->body.length == 0)
            loop_turn(desk.loop);
    }
    assert_int_equal(taken, sizeof(big) - 1 - (size_t)head);
    assert_true(most <= TRANSFER_ROOM + 16384);
    assert_false(answer->over);
}

static void closing_on_the_way_is_fine(void **state)
{
    static const char *const SILENT[] = {"...", NULL};
    (void)state;
    serve(SILENT);
    struct transfer_wish wish = wish_for("/x");
    wish.stream = true;
    assert_int_equal(transfer_start(desk.transfer, &wish), TRANSFER_GOOD);
    for (int i = 0; i < 3; i++)
        loop_turn(desk.loop);
}

static int prepare(void **state)
{
    (void)state;
    return transfer_prepare();
}

int main(void)
{
#define WITH_ALL(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)
    const struct CMUnitTest tests[] = {
        WITH_ALL(an_answer_comes_with_status_head_and_body),
        WITH_ALL(a_body_goes_as_it_is),
        WITH_ALL(a_password_is_tried_once),
        WITH_ALL(digest_sends_the_body_again),
        WITH_ALL(nobody_who_did_not_ask_gets_the_password),
        cmocka_unit_test(faults_have_their_names),
        WITH_ALL(nobody_there_is_refused_and_silence_has_its_time),
        WITH_ALL(too_much_is_refused),
        WITH_ALL(only_the_web_is_asked_and_no_user_stands_in_a_url),
        cmocka_unit_test(redirects_are_followed_when_wished_and_not_elsewhere),
        WITH_ALL(what_is_recorded_has_no_password),
        WITH_ALL(only_so_many_go_at_once),
        WITH_ALL(a_stream_that_nobody_reads_waits),
        WITH_ALL(closing_on_the_way_is_fine),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
