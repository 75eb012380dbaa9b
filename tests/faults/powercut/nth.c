/* nth - each call to the disk fails once, and each allocation: the whole keeper, in its process.
 *
 * For n = 1, 2, 3 ... the n-th write, fsync, open for writing, rename, unlink, mkdir or truncation of a
 * life fails with ENOSPC or EIO, alone or with all that follow, until a life passes without it. The
 * keeper may refuse, and it may end; it may not answer what is not so. Then the folder is opened again
 * without faults, as it is and as a power cut would have left it.
 *
 *   nth [--step N] [--seed S]    every N-th n; one line a fault */
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "chance.h"
#include "disk.h"
#include "inspect.h"
#include "office.h"
#include "trace.h"

enum {
    BEFORE = TILE_WIDTH - 20,
    ROUNDS = 12,
    GROUP = 6,
    MEMORY_STEP = 211,
    PATH_ROOM = 300
};

static const struct fault {
    const char *name;
    int err;
    bool sticky;
    bool memory;
    bool control; /* the plugin takes refusals for answers: events must be missing */
} FAULTS[] = {
    {.name = "ENOSPC once", .err = ENOSPC},
    {.name = "ENOSPC for good", .err = ENOSPC, .sticky = true},
    {.name = "EIO once", .err = EIO},
    {.name = "EIO for good", .err = EIO, .sticky = true},
    {.name = "no memory once", .memory = true},
    {.name = "control: ENOSPC for good", .err = ENOSPC, .sticky = true, .control = true},
};

static const struct fault *fault; /* the one at hand */

struct sweep {
    char base[200];
    uint64_t seed;
    long step;
    struct ledger *ledger; /* shared with those that work */
    struct ledger *before; /* as it was when the life began */
    long lost;
};

/* Between the group and the journal: what is about to be committed is taken down. */
static struct ledger *intends;
int __real_journal_commit(struct journal *journal);
int __wrap_journal_commit(struct journal *journal);

int __wrap_journal_commit(struct journal *journal)
{
    if (intends != NULL)
        ledger_intend(intends, journal);
    return __real_journal_commit(journal);
}

static int remove_one(const char *path, const struct stat *file, int type,
                      struct FTW *place)
{
    (void)file;
    (void)type;
    (void)place;
    return remove(path);
}

static void remove_folder(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void path_of(const struct sweep *sweep, char path[PATH_ROOM], const char *name)
{
    snprintf(path, PATH_ROOM, "%s/%s", sweep->base, name);
}

/* What was refused is said again with the same numbers, as a host would. */
static bool say_again(struct office *office, uint64_t *random)
{
    int64_t number = office->number;
    office_say(office, GROUP, random);
    if (office_hear(office))
        return true;
    if (!office->believes_all)
        office->number = number;
    return false;
}

/* Events over the edge of a tile, keys, a receipt, checkpoints, sealing, a short log, a good end. */
static void live(const struct sweep *sweep, const char *folder, int rounds)
{
    static struct office office;
    uint64_t random = sweep->seed;
    bool well = true;
    intends = sweep->ledger;
    if (office_open(&office, folder, sweep->ledger) != 0) {
        office_close(&office);
        return;
    }
    office.number = sweep->before->number;
    office.believes_all = fault->control;
    for (int i = 0; i < rounds && office.keeper.exit_code == 0; i++) {
        well = say_again(&office, &random);
        if (i % 4 == 3)
            office_pass(&office, 2500);
        if (i == rounds / 2)
            office_receive(&office, office.keeper.journal->size);
    }
    if (!well && office.keeper.exit_code == 0)
        well = say_again(&office, &random);
    if (!well && !fault->sticky && office.keeper.exit_code == 0)
        abort(); /* one fault does not stop it for good */
    office_pass(&office, 61 * 1000);
    office_stop(&office);
}

static int in_child(void (*work)(struct sweep *sweep, const char *folder, long number),
                    struct sweep *sweep, const char *folder, long number)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (getenv("LOUD") == NULL && freopen("/dev/null", "w", stderr) == NULL)
            exit(2);
        work(sweep, folder, number);
        exit(0);
    }
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

/* ---- One life with a fault */

static void live_with(struct sweep *sweep, const char *folder, long nth)
{
    trace_begin(folder, sweep->seed);
    if (fault->memory)
        trace_fail_memory(nth);
    else
        trace_fail(nth, fault->err, fault->sticky);
    live(sweep, folder, ROUNDS);
}

/* Number 0: the folder as it is; 1: as a power cut has left it. */
static void look(struct sweep *sweep, const char *folder, long number)
{
    const char *wrong = inspect_folder(folder, sweep->seed + 1, sweep->ledger,
                                       sweep->ledger->count, number == 0);
    if (wrong == NULL)
        return;
    if (!fault->control)
        printf("nth: %s: %s\n", fault->name, wrong);
    exit(1);
}

static void complain(struct sweep *sweep, const char *what, long nth, int status)
{
    sweep->lost++;
    if (fault->control)
        return;
    printf("nth: %s: call %ld, seed %" PRIu64 ": %s: status %d\n", fault->name, nth,
           sweep->seed, what, status);
}

