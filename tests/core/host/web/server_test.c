/* A server and its clients in one loop, over real sockets. */
#include "host/web/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/now.h"

enum { ASKED_MAX = 8, CLIENTS_MAX = 16, TEXT_ROOM = 4096 };

static struct {
    struct loop *loop;
    struct server *server;
    struct loop_timer beat;
    struct server_request *asked[ASKED_MAX];
    int asked_count;
    int gone;
    bool answers; /* each at once */
    int clients[CLIENTS_MAX];
    int client_count;
    char told[TEXT_ROOM]; /* pairs of the last request */
} desk;

static void asked(void *owner, struct server_request *request)
{
    assert_ptr_equal(owner, &desk);
    assert_in_range(desk.asked_count, 0, ASKED_MAX - 1);
    desk.asked[desk.asked_count++] = request;
    if (desk.answers)
        server_answer(request, 200, "yes", 3);
}

static void gone(void *owner, struct server_request *request)
{
    assert_ptr_equal(owner, &desk);
    assert_non_null(request);
    desk.gone++;
}

static const struct server_calls CALLS = {.asked = asked, .gone = gone};

static void beat(struct loop_timer *timer)
{
    loop_timer_start(desk.loop, timer, 2);
}

static int open_all(void **state)
{
    (void)state;
    memset(&desk, 0, sizeof(desk));
    desk.beat.fire = beat;
    assert_int_equal(loop_open(&desk.loop), 0);
    beat(&desk.beat);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    server_close(desk.server);
    for (int i = 0; i < desk.client_count; i++)
        close(desk.clients[i]);
    loop_timer_stop(&desk.beat);
    loop_close(desk.loop);
    return 0;
}

static struct server_wish ordinary(void)
{
    return (struct server_wish){.url = "http://127.0.0.1:0",
                                .body_most = 100,
                                .connections = 8,
                                .idle_ms = 5000,
                                .whole_ms = 5000};
}

static void serve(const struct server_wish *wish)
{
    assert_int_equal(server_open(&desk.server, desk.loop, wish, &CALLS, &desk), 0);
}

static int client(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)server_port(desk.server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
    desk.clients[desk.client_count++] = fd;
    return fd;
}

static void turn(int64_t ms)
{
    int64_t until = now_mono_us() + ms * 1000;
    while (now_mono_us() < until)
        loop_turn(desk.loop);
}

static void turn_until_asked(int count)
{
    for (int i = 0; i < 2000 && desk.asked_count < count; i++)
        loop_turn(desk.loop);
    assert_int_equal(desk.asked_count, count);
}

/* What came; NULL when the other end has hung up, "" when there is nothing yet. */
static const char *heard(int fd)
{
    static char text[TEXT_ROOM];
    ssize_t length = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
    if (length == 0 || (length < 0 && errno == ECONNRESET))
        return NULL;
    text[length > 0 ? length : 0] = '\0';
    return text;
}

static const char *hear(int fd)
{
    const char *text = "";
    for (int i = 0; i < 2000 && text != NULL && text[0] == '\0'; i++) {
        loop_turn(desk.loop);
        text = heard(fd);
    }
    return text;
}

static void tell(void *owner, const char *name, const char *value)
{
    size_t length = strlen(owner);
    snprintf((char *)owner + length, TEXT_ROOM - length, "%s=%s;", name, value);
}

/* ---- Promises */

static void a_request_is_asked_whole_and_answered_later(void **state)
{
    size_t length;
    (void)state;
    struct server_wish wish = ordinary();
    serve(&wish);
    int fd = client(
        "PUT /a%20b?x=1&y HTTP/1.1\r\nHost: h\r\nA: b\r\nContent-Length: 5\r\n\r\nhe");
    turn(30);
    assert_int_equal(desk.asked_count, 0);
    assert_int_equal(send(fd, "llo", 3, 0), 3);
    turn_until_asked(1);
    struct server_request *request = desk.asked[0];
    assert_string_equal(server_method(request), "PUT");
    assert_string_equal(server_path(request), "/a b");
    assert_string_equal(server_peer(request), "127.0.0.1");
    assert_memory_equal(server_body(request, &length), "hello", 5);
    assert_int_equal(length, 5);
    server_each_header(request, tell, desk.told);
    assert_non_null(strstr(desk.told, "A=b;"));
    server_each_query(request, tell, desk.told);
    assert_non_null(strstr(desk.told, "x=1;"));
    turn(30);
    assert_string_equal(heard(fd), "");
    server_say(request, "X-One", "1");
    server_answer(request, 503, "no", 2);
    const char *text = hear(fd);
    assert_memory_equal(text, "HTTP/1.1 503 ", 13);
    assert_non_null(strstr(text, "X-One: 1\r\n"));
    assert_non_null(strstr(text, "\r\n\r\nno"));
}

