/* office - see office.h. */
#include "office.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "base/mem.h"
#include "chance.h"
#include "wire/talk.h"

enum { TURNS_MAX = 20000, VALUE_MAX = 300, LARGE_MAX = 5000 };

static const char BARE[] =
    "{\"office\":{\"id\":\"350105-003\"},\"lua\":\"/lua\",\"plugins\":[],"
    "\"city\":{\"verifier\":\"/nowhere\"}}";
static const char PLUGINS[] =
    "{\"office\":{\"id\":\"350105-003\"},\"lua\":\"/lua\","
    "\"limits\":{\"messages\":1000000,\"bytes\":1073741824},\"plugins\":["
    "{\"plugin\":\"band\",\"instance\":\"gate\",\"folder\":\"/band\",\"events\":"
    "{\"band.opened\":\"alarm\",\"band.seen\":\"record\",\"band.read\":\"telemetry\"}}]}";
static const char *const TYPES[LANES] = {"band.opened", "band.seen", "band.read"};

static int64_t quota = (int64_t)1 << 40, reserve = 2 * 1024 * 1024;

void office_storage(int64_t quota_bytes, int64_t reserve_bytes)
{
    quota = quota_bytes;
    reserve = reserve_bytes;
}

static void (*watch)(struct office *office);

void office_watch(void (*told)(struct office *office))
{
    watch = told;
}

static void need(bool claim, const char *what)
{
    if (claim)
        return;
    fprintf(stderr, "powercut: %s\n", what);
    abort();
}

static void peer_gone(struct peer *peer, int why)
{
    (void)peer;
    (void)why;
}

static int add_peer(struct office *office, struct peer *peer, enum peer_role role)
{
    int fds[2];
    need(line_pair(fds) == 0, "no line");
    *peer = (struct peer){.role = role, .name = "far end", .gone = peer_gone};
    if (role == PEER_HOST)
        peer->plugin = &office->plugins->plugins[0];
    need(children_add(&office->keeper.children, peer, fds[0]) == 0, "no peer");
    return fds[1];
}

static void committed(void *owner, int err, bool had_alarm)
{
    struct office *office = container_of((struct keeper *)owner, struct office, keeper);
    struct ledger *ledger = office->ledger;
    if (err == 0 && watch != NULL)
        watch(office);
    if (err == 0 && ledger != NULL)
        ledger_note(ledger, office->keeper.journal);
    else if (office->believes_all)
        ledger->count += ledger->is_intended;
    else if (err == -ENOSPC && ledger != NULL)
        ledger_intend(ledger, NULL); /* who waited has been told that it is not */
    office->committed(owner, err, had_alarm);
}

static void send_frame(int fd, const struct buffer *frame)
{
    need(send(fd, frame->bytes, frame->length, MSG_NOSIGNAL) == (ssize_t)frame->length,
         "send");
}

static void say_hello(int fd)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_HELLO, 1);
    send_frame(fd, &frame);
    buffer_free(&frame);
}

int office_open(struct office *office, const char *folder, struct ledger *ledger)
{
    struct buffer verifier = {0};
    *office = (struct office){.host_end = -1, .uplink_end = -1, .ledger = ledger};
    need(config_open(&office->config, BARE, strlen(BARE)) == 0, "config");
    office->config->has_city = false; /* the uplink is here */
    office->config->reserve = reserve;
    office->config->quota = quota;
    office->config->keep_ms = 0;
    need(config_open(&office->plugins, PLUGINS, strlen(PLUGINS)) == 0, "config");
    int err = keeper_open(&office->keeper, office->config, folder, "/nowhere");
    if (err)
        return err;
    if (watch != NULL)
        watch(office);
    if (ledger != NULL)
        ledger_note(ledger, office->keeper.journal);
    office->committed = office->keeper.group.committed;
    office->keeper.group.committed = committed;
    need(key_make(&office->city, suite_named("sha256+ed25519"), "outpost-city/c") == 0,
         "key");
    key_print_verifier(office->city, &verifier);
    need(key_read_verifier(&office->keeper.link.verifier, buffer_text(&verifier)) == 0,
         "verifier");
    buffer_free(&verifier);
    office->host_end = add_peer(office, &office->host, PEER_HOST);
    office->uplink_end = add_peer(office, &office->uplink, PEER_UPLINK);
    say_hello(office->host_end);
    say_hello(office->uplink_end);
    office_pass(office, 1);
    return 0;
}

void office_stop(struct office *office)
{
    if (office->keeper.exit_code == 0) {
        raise(SIGTERM);
        keeper_run(&office->keeper);
    }
    office_close(office);
}

void office_close(struct office *office)
{
    keeper_close(&office->keeper);
    close(office->host_end);
    close(office->uplink_end);
    key_free(office->city);
    config_close(office->config);
    config_close(office->plugins);
}

/* ---- Saying */

static void put_event(struct buffer *frame, enum talk_lane lane, int64_t number,
                      uint64_t *random)
{
    struct buffer text = {0};
    size_t length = chance_below(random, chance_is(random, 3) ? LARGE_MAX : VALUE_MAX);
    buffer_printf(&text, "{\"n\":%lld,\"x\":\"", (long long)number);
    for (size_t i = 0; i < length; i++)
        buffer_printf(&text, "%c", 'a' + (int)chance_below(random, 26));
    buffer_append_text(&text, "\"}");
    size_t mark = frame_open(frame, TAG_EVENT);
    frame_put_text(frame, TAG_TYPE, TYPES[lane]);
    frame_put_text(frame, TAG_DATA, buffer_text(&text));
    frame_close(frame, mark);
    buffer_free(&text);
}

