/* sweep - see sweep.h. */
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chance.h"
#include "disk.h"

enum {
    WORKLOADS = 8,
    JOBS_MAX = 8,
    STRIPE = 8, /* operations that one job looks at before the next does */
    REPORTS = 5,
    SHOWN = 30, /* operations before a cut that is looked at again */
    WHY_ROOM = 200,
    PATH_ROOM = 256
};

enum control { TRUE_DISK, LAZY, NO_FOLDERS, NO_FILES, CONTROLS };

static const char *const NAMES[CONTROLS] = {
    [TRUE_DISK] = "none",
    [LAZY] = "synchronous=NORMAL",
    [NO_FOLDERS] = "no fsync of folders",
    [NO_FILES] = "no fsync of files beside the database",
};

/* Of one job: where it is, and what it has found. Shared with its process. */
struct tally {
    size_t cut;
    long round;
    long states;
    long lost;
    long wrong; /* also lost */
    char why[WHY_ROOM];
};

struct sweep {
    const struct rig *rig;
    uint64_t seed;
    long states; /* to be looked at in each workload */
    int jobs;
    enum control control;
    char base[PATH_ROOM]; /* folder of this run */
    struct tally *tallies;
    int reports;
    /* The workload at hand. */
    int workload;
    struct trace_op *ops;
    size_t count;
    uint64_t marks;    /* before its first operation */
    uint64_t *settled; /* shared */
};

/* ---- Folders */

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

static void make_base(struct sweep *sweep)
{
    bool shm = access("/dev/shm", W_OK) == 0;
    snprintf(sweep->base, sizeof(sweep->base), "%s/powercut-XXXXXX",
             shm ? "/dev/shm" : "/tmp");
    if (mkdtemp(sweep->base) != NULL)
        return;
    perror(sweep->base);
    exit(2);
}

static void path_of(const struct sweep *sweep, char path[PATH_ROOM + 32],
                    const char *what, int number)
{
    snprintf(path, PATH_ROOM + 32, "%s/%s-%d", sweep->base, what, number);
}

/* ---- A workload: its operations, in an order in which they could have come */

static void keep(struct sweep *sweep, size_t index)
{
    sweep->ops[sweep->count++] = *trace_op(index);
}

/* An errand ran to its end before its parent went on; in truth both go on together. Their operations
 * have nothing in common until they join, so any mixture could have been. Of several errands the first
 * does all before the next; joining one of them they are all over. */
static void arrange(struct sweep *sweep, uint64_t random)
{
    size_t *held = malloc(trace_count() * sizeof(*held) + 1), first = 0, count = 0;
    unsigned percent = 0;
    sweep->count = 0;
    sweep->ops = realloc(sweep->ops, trace_count() * sizeof(*sweep->ops) + 1);
    for (size_t i = 0; i < trace_count(); i++) {
        const struct trace_op *op = trace_op(i);
        if (op->errand != 0) {
            if (first == count)
                percent = (unsigned)chance_below(&random, 4) * 33;
            held[count++] = i;
            continue;
        }
        while (first < count && (op->kind == TRACE_JOIN || chance_is(&random, percent)))
            keep(sweep, held[first++]);
        if (op->kind != TRACE_JOIN)
            keep(sweep, i);
    }
    while (first < count)
        keep(sweep, held[first++]);
    free(held);
}

/* What file_put() writes is called NAME.123.new before it is called NAME; a blob's name is only digits
 * first. */
static bool is_beside(const struct sweep *sweep, ino_t inode)
{
    for (size_t i = 0; i < sweep->count; i++) {
        const struct trace_op *op = &sweep->ops[i];
        size_t length = strlen(op->name);
        if (op->kind == TRACE_NAME && op->target == inode && length > 4 &&
            (strcmp(op->name + length - 4, ".new") == 0 ||
             strspn(op->name, "0123456789") == length))
            return true;
    }
    return false;
}

/* The disk of a control does not sync all that it is told to. */
static bool is_ignored(const struct sweep *sweep, const struct trace_op *op)
{
    if (op->kind != TRACE_SYNC)
        return false;
    if (sweep->control == NO_FOLDERS)
        return op->is_folder;
    return sweep->control == NO_FILES && !op->is_folder && is_beside(sweep, op->inode);
}