/* A keeper without memory aborts; for all else it has to end by itself. */
static bool ended_well(int status)
{
    return status == 0 ||
           (fault->memory && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static bool fails_at(struct sweep *sweep, const char *from, long nth)
{
    char folder[PATH_ROOM], cut[PATH_ROOM];
    path_of(sweep, folder, "life");
    path_of(sweep, cut, "cut");
    struct disk *disk = disk_new(from);
    disk_fall(disk, folder, 0);
    disk_free(disk);
    disk = disk_new(folder);
    memcpy(sweep->ledger, sweep->before, sizeof(*sweep->ledger));
    trace_fail(0, 0, false);
    int status = in_child(live_with, sweep, folder, nth);
    bool failed = trace_has_failed();
    trace_end();
    trace_fail(0, 0, false);
    if (!ended_well(status))
        complain(sweep, "the keeper did not end by itself", nth, status);
    for (size_t i = 0; i < trace_count(); i++)
        disk_take(disk, trace_op(i));
    disk_fall(disk, cut, chance_at(sweep->seed, (uint64_t)nth));
    disk_free(disk);
    status = in_child(look, sweep, folder, 0);
    if (status != 0)
        complain(sweep, "opened again", nth, status);
    status = in_child(look, sweep, cut, 1);
    if (status != 0)
        complain(sweep, "opened after a cut", nth, status);
    remove_folder(folder);
    remove_folder(cut);
    return failed;
}

static void sweep_fault(struct sweep *sweep, const char *from, const char *where)
{
    long step = fault->memory ? sweep->step * MEMORY_STEP : sweep->step;
    long nth = 1, tried = 0, lost = sweep->lost;
    for (; fails_at(sweep, from, nth); nth += step)
        tried++;
    long wrong = sweep->lost - lost;
    if (fault->memory && tried == 0)
        return; /* under ASan, whose allocator it is then */
    if (fault->control)
        sweep->lost = sweep->lost > lost ? lost : lost + 1;
    printf("nth: %s, %s: about %ld calls, %ld tried, %ld wrong\n", fault->name, where,
           nth, tried, wrong);
    fflush(stdout);
}

/* ---- Where lives begin */

static void live_before(struct sweep *sweep, const char *folder, long rounds)
{
    trace_begin(folder, sweep->seed + 2);
    live(sweep, folder, (int)rounds);
}

static void note_numbers(struct sweep *sweep, const char *folder, long number)
{
    static struct office office;
    struct found found;
    (void)number;
    trace_be_repeatable(1);
    if (office_open(&office, folder, NULL) != 0 ||
        ledger_check(sweep->ledger, office.keeper.journal, sweep->ledger->count,
                     &found) != NULL)
        abort();
    sweep->ledger->number = found.number;
    office_close(&office);
}

/* A journal whose first tile is nearly full. */
static void prepare(struct sweep *sweep, const char *folder)
{
    char copy[PATH_ROOM];
    path_of(sweep, copy, "copy");
    ledger_clear(sweep->ledger);
    ledger_clear(sweep->before);
    mkdir(folder, 0750);
    int status = in_child(live_before, sweep, folder, BEFORE / GROUP);
    trace_end();
    struct disk *disk = disk_new(folder);
    disk_fall(disk, copy, 0);
    disk_free(disk);
    if (status == 0)
        status = in_child(note_numbers, sweep, copy, 0);
    remove_folder(copy);
    if (status != 0) {
        fprintf(stderr, "nth: nothing to begin with: status %d\n", status);
        exit(1);
    }
}

static void sweep_all(struct sweep *sweep)
{
    char empty[PATH_ROOM], half[PATH_ROOM];
    path_of(sweep, empty, "empty");
    path_of(sweep, half, "half");
    mkdir(empty, 0750);
    ledger_clear(sweep->before);
    for (size_t i = 0; i < countof(FAULTS); i++) {
        fault = &FAULTS[i];
        if (!fault->memory && !fault->control)
            sweep_fault(sweep, empty, "from nothing");
    }
    fault = &FAULTS[0];
    prepare(sweep, half);
    memcpy(sweep->before, sweep->ledger, sizeof(*sweep->before));
    for (size_t i = 0; i < countof(FAULTS); i++) {
        fault = &FAULTS[i];
        sweep_fault(sweep, half, "over a tile");
    }
}

int main(int argc, char **argv)
{
    static const struct option KNOWN[] = {{"step", required_argument, NULL, 'n'},
                                          {"seed", required_argument, NULL, 's'},
                                          {NULL, 0, NULL, 0}};
    struct sweep sweep = {.seed = 1, .step = 1};
    int option;
    while ((option = getopt_long(argc, argv, "", KNOWN, NULL)) != -1) {
        if (option == 'n')
            sweep.step = atol(optarg);
        else if (option == 's')
            sweep.seed = strtoull(optarg, NULL, 10);
        else
            return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    umask(0027);
    trace_open();
    sweep.ledger = ledger_new();
    sweep.before = ledger_new();
    snprintf(sweep.base, sizeof(sweep.base), "%s/nth-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(sweep.base) == NULL)
        return 2;
    sweep_all(&sweep);
    remove_folder(sweep.base);
    return sweep.lost == 0 ? 0 : 1;
}
