/* Names, with files and a name server of the test's own. */
#include "host/lines/resolve.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/file.h"

static char folder[] = "/tmp/resolve-test-XXXXXX";
static char hosts[64], servers[64];

/* The name server: answers an A question with `count` addresses 10.0.0.x, or with `code`. */
static struct {
    struct loop *loop;
    struct loop_watch watch;
    int fd;
    int port;
    int code;
    int count;
    int asked;
    bool silent; /* hears and says nothing */
} server;

static struct {
    struct resolve resolve;
    int calls;
    int err;
} told;

static void answer(struct loop_watch *watch, bool readable, bool writable)
{
    uint8_t bytes[1024];
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    (void)watch, (void)readable, (void)writable;
    ssize_t size = recvfrom(server.fd, bytes, 512, 0, (struct sockaddr *)&from, &length);
    assert_true(size > 16);
    server.asked++;
    if (server.silent)
        return;
    int count = bytes[size - 3] == DNS_A ? server.count : 0;
    bytes[2] |= 0x80;
    bytes[3] = (uint8_t)server.code;
    bytes[7] = (uint8_t)count;
    for (int i = 0; i < count; i++) {
        const uint8_t record[] = {0xc0, 12, 0, 1, 0,  1, 0, 0,
                                  0,    9,  0, 4, 10, 0, 0, (uint8_t)(i + 1)};
        memcpy(bytes + size, record, sizeof(record));
        size += (ssize_t)sizeof(record);
    }
    sendto(server.fd, bytes, (size_t)size, 0, (struct sockaddr *)&from, length);
}

static void heard(struct resolve *resolve, int err)
{
    (void)resolve;
    told.calls++;
    told.err = err;
}

static void put(const char *path, const char *text)
{
    assert_int_equal(file_put(path, text, strlen(text), 0600), 0);
}

static int open_all(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    (void)state;
    memset(&server, 0, sizeof(server));
    memset(&told, 0, sizeof(told));
    assert_int_equal(loop_open(&server.loop), 0);
    server.fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(server.fd, (struct sockaddr *)&address, &length), 0);
    server.port = ntohs(address.sin_port);
    server.count = 1;
    server.watch.ready = answer;
    loop_watch_start(server.loop, &server.watch, server.fd, true, false);
    put(hosts, "# what we know\n127.0.0.1 localhost box # by hand\n\n10.9.8.7\tOther "
               "reader.example\n10.9.8.8 reader.example\nnonsense box\n");
    put(servers, "; nobody here\nsearch example\nnameserver 127.0.0.1\n");
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    resolve_stop(&told.resolve);
    loop_watch_stop(&server.watch);
    close(server.fd);
    loop_close(server.loop);
    return 0;
}

static void begin(const char *name)
{
    told.resolve.done = heard;
    told.resolve.hosts = hosts;
    told.resolve.servers = servers;
    told.resolve.server_port = server.port;
    resolve_start(server.loop, &told.resolve, name, 502);
    assert_int_equal(told.calls, 0); /* never from inside the call */
}

static int result_of(const char *name)
{
    begin(name);
    while (told.calls == 0)
        loop_turn(server.loop);
    assert_int_equal(told.calls, 1);
    told.calls = 0;
    return told.err;
}

static void found(int number, const char *text)
{
    char got[ADDRESS_ROOM];
    assert_true(number < told.resolve.count);
    address_print(&told.resolve.found[number], got);
    assert_string_equal(got, text);
    assert_int_equal(address_port(&told.resolve.found[number]), 502);
}

static void an_address_is_its_own(void **state)
{
    (void)state;
    assert_int_equal(result_of("192.168.1.50"), 0);
    found(0, "192.168.1.50");
    assert_int_equal(result_of("2001:db8::1"), 0);
    found(0, "2001:db8::1");
    assert_int_equal(server.asked, 0);
}

static void the_file_of_hosts_is_read_first(void **state)
{
    (void)state;
    assert_int_equal(result_of("BOX"), 0);
    found(0, "127.0.0.1");
    assert_int_equal(result_of("reader.example"), 0);
    assert_int_equal(told.resolve.count, 2);
    found(1, "10.9.8.8");
    assert_int_equal(server.asked, 0);
}

static void the_name_server_is_asked_for_both_kinds(void **state)
{
    (void)state;
    server.count = 2;
    assert_int_equal(result_of("far.example"), 0);
    assert_int_equal(told.resolve.count, 2);
    found(0, "10.0.0.1");
    found(1, "10.0.0.2");
    assert_int_equal(server.asked, 2);
    server.count = 100 / 4;
    assert_int_equal(result_of("far.example"), 0);
    assert_int_equal(told.resolve.count, RESOLVE_MAX);
}

static void a_name_that_is_none_is_told_soon(void **state)
{
    (void)state;
    server.code = 3;
    assert_int_equal(result_of("nowhere.example"), -ENOENT);
    server.code = 0;
    server.count = 0;
    assert_int_equal(result_of("nowhere.example"), -ENOENT);
    assert_int_equal(result_of("a..b"), -EINVAL);
}

static void where_one_server_fails_the_next_is_asked(void **state)
{
    (void)state;
    put(servers, "nameserver 127.0.0.2\nnameserver 127.0.0.1\nnameserver 127.0.0.3\n");
    assert_int_equal(result_of("far.example"), 0); /* nobody listens at the first */
    found(0, "10.0.0.1");
    put(servers, "nameserver 127.0.0.1\n");
    server.code = 2;
    assert_int_equal(result_of("far.example"), -ETIMEDOUT);
    assert_int_equal(server.asked, 2 + 2 * RESOLVE_ROUNDS);
}

static void no_server_is_no_answer(void **state)
{
    (void)state;
    put(servers, "");
    assert_int_equal(result_of("far.example"), -ETIMEDOUT);
    unlink(servers);
    unlink(hosts);
    assert_int_equal(result_of("far.example"), -ETIMEDOUT);
}

static void a_silent_server_is_given_up(void **state)
{
    (void)state;
    server.silent = true;
    assert_int_equal(result_of("far.example"), -ETIMEDOUT);
    assert_int_equal(server.asked, 2 * RESOLVE_ROUNDS);
}

static void one_that_is_stopped_says_nothing(void **state)
{
    (void)state;
    server.silent = true;
    begin("far.example");
    for (int i = 0; i < 4 && server.asked < 2; i++)
        loop_turn(server.loop);
    assert_int_equal(server.asked, 2);
    resolve_stop(&told.resolve);
    resolve_stop(&told.resolve);
    assert_int_equal(told.calls, 0);
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(hosts, sizeof(hosts), "%s/hosts", folder);
    snprintf(servers, sizeof(servers), "%s/resolv.conf", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(hosts);
    unlink(servers);
    return rmdir(folder);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)
    const struct CMUnitTest tests[] = {
        WITH(an_address_is_its_own),
        WITH(the_file_of_hosts_is_read_first),
        WITH(the_name_server_is_asked_for_both_kinds),
        WITH(a_name_that_is_none_is_told_soon),
        WITH(where_one_server_fails_the_next_is_asked),
        WITH(no_server_is_no_answer),
        WITH(a_silent_server_is_given_up),
        WITH(one_that_is_stopped_says_nothing),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
