/* Readers that connect: heard, counted, hung up on. */
#include "keeper/control/control.h"

#include "keeper/house.h"

static struct house house;
static struct control control;
static char path[300];

static int start(void **state)
{
    (void)state;
    house_open(&house);
    strcpy(path, fixture_path(&house.fixture, "keeper.sock"));
    assert_int_equal(control_open(&control, house.loop, &house.children, path), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    control_close(&control);
    house_close(&house);
    return 0;
}

static int connect_reader(void)
{
    int fd = -1;
    assert_int_equal(line_connect(&fd, path), 0);
    ends_run(house.loop, -1, 10);
    return fd;
}

static void a_reader_is_answered(void **state)
{
    (void)state;
    int fd = connect_reader();
    ends_tell(fd, TALK_HELLO, 0);
    ends_tell(fd, TALK_STATUS, 3);
    ends_expect(house.loop, fd, &house.heard, TALK_REPORT, 3);
    close(fd);
}

static void only_those_of_the_group_may_connect(void **state)
{
    struct stat file;
    (void)state;
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0660);
}

static void one_too_many_is_hung_up_on_until_one_goes(void **state)
{
    int fds[CONTROL_READERS_MAX];
    (void)state;
    for (int i = 0; i < CONTROL_READERS_MAX; i++)
        fds[i] = connect_reader();
    assert_int_equal(control.readers, CONTROL_READERS_MAX);
    int late = connect_reader();
    ends_expect_end(house.loop, late, &house.heard);
    close(late);
    close(fds[0]);
    ends_run(house.loop, -1, 20);
    assert_int_equal(control.readers, CONTROL_READERS_MAX - 1);
    fds[0] = connect_reader();
    ends_tell(fds[0], TALK_HELLO, 0);
    ends_tell(fds[0], TALK_STATUS, 3);
    ends_expect(house.loop, fds[0], &house.heard, TALK_REPORT, 3);
    for (int i = 0; i < CONTROL_READERS_MAX; i++)
        close(fds[i]);
}

static void closing_hangs_up_on_all_and_removes_the_socket(void **state)
{
    (void)state;
    int one = connect_reader(), two = connect_reader();
    control_close(&control);
    ends_expect_end(house.loop, one, &house.heard);
    ends_expect_end(house.loop, two, &house.heard);
    assert_false(file_exists(path));
    control_close(&control);
    close(one);
    close(two);
}

static void a_socket_left_by_a_crash_is_taken_over(void **state)
{
    struct control second;
    (void)state;
    assert_int_equal(control_open(&second, house.loop, &house.children, path), 0);
    control_close(&control);
    control = second;
    assert_true(control.fd >= 0);
}

static void a_path_too_long_for_a_socket_is_refused(void **state)
{
    char name[200];
    struct control other;
    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(control_open(&other, house.loop, &house.children, name),
                     -ENAMETOOLONG);
    control_close(&other);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_reader_is_answered),
        CASE(only_those_of_the_group_may_connect),
        CASE(one_too_many_is_hung_up_on_until_one_goes),
        CASE(closing_hangs_up_on_all_and_removes_the_socket),
        CASE(a_socket_left_by_a_crash_is_taken_over),
        CASE(a_path_too_long_for_a_socket_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
