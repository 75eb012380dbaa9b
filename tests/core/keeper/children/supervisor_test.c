/* Children that die, hang, or stop: shell scripts stand for host and uplink. */
#include "keeper/children/supervisor.h"

#include <signal.h>

#include "keeper/house.h"
#include "keeper/scripts.h"

static struct house house;
static struct supervisor supervisor;
static struct config *config;
static char libexec[300];
static int stopped;

static void put_script(const char *name, bool hello, const char *what)
{
    scripts_put(libexec, name, hello, what);
}

/* A version of the configuration's instance, with its code in that folder. */
static struct version *version_of(size_t i, const char *folder)
{
    struct version *version;
    assert_int_equal(
        version_open(&version, &config->plugins[i], "o", folder, "/lua", "/state"), 0);
    return version;
}

static void open_config(const char *text)
{
    assert_int_equal(config_open(&config, text, strlen(text)), 0);
    if (config->has_city)
        supervisor_add_own(&supervisor, PEER_UPLINK);
    for (size_t i = 0; i < config->plugin_count; i++) {
        struct version *version = version_of(i, "/code");
        assert_non_null(supervisor_add(&supervisor, version));
        version_drop(version);
    }
    supervisor_watch(&supervisor);
}

static const char ONE[] = "{\"office\":{\"id\":\"o\"},\"plugins\":[{\"plugin\":\"band\","
                          "\"instance\":\"gate\"}]}";
static const char BOTH[] = "{\"office\":{\"id\":\"o\"},\"city\":{\"verifier\":\"x\"},"
                           "\"plugins\":[{\"plugin\":\"band\",\"instance\":\"gate\"},"
                           "{\"plugin\":\"band\",\"instance\":\"hall\"}]}";

static void print_plugin(void *owner, const struct peer *peer, struct buffer *out)
{
    (void)owner;
    (void)peer;
    buffer_append_text(out, "{}");
}

static int start(void **state)
{
    (void)state;
    house_open(&house);
    house.children.print_start = print_plugin;
    strcpy(libexec, fixture_path(&house.fixture, "libexec"));
    assert_int_equal(file_make_folders(libexec), 0);
    supervisor_open(&supervisor, house.loop, &house.children, &house.group, libexec);
    stopped = 0;
    config = NULL;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    supervisor_close(&supervisor);
    house_close(&house);
    config_close(config);
    return 0;
}

static int count_type(void *owner, const struct store_event *event)
{
    char type[WORD_TYPE_MAX + 1];
    assert_int_equal(event_type(type, event->body, event->length), 0);
    *(int *)owner += strcmp(type, "plugin.quarantined") == 0 ? 100 : 1;
    return 0;
}

/* Deaths on record; a quarantine counts for a hundred. */
static int recorded(void)
{
    int count = 0;
    group_commit(&house.group);
    assert_int_equal(
        store_each_event(house.fixture.journal->store, 0, 1000, count_type, &count), 0);
    return count;
}

static void run_until_deaths(int deaths)
{
    for (int i = 0; i < ENDS_TURNS && supervisor.child[0].restart.count < deaths; i++)
        ends_run(house.loop, -1, 10);
    assert_true(supervisor.child[0].restart.count >= deaths);
}

static void run_until_state(const struct child *child, const char *state)
{
    for (int i = 0; i < ENDS_TURNS && strcmp(supervisor_state(child), state) != 0; i++)
        ends_run(house.loop, -1, 10);
    assert_string_equal(supervisor_state(child), state);
}

static void a_child_is_told_its_work_and_runs(void **state)
{
    struct child *child = &supervisor.child[0];
    (void)state;
    put_script("host", true, "[ \"$1 $2\" = 'run gate' ] && exec sleep 100");
    open_config(ONE);
    assert_string_equal(supervisor_state(child), "starting");
    run_until_state(child, "running");
    assert_int_equal(supervisor.count, 1);
    assert_true(child->pid > 0);
    assert_int_equal(getpgid(child->pid), child->pid);
    assert_int_equal(recorded(), 0);
}

