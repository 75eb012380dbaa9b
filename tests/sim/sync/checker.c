/* checker - see checker.h. Counts by the ledger and by the city's rows alone. */
#include "checker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "hub.h"
#include "office.h"
#include "proof/receipt.h"
#include "shelf.h"
#include "story.h"
#include "uplink/sync.h"

enum {
    VERDICT_ROOM = 200,
    STATUSES = 12 /* of an uplink, until a broker that does not answer is given up */
};

static char verdict[VERDICT_ROOM];
/* The most that any receipt said, by log and lane. */
static int64_t issued[LEDGER_LOGS + 1][LANES];

void checker_begin(void)
{
    verdict[0] = '\0';
    for (int log = 0; log <= LEDGER_LOGS; log++)
        for (int lane = 0; lane < LANES; lane++)
            issued[log][lane] = -1;
}

void checker_violated(const char *format, ...)
{
    va_list values;
    if (verdict[0] != '\0')
        return;
    va_start(values, format);
    vsnprintf(verdict, sizeof(verdict), format, values);
    va_end(values);
    story_say("VIOLATED: %s", verdict);
}

const char *checker_verdict(void)
{
    return verdict[0] == '\0' ? NULL : verdict;
}

/* Logs are named log1, log2, ... (ledger.c). */
static int number_of(const char *log)
{
    return atoi(log + 3);
}

/* ---- What is said */

static void check_receipt(const struct letter *letter)
{
    struct receipt receipt;
    if (receipt_read(&receipt, letter->payload, letter->length, NULL) != 0) {
        checker_violated("the city tells a receipt that is none");
        return;
    }
    story_say(
        "the city tells: %s has alarm %lld, record %lld, telemetry %lld%s", receipt.log,
        (long long)receipt.lane[LANE_ALARM], (long long)receipt.lane[LANE_RECORD],
        (long long)receipt.lane[LANE_TELEMETRY], letter->users > 0 ? " (begin)" : "");
    for (int lane = 0; lane < LANES; lane++) {
        int64_t *most = &issued[number_of(receipt.log)][lane];
        if (receipt.lane[lane] > shelf_mark(receipt.log, (enum talk_lane)lane))
            checker_violated("a receipt says %s %lld of %s, which is not committed",
                             talk_lane_name((enum talk_lane)lane),
                             (long long)receipt.lane[lane], receipt.log);
        if (receipt.lane[lane] > *most)
            *most = receipt.lane[lane];
    }
    if (receipt.has_checkpoint && (int64_t)receipt.size > shelf_verified(receipt.log))
        checker_violated("a receipt says checkpoint %llu of %s, which is not committed",
                         (unsigned long long)receipt.size, receipt.log);
}

/* Publishes that are no batches: statuses, and one checkpoint. */
static const unsigned OTHERS[] = {[ROAD_OFFICE_ALARM] = STATUSES, [ROAD_OFFICE_BULK] = 1};

void checker_published(enum road road, const struct letter *letter, unsigned flying)
{
    if (road <= ROAD_OFFICE_BULK && flying > SYNC_FLIGHTS + OTHERS[road])
        checker_violated("%u publishes without PUBACK on %s", flying, cable_name(road));
    if (strstr(letter->topic, "/down/receipt") != NULL)
        check_receipt(letter);
    else
        story_say("%s sends %s, %zu bytes%s%s%s%s", cable_name(road),
                  letter->topic + sizeof("outpost/v1/" LEDGER_OFFICE), letter->length,
                  letter->users > 3 ? ", prev " : "",
                  letter->users > 3 ? letter->user[2][1] : "",
                  letter->users > 3 ? ", last " : "",
                  letter->users > 3 ? letter->user[3][1] : "");
}

/* ---- What is stored */

static int64_t first_missing(const struct ledger_log *log, enum talk_lane lane,
                             int64_t until)
{
    for (int64_t seq = 0; seq <= until && seq < log->size; seq++)
        if (log->events[seq].lane == lane && !log->events[seq].erased &&
            shelf_row(log->name, seq) == NULL)
            return seq;
    return -1;
}