static void drop_ignored(struct sweep *sweep)
{
    size_t kept = 0;
    for (size_t i = 0; i < sweep->count; i++)
        if (!is_ignored(sweep, &sweep->ops[i]))
            sweep->ops[kept++] = sweep->ops[i];
    sweep->count = kept;
}

static void record(struct sweep *sweep, const char *folder)
{
    uint64_t seed = chance_at(sweep->seed, (uint64_t)sweep->workload);
    char log[PATH_ROOM + 32];
    int status;
    /* Not on the traced file system: what is logged is no operation. */
    snprintf(log, sizeof(log), "/tmp/powercut-%d-%d.log", (int)getpid(), sweep->workload);
    pid_t pid = fork();
    if (pid == 0) {
        if (freopen(log, "w", stderr) == NULL)
            _exit(2);
        trace_begin(folder, seed);
        sweep->rig->work(folder, seed, sweep->marks, sweep->control == LAZY);
        _exit(0);
    }
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr,
                "powercut: %s: workload %d of seed %" PRIu64
                " ended with status %d; %s\n",
                sweep->rig->name, sweep->workload, sweep->seed, status, log);
        exit(1);
    }
    unlink(log);
    trace_end();
    arrange(sweep, seed);
    drop_ignored(sweep);
}

/* ---- Cuts */

/* How many states a cut is given: `states` in all, evenly. */
static long rounds(const struct sweep *sweep, size_t cut)
{
    long count = (long)sweep->count;
    return (long)cut * sweep->states / count - ((long)cut - 1) * sweep->states / count;
}

static uint64_t place_of(const struct sweep *sweep, size_t cut, long round)
{
    return ((uint64_t)sweep->workload << 48) ^ ((uint64_t)cut << 16) ^ (uint64_t)round;
}

static const char *look(struct sweep *sweep, struct disk *disk, const char *folder,
                        size_t cut, long round, uint64_t marks)
{
    uint64_t random = chance_at(sweep->seed, place_of(sweep, cut, round));
    disk_fall(disk, folder, random);
    return sweep->rig->examine(folder, random, marks);
}

static void look_again_and_again(struct sweep *sweep, struct disk *disk, int job,
                                 size_t cut, uint64_t marks)
{
    struct tally *tally = &sweep->tallies[job];
    char folder[PATH_ROOM + 32];
    path_of(sweep, folder, "state", job);
    long round = cut == tally->cut ? tally->round : 0;
    for (long most = rounds(sweep, cut); round < most; round++) {
        tally->cut = cut;
        tally->round = round;
        const char *why = look(sweep, disk, folder, cut, round, marks);
        remove_folder(folder);
        tally->round = round + 1;
        tally->states++;
        if (why == NULL)
            continue;
        tally->lost += strncmp(why, "lost", 4) == 0;
        tally->wrong++;
        snprintf(tally->why, sizeof(tally->why), "%s", why);
        if (sweep->control == TRUE_DISK)
            _exit(1); /* it is told, and begins again behind this state */
    }
}

static bool is_mine(const struct sweep *sweep, int job, size_t cut)
{
    return cut / STRIPE % (size_t)sweep->jobs == (size_t)job;
}

static void run_job(struct sweep *sweep, struct disk *disk, int job)
{
    uint64_t marks = sweep->marks;
    int null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO);
    for (size_t i = 0; i < sweep->count; i++) {
        const struct trace_op *op = &sweep->ops[i];
        if (op->kind == TRACE_MARK)
            marks = op->at;
        else
            disk_take(disk, op);
        if (is_mine(sweep, job, i + 1) && i + 1 >= sweep->tallies[job].cut)
            look_again_and_again(sweep, disk, job, i + 1, marks);
    }
    _exit(0);
}

static void report(struct sweep *sweep, int job, int status)
{
    struct tally *tally = &sweep->tallies[job];
    if (sweep->control != TRUE_DISK || sweep->reports++ >= REPORTS)
        return;
    if (WIFSIGNALED(status))
        snprintf(tally->why, sizeof(tally->why), "the program died of signal %d",
                 WTERMSIG(status));
    fprintf(stderr, "powercut: %s: %s: %s --seed %" PRIu64 " --at %d/%zu/%ld\n",
            sweep->rig->name, tally->why, program_invocation_name, sweep->seed,
            sweep->workload, tally->cut, tally->round - !WIFSIGNALED(status));
}