static void one_that_dies_comes_back_later_each_time(void **state)
{
    struct child *child = &supervisor.child[0];
    (void)state;
    put_script("host", false, "exit 7");
    open_config(ONE);
    run_until_deaths(2);
    assert_string_equal(child->last_exit, "exit 7");
    assert_int_equal(child->restart.delay_ms, 1000);
    assert_string_equal(supervisor_state(child), "waiting");
    assert_int_equal(recorded(), 2);
    ends_run(house.loop, -1, 500);
    assert_int_equal(child->restart.count, 2);
    run_until_deaths(3);
    assert_int_equal(child->restart.delay_ms, 2000);
}

static void five_deaths_are_a_quarantine_and_an_alarm(void **state)
{
    struct child *child = &supervisor.child[0];
    (void)state;
    put_script("host", false, "kill -SEGV $$");
    open_config(ONE);
    for (int deaths = 2; deaths <= 5; deaths++) {
        run_until_deaths(deaths);
        if (deaths < 5) /* no need to wait for it */
            loop_timer_start(house.loop, &child->again, 0);
    }
    assert_int_equal(child->restart.count, 5);
    assert_string_equal(child->last_exit, "signal 11");
    assert_string_equal(supervisor_state(child), "quarantined");
    assert_int_equal(recorded(), 104);
    assert_true(loop_timer_is_running(&child->again));
}

static void a_hung_child_is_killed(void **state)
{
    struct child *child = &supervisor.child[0];
    (void)state;
    put_script("host", true, "trap '' TERM; while :; do sleep 1; done");
    open_config(ONE);
    run_until_state(child, "running");
    loop_timer_start(house.loop, &supervisor.ping, 0);
    ends_run(house.loop, -1, 20);
    assert_int_equal(child->restart.count, 0);
    child->peer.heard_us -= (int64_t)(SUPERVISOR_HOST_SILENCE_MS + 1) * 1000;
    loop_timer_start(house.loop, &supervisor.ping, 0);
    run_until_deaths(1);
    assert_string_equal(child->last_exit, "signal 9");
}

static void a_child_that_hangs_up_is_ended(void **state)
{
    (void)state;
    put_script("host", true, "exec 3>&-; exec sleep 100");
    open_config(ONE);
    run_until_deaths(1);
    assert_string_equal(supervisor.child[0].last_exit, "signal 9");
}

static void a_child_that_talks_nonsense_is_ended(void **state)
{
    (void)state;
    put_script("host", true, "printf noise >&3; exec sleep 100");
    open_config(ONE);
    run_until_deaths(1);
    assert_string_equal(supervisor.child[0].last_exit, "signal 9");
}

static void a_program_that_is_not_there_is_a_death(void **state)
{
    (void)state;
    open_config(ONE);
    run_until_deaths(1);
    assert_string_equal(supervisor.child[0].last_exit, "exit 127");
}

static void all_stopped(void *owner)
{
    assert_ptr_equal(owner, &house);
    stopped++;
}

/* A shell cannot read datagrams. STOP is 17. */
static const char UNTIL_STOP[] = "exec /usr/bin/python3 -c 'import os, socket\n"
                                 "s = socket.socket(fileno=3)\n"
                                 "while s.recv(300000)[2] != 17: pass\n"
                                 "os._exit(0)'";

static void a_role_is_stopped_and_the_other_runs_on(void **state)
{
    (void)state;
    put_script("host", true, UNTIL_STOP);
    put_script("uplink", true, "exec sleep 100");
    open_config(BOTH);
    for (int i = 0; i < 3; i++)
        run_until_state(&supervisor.child[i], "running");
    supervisor_stop(&supervisor, PEER_HOST, all_stopped, &house);
    assert_int_equal(stopped, 0);
    for (int i = 0; i < ENDS_TURNS && stopped == 0; i++)
        ends_run(house.loop, -1, 10);
    assert_int_equal(stopped, 1);
    assert_string_equal(supervisor_state(&supervisor.child[0]), "running");
    for (int i = 1; i < 3; i++) {
        assert_string_equal(supervisor_state(&supervisor.child[i]), "stopped");
        assert_string_equal(supervisor.child[i].last_exit, "exit 0");
        assert_int_equal(supervisor.child[i].pid, 0);
    }
    assert_int_equal(recorded(), 0);
}

