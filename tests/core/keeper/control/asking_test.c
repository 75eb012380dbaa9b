/* Questions of people on their way to a host and back, with fake ends: who may, how many, how long. */
#include "keeper/control/asking.h"

#include "base/mem.h"
#include "keeper/house.h"

enum { MORE_READERS = ASKING_MAX + 1 };

static const char CONFIG[] =
    "{\"office\":{\"id\":\"350105-003\"},\"lua\":\"/lua\",\"plugins\":["
    "{\"plugin\":\"band\",\"instance\":\"gate\",\"folder\":\"/band\",\"events\":{},"
    "\"actions\":{\"forget\":{\"roles\":[\"officer\",\"technician\"],\"doc\":\"d\"},"
    "\"decide\":{\"roles\":[\"officer\"],\"doc\":\"d\"}},"
    "\"views\":{\"bands\":{\"roles\":[\"social_worker\",\"technician\"],\"doc\":\"d\"}}},"
    "{\"plugin\":\"band\",\"instance\":\"hall\",\"events\":{},"
    "\"actions\":{\"forget\":{\"roles\":[\"technician\"],\"doc\":\"d\"}}}]}";

static const struct access_who TECHNICIAN = {"wang", ACCESS_TECHNICIAN, "local"};
static const struct access_who OFFICER = {"zhang", ACCESS_OFFICER, "local"};
static const struct access_who BOTH = {"zhao", ACCESS_OFFICER | ACCESS_TECHNICIAN,
                                       "local"};
static const struct access_who NOBODY = {"uid:7", 0, "local"};

static struct house house;
static struct asking asking;
static struct config *config;
static struct peer readers[MORE_READERS];
static int ends[MORE_READERS];

static void committed(void *owner, int err, bool had_alarm)
{
    asking_committed(&asking, err);
    house_committed(owner, err, had_alarm);
}

static void reader_gone(struct peer *peer, int why)
{
    (void)peer;
    (void)why;
}

static void add_reader(int i)
{
    int fds[2];
    assert_int_equal(line_pair(fds), 0);
    readers[i] =
        (struct peer){.role = PEER_READER, .name = "reader", .gone = reader_gone};
    assert_int_equal(children_add(&house.children, &readers[i], fds[0]), 0);
    readers[i].is_ready = true;
    ends[i] = fds[1];
}

static int start(void **state)
{
    (void)state;
    house_open(&house);
    house.group.committed = committed;
    assert_int_equal(config_open(&config, CONFIG, strlen(CONFIG)), 0);
    asking_open(&asking, house.loop, &house.children, config);
    house.children.asking = &asking;
    house.peers[HOUSE_HOST].plugin = &config->plugins[0];
    ends_tell(house.ends[HOUSE_HOST], TALK_HELLO, 1);
    ends_expect(house.loop, house.ends[HOUSE_HOST], &house.heard, TALK_START, 1);
    for (int i = 0; i < MORE_READERS; i++)
        add_reader(i);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    asking_close(&asking);
    house_close(&house);
    for (int i = 0; i < MORE_READERS; i++)
        close(ends[i]);
    config_close(config);
    return 0;
}

/* Reader `i` asks; what asking_ask() answers. */
static int ask(int i, const struct access_who *who, const char *type,
               const char *instance, const char *name, const char *params)
{
    struct buffer bytes = {0};
    struct frame frame;
    frame_begin(&bytes, TALK_ASK, (uint32_t)(100 + i));
    frame_put_text(&bytes, TAG_NAME, instance);
    frame_put_text(&bytes, TAG_TYPE, type);
    if (name != NULL)
        frame_put_text(&bytes, TAG_KEY, name);
    if (params != NULL)
        frame_put_text(&bytes, TAG_DATA, params);
    assert_int_equal(frame_read(&frame, bytes.bytes, bytes.length), 0);
    int err = asking_ask(&asking, &readers[i], &frame, who);
    buffer_free(&bytes);
    return err;
}

/* The host hears a question; its id. `who` is what it is told of the asker. */
static uint32_t host_hears(const char *name, const char *who)
{
    char text[200];
    struct field field;
    assert_true(ends_hear(house.loop, house.ends[HOUSE_HOST], &house.heard));
    assert_int_equal(house.heard.frame.type, TALK_ASK);
    assert_int_equal(fields_find(&house.heard.frame.fields, TAG_KEY, &field), 0);
    assert_int_equal(field_text(&field, text, sizeof(text)), 0);
    assert_string_equal(text, name);
    assert_int_equal(fields_find(&house.heard.frame.fields, TAG_TEXT, &field), 0);
    assert_int_equal(field_text(&field, text, sizeof(text)), 0);
    assert_string_equal(text, who);
    return house.heard.frame.id;
}