/* A job whose process has died goes on behind the state it died of. */
static void run_jobs(struct sweep *sweep, struct disk *disk)
{
    pid_t pids[JOBS_MAX] = {0};
    int left = 0, status;
    for (int job = 0; job < sweep->jobs; job++) {
        sweep->tallies[job].cut = 0;
        sweep->tallies[job].round = 0;
    }
    for (int job = 0; job < sweep->jobs; job++, left++)
        if ((pids[job] = fork()) == 0)
            run_job(sweep, disk, job);
    while (left > 0) {
        pid_t pid = wait(&status);
        int job = 0;
        while (job < sweep->jobs && pids[job] != pid)
            job++;
        if (pid < 0 || job == sweep->jobs)
            continue;
        if (status == 0) {
            left--;
            continue;
        }
        report(sweep, job, status);
        if (WIFSIGNALED(status)) {
            char folder[PATH_ROOM + 32];
            path_of(sweep, folder, "state", job);
            remove_folder(folder);
            sweep->tallies[job].round++;
            sweep->tallies[job].states++;
            sweep->tallies[job].wrong++;
        }
        if ((pids[job] = fork()) == 0)
            run_job(sweep, disk, job);
    }
}

/* ---- Workloads, one after the other */

static struct disk *begin_workload(struct sweep *sweep)
{
    char folder[PATH_ROOM + 32];
    path_of(sweep, folder, "work", sweep->workload);
    if (access(folder, F_OK) != 0) {
        mkdir(folder, 0750);
        sweep->marks = 0;
    }
    struct disk *disk = disk_new(folder);
    record(sweep, folder);
    return disk;
}

static void settle(struct sweep *sweep, const char *folder)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(2);
        *sweep->settled = sweep->rig->settle(folder, sweep->marks);
        _exit(0);
    }
    if (waitpid(pid, &status, 0) != pid || status != 0)
        exit(1);
    sweep->marks = *sweep->settled;
}

/* Every second workload begins where a cut has left the one before. */
static void leave_for_next(struct sweep *sweep, struct disk *disk)
{
    char folder[PATH_ROOM + 32];
    uint64_t random = chance_at(sweep->seed, (uint64_t)sweep->workload ^ 0xabcdef);
    size_t cut = sweep->count / 2 + chance_below(&random, sweep->count / 2);
    path_of(sweep, folder, "work", sweep->workload + 1);
    for (size_t i = 0; i < cut; i++)
        if (sweep->ops[i].kind == TRACE_MARK)
            sweep->marks = sweep->ops[i].at;
        else
            disk_take(disk, &sweep->ops[i]);
    disk_fall(disk, folder, random);
    path_of(sweep, folder, "settle", 0);
    disk_fall(disk, folder, random);
    settle(sweep, folder);
    remove_folder(folder);
}

static void end_workload(struct sweep *sweep, struct disk *disk)
{
    char folder[PATH_ROOM + 32];
    path_of(sweep, folder, "work", sweep->workload);
    remove_folder(folder);
    if (sweep->workload % 2 == 0 && sweep->control == TRUE_DISK)
        leave_for_next(sweep, disk);
    disk_free(disk);
}

/* The sum of all jobs. */
static struct tally run_workloads(struct sweep *sweep, enum control control,
                                  int workloads, long states)
{
    struct tally sum = {.states = 0};
    sweep->control = control;
    sweep->states = states / workloads;
    memset(sweep->tallies, 0, JOBS_MAX * sizeof(struct tally));
    for (sweep->workload = 0; sweep->workload < workloads; sweep->workload++) {
        struct disk *disk = begin_workload(sweep);
        run_jobs(sweep, disk);
        end_workload(sweep, disk);
    }
    for (int job = 0; job < sweep->jobs; job++) {
        sum.states += sweep->tallies[job].states;
        sum.lost += sweep->tallies[job].lost;
        sum.wrong += sweep->tallies[job].wrong;
    }
    return sum;
}