static void one_that_does_not_stop_is_killed(void **state)
{
    (void)state;
    put_script("host", true, "exec sleep 100");
    open_config(ONE);
    run_until_state(&supervisor.child[0], "running");
    supervisor_stop(&supervisor, PEER_HOST, all_stopped, &house);
    assert_true(loop_timer_is_running(&supervisor.deadline));
    loop_timer_start(house.loop, &supervisor.deadline, 50);
    for (int i = 0; i < ENDS_TURNS && stopped == 0; i++)
        ends_run(house.loop, -1, 10);
    assert_int_equal(stopped, 1);
    assert_string_equal(supervisor.child[0].last_exit, "signal 9");
    assert_int_equal(recorded(), 0);
}

static void stopping_does_not_wait_for_who_waits_to_come_back(void **state)
{
    (void)state;
    put_script("host", false, "exit 1");
    open_config(ONE);
    run_until_deaths(2);
    supervisor_stop(&supervisor, PEER_HOST, all_stopped, &house);
    assert_int_equal(stopped, 1);
    ends_run(house.loop, -1, 1200);
    assert_int_equal(supervisor.child[0].restart.count, 2);
    assert_string_equal(supervisor_state(&supervisor.child[0]), "stopped");
}

static void closing_leaves_no_child_behind(void **state)
{
    (void)state;
    put_script("host", true, "trap '' TERM; exec sleep 100");
    open_config(ONE);
    run_until_state(&supervisor.child[0], "running");
    pid_t pid = supervisor.child[0].pid;
    supervisor_close(&supervisor);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    supervisor.child[0].pid = 0;
}

static int ended;

static void count_end(struct child *child)
{
    assert_ptr_equal(child->owner, &house);
    assert_int_equal(child->pid, 0);
    ended++;
}

static void run_until_ended(int count)
{
    for (int i = 0; i < ENDS_TURNS && ended < count; i++)
        ends_run(house.loop, -1, 10);
    assert_int_equal(ended, count);
}

static struct child *own_child(const char *script)
{
    ended = 0;
    put_script("host", true, script);
    open_config(ONE);
    struct child *child = supervisor_find(&supervisor, "gate");
    run_until_state(child, "running");
    child->ended = count_end;
    child->owner = &house;
    return child;
}

static void one_child_is_halted_and_renewed_with_another_version(void **state)
{
    (void)state;
    struct child *child = own_child(UNTIL_STOP);
    struct version *other = version_of(0, "/other");
    supervisor_halt(child);
    run_until_ended(1);
    assert_string_equal(child->last_exit, "exit 0");
    assert_int_equal(recorded(), 0); /* what happens is the owner's business */
    supervisor_renew(child, other);
    version_drop(other);
    run_until_state(child, "running");
    assert_string_equal(json_text(child->plugin->json, "folder"), "/other");
    assert_int_equal(child->starts, 2);
}

static void one_that_does_not_halt_is_killed(void **state)
{
    (void)state;
    struct child *child = own_child("exec sleep 100");
    supervisor_halt(child);
    assert_true(loop_timer_is_running(&child->halt));
    loop_timer_start(house.loop, &child->halt, 50);
    run_until_ended(1);
    assert_string_equal(child->last_exit, "signal 9");
    supervisor_halt(child); /* nothing runs: told at once */
    assert_int_equal(ended, 2);
    supervisor_kill(child);
    assert_int_equal(ended, 3);
}

static void one_that_is_dropped_leaves_its_place_to_another(void **state)
{
    (void)state;
    struct child *child = own_child("exec sleep 100");
    struct version *version = version_of(0, "/other");
    supervisor_kill(child);
    run_until_ended(1);
    supervisor_drop(child);
    assert_null(supervisor_find(&supervisor, "gate"));
    assert_null(supervisor_find_own(&supervisor, PEER_UPLINK));
    assert_ptr_equal(supervisor_add(&supervisor, version), child);
    assert_int_equal(supervisor.count, 1);
    version_drop(version);
}

static void the_courier_is_a_child_like_the_uplink_and_never_in_quarantine(void **state)
{
    (void)state;
    put_script("courier", true, "exec kill -SEGV $$");
    struct child *child = supervisor_add_own(&supervisor, PEER_COURIER);
    assert_ptr_equal(supervisor_find_own(&supervisor, PEER_COURIER), child);
    assert_null(supervisor_find_own(&supervisor, PEER_UPLINK));
    assert_null(supervisor_find(&supervisor, "courier"));
    for (int deaths = 1; deaths <= RESTART_DEATHS + 1; deaths++) {
        if (loop_timer_is_running(&child->again))
            loop_timer_start(house.loop, &child->again, 0);
        run_until_deaths(deaths);
    }
    assert_int_equal(recorded(), RESTART_DEATHS + 1);
}