static void host_says(uint32_t id, int err, const char *text, const char *result)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_ANSWER, id);
    frame_put_number(&frame, TAG_ERROR, err);
    if (err)
        frame_put_text(&frame, TAG_TEXT, text);
    else
        frame_put_text(&frame, TAG_DATA, result);
    ends_say(house.ends[HOUSE_HOST], &frame);
    buffer_free(&frame);
}

/* Reader `i` is answered with that errno, and with that in the text or the result. */
static void reader_hears(int i, int err, const char *words)
{
    char text[TALK_WHY_MAX + 1];
    struct field field;
    ends_expect(house.loop, ends[i], &house.heard, TALK_ANSWER, (uint32_t)(100 + i));
    assert_int_equal(ends_number(&house.heard.frame.fields, TAG_ERROR), err);
    assert_int_equal(
        fields_find(&house.heard.frame.fields, err ? TAG_TEXT : TAG_DATA, &field), 0);
    assert_int_equal(field_text(&field, text, sizeof(text)), 0);
    if (strstr(text, words) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", words, text);
}

static int64_t performed(const char *with)
{
    char query[300];
    snprintf(query, sizeof(query),
             "SELECT count(*) FROM event WHERE CAST(body AS TEXT) LIKE "
             "'%%action.performed%%%s%%'",
             with);
    return fixture_ask(&house.fixture, query);
}

static int open_questions(void)
{
    int count = 0;
    for (int i = 0; i < ASKING_MAX; i++)
        count += asking.questions[i].asking != NULL;
    return count;
}

static const char WANG[] =
    "{\"name\":\"wang\",\"role\":\"technician\",\"via\":\"local\"}";

static void an_action_goes_to_its_host_and_its_answer_back(void **state)
{
    (void)state;
    assert_int_equal(ask(0, &TECHNICIAN, "action", "gate", "forget", "{\"secret\":1}"),
                     0);
    uint32_t id = host_hears("forget", WANG);
    assert_int_equal(performed(""), 0);
    host_says(id, 0, "", "{\"n\":1}");
    reader_hears(0, 0, "{\"n\":1}");
    assert_int_equal(performed("\"outcome\":\"done\"}"), 1);
    assert_int_equal(performed("secret"), 0);
    assert_int_equal(open_questions(), 0);
}

static void the_answer_of_an_action_waits_for_its_event(void **state)
{
    (void)state;
    ask(0, &TECHNICIAN, "action", "gate", "forget", "{}");
    host_says(host_hears("forget", WANG), 0, "", "1");
    while (asking.questions[0].host != NULL)
        loop_turn(house.loop);
    assert_int_equal(performed(""), 0); /* gathered, not on disk */
    assert_false(ends_is_readable(ends[0]));
    group_fail(&house.group, -ENOSPC);
    reader_hears(0, EIO, "could not be recorded");
}

static void a_view_leaves_no_event(void **state)
{
    (void)state;
    ask(0, &TECHNICIAN, "view", "gate", "bands", NULL);
    host_says(host_hears("bands", WANG), 0, "", "[]");
    reader_hears(0, 0, "[]");
    assert_int_equal(ask(0, &OFFICER, "view", "gate", "bands", "{}"), 0);
    reader_hears(0, EPERM,
                 "bands of gate: expected to be asked for by a social worker or "
                 "a technician, and zhang is an officer");
    assert_int_equal(house.fixture.journal->size, 0);
}

static void a_role_that_does_not_fit_is_refused_and_recorded(void **state)
{
    (void)state;
    ask(0, &TECHNICIAN, "action", "gate", "decide", "{}");
    reader_hears(0, EPERM, "by an officer, and wang is a technician");
    ask(0, &NOBODY, "action", "gate", "decide", "{}");
    reader_hears(0, EPERM, "uid:7 is none of those whom the block access names");
    ends_expect_silence(house.loop, house.ends[HOUSE_HOST]);
    assert_int_equal(performed("\"wang\",\"via\":\"local\"},\"outcome\":\"refused\","
                               "\"error\":\"EPERM\"}"),
                     1);
    assert_int_equal(performed(""), 2);
}

static void who_has_several_roles_asks_in_the_first_that_fits(void **state)
{
    (void)state;
    ask(0, &BOTH, "action", "gate", "forget", "{}");
    host_hears("forget", "{\"name\":\"zhao\",\"role\":\"officer\",\"via\":\"local\"}");
}

static void what_there_is_not_is_named_and_no_event(void **state)
{
    (void)state;
    ask(0, &TECHNICIAN, "action", "yard", "forget", "{}");
    reader_hears(0, ENOENT, "there is no instance \"yard\"");
    ask(0, &TECHNICIAN, "action", "gate", "bands", "{}");
    reader_hears(0, ENOENT, "gate has no action \"bands\"; it has forget, decide");
    ask(0, &TECHNICIAN, "view", "hall", "bands", "{}");
    reader_hears(0, ENOENT, "hall has no view \"bands\"");
    assert_int_equal(house.fixture.journal->size, 0);
}

static void without_a_name_all_are_listed(void **state)
{
    (void)state;
    ask(0, &NOBODY, "view", "gate", NULL, NULL);
    reader_hears(0, 0, "{\"bands\":{\"roles\":[\"social_worker\",\"technician\"]");
    ask(0, &NOBODY, "view", "hall", NULL, NULL);
    reader_hears(0, 0, "{}");
}

static void an_instance_that_does_not_run_is_said_so(void **state)
{
    (void)state;
    ask(0, &TECHNICIAN, "action", "hall", "forget", "{}");
    reader_hears(0, EAGAIN, "hall does not run now");
    assert_int_equal(performed("\"refused\",\"error\":\"EAGAIN\""), 1);
}

static void params_that_are_no_object_are_refused(void **state)
{
    static const char *const PARAMS[] = {"[]", "7", "", "{\"a\":}", "{\"a\":1}x"};
    (void)state;
    for (size_t i = 0; i < countof(PARAMS); i++) {
        ask(0, &TECHNICIAN, "action", "gate", "forget", PARAMS[i]);
        reader_hears(0, EINVAL, "params: expected a JSON object");
    }
    assert_int_equal(performed("\"refused\",\"error\":\"EINVAL\""), countof(PARAMS));
}

static void what_is_not_as_agreed_ends_the_asker(void **state)
{
    char name[ASKING_NAME_MAX + 2];
    char *params = mem_zeroed(TALK_PARAMS_MAX + 2);
    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    memset(params, ' ', TALK_PARAMS_MAX + 1);
    assert_int_equal(ask(0, &TECHNICIAN, "deed", "gate", "forget", "{}"), -EPROTO);
    assert_int_equal(ask(0, &TECHNICIAN, "action", "../x", "forget", "{}"), -EPROTO);
    assert_int_equal(ask(0, &TECHNICIAN, "action", "gate", "for get", "{}"), -EPROTO);
    assert_int_equal(ask(0, &TECHNICIAN, "action", "gate", name, "{}"), -EPROTO);
    assert_int_equal(ask(0, &TECHNICIAN, "action", "gate", "forget", params), -EPROTO);
    assert_int_equal(ask(0, &TECHNICIAN, "action", "gate", "forget", "{}"), 0);
    assert_int_equal(ask(0, &TECHNICIAN, "action", "gate", "forget", "{}"), -EPROTO);
    mem_free(params);
}

static void one_more_than_there_are_places_is_told_and_recorded(void **state)
{
    (void)state;
    for (int i = 0; i < ASKING_MAX; i++)
        assert_int_equal(ask(i, &TECHNICIAN, "action", "gate", "forget", "{}"), 0);
    assert_int_equal(ask(ASKING_MAX, &TECHNICIAN, "action", "gate", "forget", "{}"), 0);
    reader_hears(ASKING_MAX, EBUSY, "questions wait for their answers already");
    host_says(host_hears("forget", WANG), 0, "", "1");
    ends_run(house.loop, -1, 60);
    assert_int_equal(performed("EBUSY"), 1);
    assert_int_equal(performed(""), 2);
    ask(ASKING_MAX, &TECHNICIAN, "action", "gate", "forget", "{}");
    assert_int_equal(open_questions(), ASKING_MAX);
}

static void nobody_waits_longer_than_the_deadline(void **state)
{
    (void)state;
    ask(0, &TECHNICIAN, "action", "gate", "forget", "{}");
    uint32_t id = host_hears("forget", WANG);
    reader_hears(0, ETIMEDOUT, "whether it was done, or still will be, is not known");
    host_says(id, 0, "", "1"); /* too late: nobody waits */
    ends_expect_silence(house.loop, ends[0]);
    assert_int_equal(performed("\"failed\",\"error\":\"ETIMEDOUT\""), 1);
    assert_int_equal(performed(""), 1);
}

static void a_host_that_goes_away_is_told_to_all_who_wait(void **state)
{
    (void)state;
    ask(0, &TECHNICIAN, "action", "gate", "forget", "{}");
    ask(1, &TECHNICIAN, "view", "gate", "bands", "{}");
    host_hears("forget", WANG);
    close(house.ends[HOUSE_HOST]);
    house.ends[HOUSE_HOST] = -1;
    reader_hears(1, ECONNRESET, "ended before it had answered");
    reader_hears(0, ECONNRESET, "ended before it had answered");
    assert_int_equal(performed("\"failed\",\"error\":\"ECONNRESET\""), 1);
}

static void
a_view_of_somebody_who_went_away_is_forgotten_and_an_action_goes_on(void **state)
{
    (void)state;
    ask(0, &TECHNICIAN, "action", "gate", "forget", "{}");
    ask(1, &TECHNICIAN, "view", "gate", "bands", "{}");
    uint32_t id = host_hears("forget", WANG);
    children_remove(&house.children, &readers[0]);
    children_remove(&house.children, &readers[1]);
    assert_int_equal(open_questions(), 1);
    host_says(host_hears("bands", WANG), 0, "", "[]");
    host_says(id, 0, "", "1");
    ends_run(house.loop, -1, 60);
    assert_int_equal(performed("\"done\""), 1);
    assert_int_equal(open_questions(), 0);
}

static void answers_that_nobody_waits_for_are_ignored(void **state)
{
    (void)state;
    ask(0, &TECHNICIAN, "action", "gate", "forget", "{}");
    uint32_t id = host_hears("forget", WANG);
    host_says(id + 1, 0, "", "1");
    host_says(0, 0, "", "1");
    ends_run(house.loop, -1, 30);
    assert_int_equal(open_questions(), 1);
    host_says(id, 0, "", "2");
    host_says(id, 0, "", "3");
    reader_hears(0, 0, "2");
    ends_expect_silence(house.loop, ends[0]);
    assert_int_equal(performed(""), 1);
}

static void an_answer_beyond_its_bound_ends_the_host(void **state)
{
    char *result = mem_zeroed(TALK_ANSWER_MAX + 2);
    (void)state;
    memset(result, '7', TALK_ANSWER_MAX + 1);
    ask(0, &TECHNICIAN, "view", "gate", "bands", "{}");
    host_says(host_hears("bands", WANG), 0, "", result);
    reader_hears(0, ECONNRESET, "ended before it had answered");
    assert_int_equal(house.gone, 1);
    mem_free(result);
}

static void when_the_keeper_stops_nothing_is_asked_or_recorded_any_more(void **state)
{
    (void)state;
    ask(0, &TECHNICIAN, "action", "gate", "forget", "{}");
    asking_close(&asking);
    assert_int_equal(open_questions(), 0);
    ask(1, &TECHNICIAN, "action", "gate", "forget", "{}");
    reader_hears(1, EAGAIN, "the appliance is stopping");
    ends_run(house.loop, -1, 40);
    assert_int_equal(house.fixture.journal->size, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_action_goes_to_its_host_and_its_answer_back),
        CASE(the_answer_of_an_action_waits_for_its_event),
        CASE(a_view_leaves_no_event),
        CASE(a_role_that_does_not_fit_is_refused_and_recorded),
        CASE(who_has_several_roles_asks_in_the_first_that_fits),
        CASE(what_there_is_not_is_named_and_no_event),
        CASE(without_a_name_all_are_listed),
        CASE(an_instance_that_does_not_run_is_said_so),
        CASE(params_that_are_no_object_are_refused),
        CASE(what_is_not_as_agreed_ends_the_asker),
        CASE(one_more_than_there_are_places_is_told_and_recorded),
        CASE(nobody_waits_longer_than_the_deadline),
        CASE(a_host_that_goes_away_is_told_to_all_who_wait),
        CASE(a_view_of_somebody_who_went_away_is_forgotten_and_an_action_goes_on),
        CASE(answers_that_nobody_waits_for_are_ignored),
        CASE(an_answer_beyond_its_bound_ends_the_host),
        CASE(when_the_keeper_stops_nothing_is_asked_or_recorded_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
