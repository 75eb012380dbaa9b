/* tally - see tally.h.
 *
 * Invariant: what was added is in `sm3` as long as there is no child, and in the child's copy of it,
 * or on the way there, from then on. */
#include "keeper/blobs/tally.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/mem.h"
#include "proof/algorithm.h"

enum { PIPE_BYTES = 1024 * 1024, PART = 64 * 1024 };

struct tally {
    struct algorithm_hash *sha256, *sm3;
    int64_t total;
    pid_t child; /* 0 none; -1: there can be none */
    int to, from;
    int err;
};

struct tally *tally_new(void)
{
    struct tally *tally = mem_new(struct tally);
    tally->sha256 = algorithm_hash_new("SHA256");
    tally->sm3 = algorithm_hash_new("SM3");
    algorithm_hash_begin(tally->sha256);
    algorithm_hash_begin(tally->sm3);
    return tally;
}

_Noreturn static void run_child(struct tally *tally, int from, int to)
{
    static uint8_t part[PART];
    struct digest digest;
    ssize_t length;
    while ((length = read(from, part, sizeof(part))) != 0) {
        if (length < 0 && errno != EINTR)
            _exit(1);
        if (length > 0)
            algorithm_hash_add(tally->sm3, part, (size_t)length);
    }
    algorithm_hash_end(tally->sm3, digest.bytes);
    _exit(write(to, digest.bytes, DIGEST_BYTES) == DIGEST_BYTES ? 0 : 1);
}

/* Where there is no process to be had, it goes on alone. */
static void start_child(struct tally *tally)
{
    int there[2], back[2];
    tally->child = -1;
    if (pipe2(there, O_CLOEXEC) != 0)
        return;
    if (pipe2(back, O_CLOEXEC) != 0) {
        close(there[0]);
        close(there[1]);
        return;
    }
    fcntl(there[1], F_SETPIPE_SZ, PIPE_BYTES);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        close(there[1]);
        close(back[0]);
        run_child(tally, there[0], back[1]);
    }
    close(there[0]);
    close(back[1]);
    tally->child = pid;
    tally->to = there[1];
    tally->from = back[0];
    if (pid < 0) {
        close(tally->to);
        close(tally->from);
    }
}

static void hand_over(struct tally *tally, const uint8_t *bytes, size_t length)
{
    while (length > 0 && !tally->err) {
        ssize_t written = write(tally->to, bytes, length);
        if (written < 0 && errno != EINTR)
            tally->err = -ECHILD;
        bytes += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
}

void tally_add(struct tally *tally, const void *bytes, size_t length)
{
    if (tally->child == 0 && tally->total > TALLY_ALONE)
        start_child(tally);
    if (tally->child > 0)
        hand_over(tally, bytes, length);
    else
        algorithm_hash_add(tally->sm3, bytes, length);
    algorithm_hash_add(tally->sha256, bytes, length);
    tally->total += (int64_t)length;
}

static int end_child(struct tally *tally, struct digest *sm3)
{
    int status = 1;
    close(tally->to);
    ssize_t length = read(tally->from, sm3->bytes, DIGEST_BYTES);
    close(tally->from);
    waitpid(tally->child, &status, 0);
    tally->child = -1;
    return tally->err || length != DIGEST_BYTES || status != 0 ? -ECHILD : 0;
}

int tally_end(struct tally *tally, struct digest *sha256, struct digest *sm3)
{
    algorithm_hash_end(tally->sha256, sha256->bytes);
    if (tally->child > 0)
        return end_child(tally, sm3);
    algorithm_hash_end(tally->sm3, sm3->bytes);
    return 0;
}

void tally_free(struct tally *tally)
{
    struct digest unused;
    if (tally->child > 0) {
        kill(tally->child, SIGKILL);
        end_child(tally, &unused);
    }
    algorithm_hash_free(tally->sha256);
    algorithm_hash_free(tally->sm3);
    mem_free(tally);
}