static void what_is_sent_ahead_waits(void **state)
{
    (void)state;
    struct server_wish wish = ordinary();
    serve(&wish);
    int fd =
        client("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    turn_until_asked(1);
    turn(30);
    assert_int_equal(desk.asked_count, 1);
    server_answer(desk.asked[0], 200, "", 0);
    turn_until_asked(2);
    assert_string_equal(server_path(desk.asked[1]), "/2");
    server_answer(desk.asked[1], 200, "", 0);
    assert_non_null(hear(fd));
}

static void closing_says_which_requests_are_gone(void **state)
{
    (void)state;
    struct server_wish wish = ordinary();
    serve(&wish);
    client("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
    client("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    client("GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
    client("POST /4 HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx");
    turn_until_asked(3);
    server_answer(desk.asked[0], 200, "", 0);
    server_close(desk.server);
    desk.server = NULL;
    assert_int_equal(desk.gone, 2);
}

static void too_big_and_too_late_are_told(void **state)
{
    static const struct {
        const char *text, *answer;
    } CASES[] = {
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n", "HTTP/1.1 413 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n",
         "HTTP/1.1 413 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nx", "HTTP/1.1 408 "},
        {"GET / HT", "HTTP/1.1 408 "},
        {"", "HTTP/1.1 408 "},
    };
    (void)state;
    struct server_wish wish = ordinary();
    wish.whole_ms = 150;
    wish.connections = 16;
    serve(&wish);
    for (size_t i = 0; i < countof(CASES); i++) {
        int fd = client(CASES[i].text);
        const char *text = hear(fd);
        assert_non_null(text);
        assert_memory_equal(text, CASES[i].answer, 13);
        assert_null(hear(fd));
    }
    assert_int_equal(desk.asked_count, 0);
}

static void one_address_has_half_of_the_connections(void **state)
{
    (void)state;
    struct server_wish wish = ordinary();
    serve(&wish);
    for (int i = 0; i < 4; i++)
        client("");
    turn(30);
    assert_null(hear(client("GET / HTTP/1.1\r\nHost: h\r\n\r\n")));
    assert_string_equal(heard(desk.clients[0]), "");
}

static void an_address_that_is_not_allowed_is_hung_up_on(void **state)
{
    (void)state;
    struct server_wish wish = ordinary();
    assert_int_equal(cidr_parse(&wish.allowed[0], "127.0.0.2"), 0);
    wish.allowed_count = 1;
    serve(&wish);
    assert_null(hear(client("GET / HTTP/1.1\r\nHost: h\r\n\r\n")));
    assert_int_equal(desk.asked_count, 0);
}

static void nobody_gets_in_without_the_login(void **state)
{
    (void)state;
    struct server_wish wish = ordinary();
    wish.login = SERVER_BASIC;
    wish.user = "dock";
    wish.password = "word";
    desk.answers = true;
    serve(&wish);
    static const struct {
        const char *login, *answer;
    } CASES[] = {
        {"", "HTTP/1.1 401 "},
        {"Authorization: Basic ZG9jazp3cm9uZw==\r\n", "HTTP/1.1 401 "},
        {"Authorization: Basic ZG9jazp3b3Jk\r\n", "HTTP/1.1 200 "},
        {"Authorization: Basic ZG9jazp3b3JkeA==\r\n", "HTTP/1.1 401 "},
        {"Authorization: Basic %%%\r\n", "HTTP/1.1 4"},
    };
    for (size_t i = 0; i < countof(CASES); i++) {
        char text[200];
        snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n",
                 CASES[i].login);
        int fd = client(text);
        const char *answer = hear(fd);
        assert_memory_equal(answer, CASES[i].answer, strlen(CASES[i].answer));
        close(fd);
        desk.client_count--;
        turn(20);
    }
    assert_int_equal(desk.asked_count, 1);
}

static void a_place_that_is_none_is_refused(void **state)
{
    static const char *const URLS[] = {"",
                                       "http://",
                                       "http://name:80",
                                       "http://127.0.0.1:",
                                       "http://127.0.0.1:65536",
                                       "http://127.0.0.1:80/path",
                                       "https://127.0.0.1:80",
                                       "http://[::1:80",
                                       "http://127.0.0.1:8x"};
    struct server_wish wish = ordinary();
    (void)state;
    for (size_t i = 0; i < countof(URLS); i++) {
        wish.url = URLS[i];
        assert_int_equal(server_open(&desk.server, desk.loop, &wish, &CALLS, &desk),
                         -EINVAL);
    }
    wish.url = "http://[::1]:0";
    serve(&wish);
    server_close(desk.server);
    wish = ordinary();
    serve(&wish);
    char taken[60];
    snprintf(taken, sizeof(taken), "http://127.0.0.1:%d", server_port(desk.server));
    wish.url = taken;
    struct server *second;
    assert_int_equal(server_open(&second, desk.loop, &wish, &CALLS, &desk), -EADDRINUSE);
}

int main(void)
{
#define WITH_ALL(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)
    const struct CMUnitTest tests[] = {
        WITH_ALL(a_request_is_asked_whole_and_answered_later),
        WITH_ALL(what_is_sent_ahead_waits),
        WITH_ALL(closing_says_which_requests_are_gone),
        WITH_ALL(too_big_and_too_late_are_told),
        WITH_ALL(one_address_has_half_of_the_connections),
        WITH_ALL(an_address_that_is_not_allowed_is_hung_up_on),
        WITH_ALL(nobody_gets_in_without_the_login),
        WITH_ALL(a_place_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