static void more_children_than_there_is_room_for_are_refused(void **state)
{
    (void)state;
    put_script("host", true, "exec sleep 100");
    open_config(ONE);
    struct version *version = version_of(0, "/other");
    supervisor.count = countof(supervisor.child);
    for (size_t i = 0; i < supervisor.count; i++)
        supervisor.child[i].supervisor = &supervisor;
    assert_null(supervisor_add(&supervisor, version));
    for (size_t i = 1; i < supervisor.count; i++)
        supervisor.child[i].supervisor = NULL;
    supervisor.count = 1;
    version_drop(version);
}

/* PONG with 30 answers of devices and 2 errors (tags 24 and 25), and then nothing. */
static const char THIRTY[] =
    "printf 'O\\001\\020\\000\\000\\000\\000\\000"
    "\\030\\010\\000\\000\\036\\000\\000\\000\\000\\000\\000\\000"
    "\\031\\010\\000\\000\\002\\000\\000\\000\\000\\000\\000\\000' >&3; exec sleep 100";

static void how_often_devices_answer_is_known_also_of_the_process_before(void **state)
{
    (void)state;
    struct child *child = own_child(THIRTY);
    for (int i = 0; i < ENDS_TURNS && child->peer.reads == 0; i++)
        ends_run(house.loop, -1, 10);
    assert_int_equal(supervisor_rate(child).reads, 30);
    assert_int_equal(supervisor_rate(child).errors, 2);
    put_script("host", true, "exec sleep 100");
    supervisor_kill(child);
    run_until_ended(1);
    supervisor_renew(child, NULL);
    run_until_state(child, "running");
    assert_int_equal(child->peer.reads, 0);
    assert_int_equal(supervisor_rate(child).reads, 30);
}

/* PONG with one answer of a device. */
static const char ONE_ANSWER[] =
    "printf 'O\\001\\020\\000\\000\\000\\000\\000"
    "\\030\\010\\000\\000\\001\\000\\000\\000\\000\\000\\000\\000' >&3; exec sleep 100";

static void another_that_was_tried_is_no_measure_for_the_old_one(void **state)
{
    (void)state;
    struct child *child = own_child(THIRTY);
    for (int i = 0; i < ENDS_TURNS && child->peer.reads == 0; i++)
        ends_run(house.loop, -1, 10);
    struct pulse_rate old = supervisor_rate(child);
    put_script("host", true, ONE_ANSWER);
    supervisor_kill(child);
    run_until_ended(1);
    supervisor_renew(child, NULL);
    for (int i = 0; i < ENDS_TURNS && child->peer.reads == 0; i++)
        ends_run(house.loop, -1, 10);
    assert_int_equal(supervisor_rate(child).reads, 30); /* too young to be judged */
    supervisor_kill(child);
    run_until_ended(2);
    supervisor_restore(child, NULL, &old);
    run_until_state(child, "running");
    assert_int_equal(supervisor_rate(child).reads, 30);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_child_is_told_its_work_and_runs),
        CASE(one_that_dies_comes_back_later_each_time),
        CASE(five_deaths_are_a_quarantine_and_an_alarm),
        CASE(a_hung_child_is_killed),
        CASE(a_child_that_hangs_up_is_ended),
        CASE(a_child_that_talks_nonsense_is_ended),
        CASE(a_program_that_is_not_there_is_a_death),
        CASE(a_role_is_stopped_and_the_other_runs_on),
        CASE(one_that_does_not_stop_is_killed),
        CASE(stopping_does_not_wait_for_who_waits_to_come_back),
        CASE(closing_leaves_no_child_behind),
        CASE(one_child_is_halted_and_renewed_with_another_version),
        CASE(one_that_does_not_halt_is_killed),
        CASE(one_that_is_dropped_leaves_its_place_to_another),
        CASE(the_courier_is_a_child_like_the_uplink_and_never_in_quarantine),
        CASE(more_children_than_there_is_room_for_are_refused),
        CASE(how_often_devices_answer_is_known_also_of_the_process_before),
        CASE(another_that_was_tried_is_no_measure_for_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