static int run_all(struct sweep *sweep, long states)
{
    bool bites = true;
    struct tally sum = run_workloads(sweep, TRUE_DISK, WORKLOADS, states);
    printf("powercut: %s: states=%ld lost=%ld wrong=%ld seed=%" PRIu64, sweep->rig->name,
           sum.states, sum.lost, sum.wrong - sum.lost, sweep->seed);
    fflush(stdout);
    for (int control = LAZY; control < (sweep->rig->writes_files ? CONTROLS : NO_FILES);
         control++) {
        struct tally lost = run_workloads(sweep, control, 1, states / 20 + 200);
        printf("%s%s:%ld/%ld", control == LAZY ? " control_lost=" : ",", NAMES[control],
               lost.lost, lost.states);
        fflush(stdout);
        bites &= lost.lost > 0;
    }
    printf("\n");
    if (!bites)
        fprintf(stderr,
                "powercut: %s: a control has lost nothing: this test proves nothing\n",
                sweep->rig->name);
    return sum.wrong == 0 && bites ? 0 : 1;
}

static const char *name_of(const struct sweep *sweep, ino_t inode)
{
    for (size_t i = sweep->count; i > 0; i--)
        if (sweep->ops[i - 1].kind == TRACE_NAME && sweep->ops[i - 1].target == inode)
            return sweep->ops[i - 1].name;
    return "(older)";
}

static void print_op(const struct sweep *sweep, size_t index)
{
    static const char *const KINDS[] = {"write", "size", "name", "sync", "join", "mark"};
    const struct trace_op *op = &sweep->ops[index];
    printf("%6zu %s%-5s %s", index + 1, op->errand ? "errand " : "", KINDS[op->kind],
           name_of(sweep, op->inode));
    if (op->kind == TRACE_WRITE)
        printf(" %zu bytes at %" PRIu64, op->length, op->at);
    else if (op->kind == TRACE_NAME)
        printf(": %s %s", op->old[0] ? op->old : op->target ? "new" : "unlink", op->name);
    else if (op->kind != TRACE_SYNC)
        printf(" %" PRIu64, op->at);
    printf("\n");
}

/* One state again, with what the program logs, and its folder kept. */
static int run_one(struct sweep *sweep, const char *at)
{
    int workload;
    size_t cut;
    long round;
    char folder[PATH_ROOM + 32];
    if (sscanf(at, "%d/%zu/%ld", &workload, &cut, &round) != 3)
        return 2;
    for (sweep->workload = 0;; sweep->workload++) {
        struct disk *disk = begin_workload(sweep);
        if (sweep->workload < workload) {
            end_workload(sweep, disk);
            continue;
        }
        uint64_t marks = sweep->marks;
        for (size_t i = cut < SHOWN ? 0 : cut - SHOWN; i < cut && i < sweep->count; i++)
            print_op(sweep, i);
        for (size_t i = 0; i < cut && i < sweep->count; i++)
            if (sweep->ops[i].kind == TRACE_MARK)
                marks = sweep->ops[i].at;
            else
                disk_take(disk, &sweep->ops[i]);
        path_of(sweep, folder, "as-it-was", 0);
        disk_fall(disk, folder, chance_at(sweep->seed, place_of(sweep, cut, round)));
        path_of(sweep, folder, "state", 0);
        const char *why = look(sweep, disk, folder, cut, round, marks);
        printf("powercut: %s: %s; %s\n", sweep->rig->name, why ? why : "as it must be",
               folder);
        return why ? 1 : 0;
    }
}

int sweep_main(const struct rig *rig, int argc, char **argv)
{
    static const struct option KNOWN[] = {{"states", required_argument, NULL, 'n'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"at", required_argument, NULL, 'a'},
                                          {NULL, 0, NULL, 0}};
    struct sweep sweep = {.rig = rig, .seed = (uint64_t)time(NULL) % 1000000 + 1};
    long states = 24000, jobs = sysconf(_SC_NPROCESSORS_ONLN);
    const char *at = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "", KNOWN, NULL)) != -1) {
        if (option == 'n')
            states = atol(optarg);
        else if (option == 's')
            sweep.seed = strtoull(optarg, NULL, 10);
        else if (option == 'a')
            at = optarg;
        else
            return 2;
    }
    sweep.jobs = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : (int)jobs;
    sweep.tallies = trace_share(JOBS_MAX * sizeof(struct tally));
    sweep.settled = trace_share(sizeof(*sweep.settled));
    trace_open();
    make_base(&sweep);
    int code = at ? run_one(&sweep, at) : run_all(&sweep, states);
    if (!at)
        remove_folder(sweep.base);
    free(sweep.ops);
    return code;
}