static void check_marks(const struct ledger_log *log)
{
    for (int lane = 0; lane < LANES; lane++) {
        int64_t mark = shelf_mark(log->name, (enum talk_lane)lane);
        int64_t missing = first_missing(log, (enum talk_lane)lane, mark);
        if (mark >= log->size || (mark >= 0 && (int)log->events[mark].lane != lane))
            checker_violated("the city's mark of %s, %s is %lld, which is no such event",
                             log->name, talk_lane_name((enum talk_lane)lane),
                             (long long)mark);
        if (missing >= 0)
            checker_violated("the city's mark of %s, %s is %lld, but it has no %lld",
                             log->name, talk_lane_name((enum talk_lane)lane),
                             (long long)mark, (long long)missing);
    }
}

/* What is verified is there; an erased event may be verified without. */
static void check_verified(const struct ledger_log *log)
{
    int64_t size = shelf_verified(log->name);
    for (int64_t seq = 0; seq < size && log->erased == 0; seq++)
        if (shelf_row(log->name, seq) == NULL) {
            checker_violated("the city has verified %lld events of %s, but has no %lld",
                             (long long)size, log->name, (long long)seq);
            return;
        }
}

void checker_stored(void)
{
    char name[LEDGER_NAME_ROOM];
    bool erased = false;
    for (int i = 1; i <= LEDGER_LOGS; i++) {
        snprintf(name, sizeof(name), "log%d", i);
        const struct ledger_log *log = ledger_find(name);
        if (log == NULL)
            break;
        erased |= log->erased > 0;
        check_marks(log);
        check_verified(log);
    }
    if (shelf_rejected() > 0)
        checker_violated("the city rejects a message");
    const char *finding = shelf_finding(!erased);
    if (finding != NULL)
        checker_violated("the city finds: %s", finding);
}

void checker_marked(void)
{
    const struct ledger_log *log = ledger_newest();
    for (int lane = 0; lane < LANES; lane++) {
        int64_t mark = office_mark((enum talk_lane)lane);
        if (mark > issued[number_of(log->name)][lane])
            checker_violated("the office marks %s %lld of %s, which no receipt said",
                             talk_lane_name((enum talk_lane)lane), (long long)mark,
                             log->name);
    }
}

/* ---- What must come to be */

bool checker_is_synced(void)
{
    const struct ledger_log *log = ledger_newest();
    for (int lane = 0; lane < LANES; lane++) {
        int64_t last = ledger_before(log, (enum talk_lane)lane, log->size);
        int64_t city = shelf_mark(log->name, (enum talk_lane)lane);
        int64_t office = office_mark((enum talk_lane)lane);
        if (city < last || office < last || office > city)
            return false;
    }
    return checker_missing() == 0;
}

bool checker_is_verified(void)
{
    const struct ledger_log *log = ledger_newest();
    return log->erased > 0 || shelf_verified(log->name) >= office_signed();
}

int64_t checker_missing(void)
{
    const struct ledger_log *log = ledger_newest();
    int64_t missing = 0;
    for (int64_t seq = 0; seq < log->size; seq++)
        missing += !log->events[seq].erased && shelf_row(log->name, seq) == NULL;
    return missing;
}

/* ---- The end */

static uint8_t counted[LEDGER_LOGS + 1][LEDGER_EVENTS];

static void check_row(const char *name, const struct shelf_row *row)
{
    const struct ledger_log *log = ledger_find(name);
    ASSERT(log != NULL);
    if (row->seq >= log->size) {
        checker_violated("the city has event %lld of %s, which never was",
                         (long long)row->seq, name);
        return;
    }
    const struct ledger_event *event = &log->events[row->seq];
    if (++counted[number_of(name)][row->seq] > 1)
        checker_violated("event %lld of %s was applied twice", (long long)row->seq, name);
    if (row->lane != event->lane || row->length != event->length ||
        memcmp(row->body, event->body, row->length) != 0)
        checker_violated("event %lld of %s is another one at the city",
                         (long long)row->seq, name);
    if (row->prev < ledger_before(log, event->lane, row->seq))
        checker_violated("event %lld of %s: prev %lld passes over %lld",
                         (long long)row->seq, name, (long long)row->prev,
                         (long long)ledger_before(log, event->lane, row->seq));
}

void checker_count(void)
{
    memset(counted, 0, sizeof(counted));
    shelf_each_row(check_row);
    if (checker_missing() > 0)
        checker_violated("%lld events are not at the city", (long long)checker_missing());
}