static void put_key(struct buffer *frame, uint64_t *random)
{
    char key[16], value[VALUE_MAX];
    size_t length = chance_below(random, sizeof(value));
    memset(value, 'a' + (int)chance_below(random, 26), sizeof(value));
    snprintf(key, sizeof(key), "key-%d", (int)chance_below(random, 12));
    bool remove = chance_is(random, 20);
    size_t mark = frame_open(frame, remove ? TAG_REMOVE : TAG_PUT);
    frame_put_text(frame, TAG_KEY, key);
    if (!remove)
        frame_put(frame, TAG_VALUE, value, length);
    frame_close(frame, mark);
}

static void put_cursor(struct buffer *frame, int64_t size, uint64_t *random)
{
    size_t mark = frame_open(frame, TAG_CONSUMED);
    frame_put_text(frame, TAG_NAME, chance_is(random, 50) ? "one" : "two");
    frame_put_number(frame, TAG_SEQ, (int64_t)chance_below(random, (uint64_t)size));
    frame_close(frame, mark);
}

void office_say(struct office *office, int count, uint64_t *random)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_COMMIT, ++office->id);
    for (int i = 0; i < count; i++) {
        uint64_t choice = chance_below(random, 50);
        enum talk_lane lane = choice == 0   ? LANE_ALARM
                              : choice < 20 ? LANE_RECORD
                                            : LANE_TELEMETRY;
        put_event(&frame, lane, office->number++, random);
    }
    for (int keys = (int)chance_below(random, 4); keys > 0; keys--)
        put_key(&frame, random);
    if (chance_is(random, 30) && office->keeper.journal->size > 0)
        put_cursor(&frame, office->keeper.journal->size, random);
    send_frame(office->host_end, &frame);
    buffer_free(&frame);
}

void office_receive(struct office *office, int64_t size)
{
    struct journal *journal = office->keeper.journal;
    struct receipt receipt = {
        .time_us = 1, .has_checkpoint = true, .size = (uint64_t)size};
    struct buffer note = {0}, frame = {0};
    strcpy(receipt.office, journal->log.office);
    strcpy(receipt.log, journal->log.log);
    for (int lane = 0; lane < LANES; lane++)
        receipt.lane[lane] = journal->lane_last[lane];
    if (journal_root(journal, &receipt.root, receipt.size) != 0)
        return;
    receipt_sign(&note, &receipt, office->city);
    frame_begin(&frame, TALK_RECEIPT, 9);
    frame_put(&frame, TAG_TEXT, note.bytes, note.length);
    send_frame(office->uplink_end, &frame);
    buffer_free(&note);
    buffer_free(&frame);
    office_pass(office, 50);
}

/* ---- Hearing */

static bool is_readable(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    return poll(&ready, 1, 0) == 1;
}

/* Takes the next frame; true when it is the DONE of the newest question, or the line is over. */
static bool take_frame(struct office *office, bool *well)
{
    static uint8_t bytes[FRAME_MAX];
    struct frame frame;
    struct field field;
    int64_t err = 1, seq = -1;
    ssize_t length = recv(office->host_end, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (length <= 0) {
        *well = false;
        return true;
    }
    if (frame_read(&frame, bytes, (size_t)length) != 0 || frame.type != TALK_DONE)
        return false;
    if (fields_find(&frame.fields, TAG_ERROR, &field) == 0)
        field_number(&field, &err);
    if (fields_find(&frame.fields, TAG_SEQ, &field) == 0)
        field_number(&field, &seq);
    *well &=
        err == 0 && seq >= 0; /* each COMMIT has events; left out they have no sequence */
    return frame.id == office->id;
}

bool office_hear(struct office *office)
{
    bool well = true;
    for (int turn = 0; turn < TURNS_MAX && office->keeper.exit_code == 0; turn++) {
        while (is_readable(office->host_end))
            if (take_frame(office, &well))
                return well;
        loop_turn(office->keeper.loop);
    }
    return false;
}

bool office_ask(struct office *office, const struct buffer *question,
                struct frame *answer)
{
    static uint8_t bytes[FRAME_MAX];
    send_frame(office->host_end, question);
    for (int turn = 0; turn < TURNS_MAX && office->keeper.exit_code == 0; turn++) {
        while (is_readable(office->host_end)) {
            ssize_t length = recv(office->host_end, bytes, sizeof(bytes), MSG_DONTWAIT);
            if (length <= 0)
                return false;
            if (frame_read(answer, bytes, (size_t)length) == 0 &&
                answer->type != TALK_START && answer->id == office->id)
                return true;
        }
        loop_turn(office->keeper.loop);
    }
    return false;
}

static void time_is_over(struct loop_timer *timer)
{
    (void)timer;
}

void office_pass(struct office *office, int ms)
{
    struct loop_timer over = {.fire = time_is_over};
    uint8_t bytes[4096];
    loop_timer_start(office->keeper.loop, &over, ms);
    while (loop_timer_is_running(&over) && office->keeper.exit_code == 0)
        loop_turn(office->keeper.loop);
    loop_timer_stop(&over);
    while (recv(office->uplink_end, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
}
