/* keeper_powercut - the power fails under the office's keeper: see sweep.h, disk.h and office.h. */
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "chance.h"
#include "inspect.h"
#include "office.h"
#include "sweep.h"

enum {
    LIVES = 3,
    STEPS = 13,
    GROUP_MOST = 24,
    BURST = 64,
    RESERVE = 2 << 20,
    ROOM = 700 << 10
};

static struct ledger *ledger;
static bool is_tight;     /* there is so little room that telemetry is thinned */
static sqlite3 *database; /* the one opened last */

/* ---- The work */

static int took_database(sqlite3 *db, char **message,
                         const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    database = db;
    return SQLITE_OK;
}

static void be_lazy(bool is_lazy)
{
    if (is_lazy &&
        sqlite3_exec(database, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL) != 0)
        abort();
}

/* With little room telemetry may be left out; then it has not happened. */
static void commit(struct office *office, int frames, int most, uint64_t *random)
{
    for (; frames > 0; frames--) {
        int64_t number = office->number;
        office_say(office, 1 + (int)chance_below(random, (uint64_t)most), random);
        if (!is_tight && frames > 1)
            continue; /* in one group with the next */
        if (office_hear(office))
            continue;
        if (!is_tight)
            abort();
        office->number = number;
    }
}

static void work_once(struct office *office, uint64_t *random)
{
    uint64_t choice = chance_below(random, 100);
    if (choice < 62)
        commit(office, 1 + (int)chance_below(random, 3), GROUP_MOST, random);
    else if (choice < 66)
        commit(office, 8, BURST, random);
    else if (choice < 80)
        office_pass(office, 400 + (int)chance_below(random, 2000));
    else if (choice < 88)
        office_pass(office, 61 * 1000);
    else if (office->keeper.upkeep.size > 0)
        office_receive(office, (int64_t)office->keeper.upkeep.size);
}

static void live(struct office *office, uint64_t *random)
{
    for (int step = 0; step < STEPS; step++)
        work_once(office, random);
    log_info("a life of %lld events ends, %lld erased",
             (long long)office->keeper.journal->size,
             (long long)office->keeper.storage.thinned);
    if (chance_is(random, 60))
        office_stop(office);
    else
        office_close(office); /* a death without a word */
}

static void work(const char *folder, uint64_t seed, uint64_t marks, bool is_lazy)
{
    static struct office office;
    uint64_t random = seed;
    int64_t number = marks > 0 ? ledger->number : 0;
    sqlite3_auto_extension((void (*)(void))took_database);
    is_tight = chance_is(&random, 50);
    office_storage(is_tight ? RESERVE + ROOM : INT64_MAX / 8, RESERVE);
    if (marks == 0)
        ledger_clear(ledger);
    ledger->count = (int)marks;
    for (int life = 0; life < LIVES; life++) {
        if (office_open(&office, folder, ledger) != 0)
            abort();
        be_lazy(is_lazy);
        office.number = number;
        live(&office, &random);
        number = office.number;
    }
}

static uint64_t settle(const char *folder, uint64_t marks)
{
    static struct office office;
    struct found found;
    trace_be_repeatable(marks);
    if (office_open(&office, folder, NULL) != 0 ||
        ledger_check(ledger, office.keeper.journal, (int)marks, &found) != NULL)
        abort();
    ledger->number = found.number;
    office_close(&office);
    return (uint64_t)found.at;
}

static const char *examine(const char *folder, uint64_t seed, uint64_t marks)
{
    uint64_t random = seed;
    return inspect_folder(folder, seed, ledger, (int)marks, chance_is(&random, 25));
}

int main(int argc, char **argv)
{
    static const struct rig RIG = {"keeper", true, work, settle, examine};
    ledger = ledger_new();
    signal(SIGPIPE, SIG_IGN);
    umask(0027);
    return sweep_main(&RIG, argc, argv);
}
