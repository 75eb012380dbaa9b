/* house - journal, group, router, link and children put together, with a host, an uplink and a
 * reader whose far ends the test holds. */
#ifndef TESTS_KEEPER_HOUSE_H
#define TESTS_KEEPER_HOUSE_H

#include "keeper/blobs/blobs.h"
#include "keeper/children/children.h"
#include "keeper/config.h"
#include "keeper/ends.h"

enum { HOUSE_HOST, HOUSE_UPLINK, HOUSE_READER, HOUSE_PEERS };

struct house {
    struct fixture fixture;
    struct loop *loop;
    struct config *config;
    struct key *city; /* signs receipts */
    struct group group;
    struct router router;
    struct link link;
    struct children children;
    struct peer peers[HOUSE_PEERS];
    int ends[HOUSE_PEERS];
    struct blobs *blobs; /* NULL: there are none */
    int gone;            /* peers whose lines were over */
    int last_err;
    struct heard heard;
};

static const char HOUSE_CONFIG[] =
    "{\"office\":{\"id\":\"350105-003\"},\"lua\":\"/lua\",\"plugins\":["
    "{\"plugin\":\"band\",\"instance\":\"gate\",\"folder\":\"/band\",\"events\":"
    "{\"band.opened\":\"alarm\",\"band.seen\":\"record\",\"pulse.read\":\"telemetry\"}},"
    "{\"plugin\":\"band\",\"instance\":\"hall\",\"events\":{}}]}";

static inline void house_committed(void *owner, int err, bool had_alarm)
{
    struct house *house = owner;
    (void)had_alarm;
    house->last_err = err;
    link_committed(&house->link, err);
    if (house->blobs != NULL)
        blobs_committed(house->blobs, err);
    if (err == 0)
        router_wake(&house->router);
}

static inline void house_print(void *owner, const struct peer *peer, struct buffer *out)
{
    struct house *house = owner;
    if (peer->plugin != NULL)
        config_print_plugin(peer->plugin, house->config->office, "/band", "/lua", out);
    else
        buffer_append_text(out, "{}");
}

static inline void house_greeted(void *owner, struct peer *peer)
{
    struct house *house = owner;
    if (peer->role == PEER_UPLINK)
        link_greet(&house->link, peer);
}

static inline void house_report(void *owner, struct buffer *out)
{
    (void)owner;
    buffer_append_text(out, "{\"office\":\"350105-003\"}");
}

static inline void house_gone(struct peer *peer, int why)
{
    struct house *house = peer->owner;
    (void)why;
    house->gone++;
}

static inline void house_add(struct house *house, int which, enum peer_role role,
                             const char *name)
{
    int fds[2];
    assert_int_equal(line_pair(fds), 0);
    house->peers[which] =
        (struct peer){.role = role, .name = name, .owner = house, .gone = house_gone};
    if (role == PEER_HOST)
        house->peers[which].plugin = &house->config->plugins[0];
    assert_int_equal(children_add(&house->children, &house->peers[which], fds[0]), 0);
    house->ends[which] = fds[1];
}

static inline void house_open(struct house *house)
{
    char verifier[300];
    struct buffer vkey = {0};
    *house = (struct house){.gone = 0};
    fixture_open(&house->fixture);
    assert_int_equal(key_make(&house->city, suite_named(FIXTURE_SUITE), "outpost-city/c"),
                     0);
    key_print_verifier(house->city, &vkey);
    strcpy(verifier, fixture_path(&house->fixture, "city.pub"));
    assert_int_equal(file_put(verifier, vkey.bytes, vkey.length, 0600), 0);
    buffer_free(&vkey);
    assert_int_equal(config_open(&house->config, HOUSE_CONFIG, strlen(HOUSE_CONFIG)), 0);
    assert_int_equal(loop_open(&house->loop), 0);
    group_open(&house->group, house->loop, house->fixture.journal, house_committed,
               house);
    router_open(&house->router, house->fixture.journal);
    link_open(&house->link, house->fixture.journal, &house->group, verifier);
    children_open(&house->children, house->loop, &house->group, &house->router,
                  &house->link);
    house->children.print_start = house_print;
    house->children.greeted = house_greeted;
    house->children.print_report = house_report;
    house->children.owner = house;
    house_add(house, HOUSE_HOST, PEER_HOST, "gate");
    house_add(house, HOUSE_UPLINK, PEER_UPLINK, "uplink");
    house_add(house, HOUSE_READER, PEER_READER, "reader");
}

static inline void house_close(struct house *house)
{
    children_close(&house->children);
    for (int i = 0; i < HOUSE_PEERS; i++)
        close(house->ends[i]);
    link_close(&house->link);
    router_close(&house->router);
    group_close(&house->group);
    loop_close(house->loop);
    config_close(house->config);
    key_free(house->city);
    fixture_close(&house->fixture);
}

/* All have said HELLO and heard what greets them. */
static inline void house_greet(struct house *house)
{
    for (int i = 0; i < HOUSE_PEERS; i++)
        ends_tell(house->ends[i], TALK_HELLO, 1);
    ends_expect(house->loop, house->ends[HOUSE_HOST], &house->heard, TALK_START, 1);
    ends_expect(house->loop, house->ends[HOUSE_UPLINK], &house->heard, TALK_START, 1);
    for (int lane = 0; lane < LANES; lane++)
        ends_expect(house->loop, house->ends[HOUSE_UPLINK], &house->heard, TALK_MARK, 0);
}

/* Appends an EVENT to a COMMIT. */
static inline void house_event(struct buffer *frame, const char *type, const char *data)
{
    size_t mark = frame_open(frame, TAG_EVENT);
    frame_put_text(frame, TAG_TYPE, type);
    frame_put_text(frame, TAG_DATA, data);
    frame_close(frame, mark);
}

static inline void house_put(struct buffer *frame, const char *key, const char *value)
{
    size_t mark = frame_open(frame, TAG_PUT);
    frame_put_text(frame, TAG_KEY, key);
    frame_put_text(frame, TAG_VALUE, value);
    frame_close(frame, mark);
}

static inline void house_consume(struct buffer *frame, const char *name, int64_t seq)
{
    size_t mark = frame_open(frame, TAG_CONSUMED);
    frame_put_text(frame, TAG_NAME, name);
    frame_put_number(frame, TAG_SEQ, seq);
    frame_close(frame, mark);
}

/* The host commits one event of that type and hears that it is done; its sequence. */
static inline int64_t house_commit(struct house *house, const char *type)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_COMMIT, 77);
    house_event(&frame, type, "{}");
    ends_say(house->ends[HOUSE_HOST], &frame);
    buffer_free(&frame);
    return ends_done(house->loop, house->ends[HOUSE_HOST], &house->heard, 77, 0);
}

#endif
