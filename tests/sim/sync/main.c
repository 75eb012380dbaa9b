/* sim - the office's and the city's halves of synchronisation under a seeded scheduler.
 *
 *   sim SEEDS [FIRST]     so many seeds, on every core
 *   sim --seed SEED       one seed, told step by step
 *   sim --hunt SEEDS      until the first violation, which is what is wanted (mutants.py)
 *
 * Ends with `sim: seeds=N violations=0` and 0, or with 1. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "proof/suite.h"
#include "story.h"
#include "world.h"

enum { WORKERS_MOST = 16, TOLD_MOST = 3, LINES = 60, BAD_MOST = 64, WORDS = 200 };

/* What a worker says while it works; it may die in the middle of a seed. */
struct desk {
    uint64_t seed; /* the one at hand */
    uint64_t step;
    uint64_t done;
    unsigned bad_count;
    struct {
        uint64_t seed;
        char words[WORDS];
    } bad[BAD_MOST];
};

struct hunt {
    uint64_t first, count;
    bool until_caught;
    int workers;
    struct desk *desks;
    volatile bool *enough;
};

/* What is looked up once stays for ever, so it must not be an actor's. */
static void warm_up(void)
{
    struct digest digest;
    suite_hash(suite_named("sha256+ed25519"), &digest, "", 0);
}

static void note_bad(const struct hunt *hunt, struct desk *desk, const char *words)
{
    if (desk->bad_count < BAD_MOST) {
        desk->bad[desk->bad_count].seed = desk->seed;
        snprintf(desk->bad[desk->bad_count].words, WORDS, "%s", words);
    }
    desk->bad_count++;
    if (hunt->until_caught || desk->bad_count >= BAD_MOST)
        *hunt->enough = true;
}

static void work(const struct hunt *hunt, struct desk *desk)
{
    for (; desk->seed < hunt->first + hunt->count && !*hunt->enough;
         desk->seed += desk->step, desk->done++) {
        const char *verdict = world_run(desk->seed);
        if (verdict != NULL)
            note_bad(hunt, desk, verdict);
    }
}

static pid_t employ(const struct hunt *hunt, struct desk *desk)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    int quiet = dup(STDERR_FILENO);
    (void)quiet;
    if (freopen("/dev/null", "w", stderr) == NULL)
        _exit(3);
    work(hunt, desk);
    _exit(0);
}

/* A worker that died found a claim of the product's own that did not hold. */
static void employ_all(const struct hunt *hunt)
{
    pid_t pids[WORKERS_MOST];
    for (int i = 0; i < hunt->workers; i++)
        pids[i] = employ(hunt, &hunt->desks[i]);
    for (int left = hunt->workers; left > 0;) {
        int status;
        pid_t pid = wait(&status);
        for (int i = 0; i < hunt->workers; i++) {
            struct desk *desk = &hunt->desks[i];
            if (pids[i] != pid)
                continue;
            left--;
            if (WIFEXITED(status))
                continue;
            note_bad(hunt, desk, strsignal(WTERMSIG(status)));
            desk->seed += desk->step;
            desk->done++;
            pids[i] = employ(hunt, desk);
            left++;
        }
    }
}

static int replay(uint64_t seed, int lines)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        story_tell(lines);
        const char *verdict = world_run(seed);
        story_print();
        printf("sim: seed %" PRIu64 ": %s\n", seed,
               verdict != NULL ? verdict : "nothing violated");
        fflush(stdout);
        _exit(verdict != NULL);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        printf("sim: seed %" PRIu64 ": died of %s\n", seed, strsignal(WTERMSIG(status)));
    return status == 0 ? 0 : 1;
}

/* Each in a line; the last steps of the first few before that. */
static unsigned tell_bad(const struct hunt *hunt)
{
    unsigned bad = 0;
    for (int i = 0; i < hunt->workers; i++) {
        const struct desk *desk = &hunt->desks[i];
        for (unsigned k = 0; k < desk->bad_count && k < BAD_MOST; k++, bad++) {
            if (bad < TOLD_MOST && !hunt->until_caught)
                replay(desk->bad[k].seed, LINES);
            if (bad >= TOLD_MOST || hunt->until_caught)
                printf("sim: seed %" PRIu64 ": %s\n", desk->bad[k].seed,
                       desk->bad[k].words);
        }
    }
    return bad;
}

static int search(uint64_t first, uint64_t count, bool until_caught)
{
    struct hunt hunt = {.first = first, .count = count, .until_caught = until_caught};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    hunt.workers = cores < 1 ? 1 : cores > WORKERS_MOST ? WORKERS_MOST : (int)cores;
    size_t size = WORKERS_MOST * sizeof(struct desk) + sizeof(bool);
    void *shared =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    hunt.desks = shared;
    hunt.enough = (volatile bool *)&hunt.desks[WORKERS_MOST];
    for (int i = 0; i < hunt.workers; i++) {
        hunt.desks[i].seed = first + (uint64_t)i;
        hunt.desks[i].step = (uint64_t)hunt.workers;
    }
    employ_all(&hunt);
    uint64_t done = 0;
    for (int i = 0; i < hunt.workers; i++)
        done += hunt.desks[i].done;
    unsigned bad = tell_bad(&hunt);
    printf("sim: seeds=%" PRIu64 " violations=%u\n", done, bad);
    return bad > 0;
}

int main(int argc, char **argv)
{
    warm_up();
    if (argc == 3 && strcmp(argv[1], "--seed") == 0)
        return replay(strtoull(argv[2], NULL, 10), 0);
    if (argc == 3 && strcmp(argv[1], "--hunt") == 0)
        return search(1, strtoull(argv[2], NULL, 10), true);
    if (argc != 2 && argc != 3) {
        fputs("usage: sim SEEDS [FIRST] | --seed SEED | --hunt SEEDS\n", stderr);
        return 2;
    }
    return search(argc == 3 ? strtoull(argv[2], NULL, 10) : 1,
                  strtoull(argv[1], NULL, 10), false);
}
