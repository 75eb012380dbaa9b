/* limit - the physical limits that the journal is measured against.
 *
 *   limit raw BATCH SECONDS FILE      append BATCH events of 934 bytes (what 400 bytes of
 *                                     data are when composed), fdatasync, again
 *   limit sqlite BATCH SECONDS FILE   the same in SQLite, WAL, synchronous=FULL, the journal's
 *                                     event table, WAL copied at 2,000 pages
 *   limit group RATE SECONDS FILE     group commit in SQLite of RATE events a second, evenly spaced,
 *                                     20 ms window: how long each waits for its commit
 *
 * Prints one JSON object. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

enum { EVENT = 934, PREALLOCATED = 256 * 1024 * 1024, WAL_PAGES = 2000 };

struct limit {
    int batch;
    int64_t events;
    int fd;
    off_t at;
    sqlite3 *db;
    sqlite3_stmt *begin, *add, *commit;
    int wal_pages;
    char event[EVENT];
};

static double seconds_now(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void next_event(struct limit *limit)
{
    memset(limit->event, 'x', sizeof(limit->event));
    snprintf(limit->event, sizeof(limit->event), "{\"seq\":%lld,\"v\":%d,",
             (long long)limit->events, rand());
    limit->events++;
}

static void raw_open(struct limit *limit, const char *path)
{
    limit->fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ASSERT(limit->fd >= 0 && posix_fallocate(limit->fd, 0, PREALLOCATED) == 0);
    ASSERT(fsync(limit->fd) == 0);
}

static void raw_batch(struct limit *limit)
{
    static char bytes[1000 * EVENT];
    size_t length = 0;
    for (int i = 0; i < limit->batch; i++, length += EVENT) {
        next_event(limit);
        memcpy(bytes + length, limit->event, EVENT);
    }
    if (limit->at + (off_t)length > PREALLOCATED)
        limit->at = 0;
    ASSERT(pwrite(limit->fd, bytes, length, limit->at) == (ssize_t)length);
    limit->at += (off_t)length;
    ASSERT(fdatasync(limit->fd) == 0);
}

static int count_pages(void *owner, sqlite3 *db, const char *name, int pages)
{
    struct limit *limit = owner;
    (void)db;
    (void)name;
    limit->wal_pages = pages;
    return SQLITE_OK;
}

static void sqlite_open(struct limit *limit, const char *path)
{
    unlink(path);
    ASSERT(sqlite3_open(path, &limit->db) == SQLITE_OK);
    sqlite3_exec(
        limit->db,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
        "CREATE TABLE event(seq INTEGER PRIMARY KEY, lane INTEGER NOT NULL,"
        " body BLOB NOT NULL, leaf BLOB NOT NULL) STRICT;",
        NULL, NULL, NULL);
    sqlite3_wal_hook(limit->db, count_pages, limit);
    sqlite3_prepare_v2(limit->db, "BEGIN IMMEDIATE", -1, &limit->begin, NULL);
    sqlite3_prepare_v2(limit->db, "COMMIT", -1, &limit->commit, NULL);
    ASSERT(sqlite3_prepare_v2(limit->db, "INSERT INTO event VALUES(?,?,?,?)", -1,
                              &limit->add, NULL) == SQLITE_OK);
}

static void step(sqlite3_stmt *statement)
{
    ASSERT(sqlite3_step(statement) == SQLITE_DONE);
    sqlite3_reset(statement);
}

static void sqlite_batch(struct limit *limit)
{
    step(limit->begin);
    for (int i = 0; i < limit->batch; i++) {
        sqlite3_bind_int64(limit->add, 1, limit->events);
        next_event(limit);
        sqlite3_bind_int(limit->add, 2, 2);
        sqlite3_bind_blob(limit->add, 3, limit->event, EVENT, SQLITE_STATIC);
        sqlite3_bind_blob(limit->add, 4, limit->event, 32, SQLITE_STATIC);
        step(limit->add);
    }
    step(limit->commit);
    if (limit->wal_pages > WAL_PAGES)
        sqlite3_wal_checkpoint_v2(limit->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

static uint64_t written_bytes(void)
{
    char line[128];
    unsigned long long bytes = 0;
    FILE *io = fopen("/proc/self/io", "r");
    while (io != NULL && fgets(line, sizeof(line), io) != NULL)
        if (sscanf(line, "write_bytes: %llu", &bytes) == 1)
            break;
    if (io != NULL)
        fclose(io);
    return bytes;
}

static int by_time(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void wait_until(double when)
{
    double left = when - seconds_now(CLOCK_MONOTONIC);
    if (left > 0)
        usleep((useconds_t)(left * 1e6));
}

/* Events come at began + i / rate; a group begins with the first that waits. */
static void run_group(struct limit *limit, double rate, double seconds)
{
    int64_t most = (int64_t)(rate * seconds), done = 0;
    double *waits = calloc((size_t)most + 1, sizeof(*waits));
    double began = seconds_now(CLOCK_MONOTONIC);
    ASSERT(waits != NULL);
    while (done < most) {
        wait_until(began + (double)done / rate + 0.020);
        int64_t due = (int64_t)((seconds_now(CLOCK_MONOTONIC) - began) * rate) + 1;
        limit->batch = (int)((due < most ? due : most) - done);
        sqlite_batch(limit);
        double now = seconds_now(CLOCK_MONOTONIC);
        for (int64_t end = done + limit->batch; done < end; done++)
            waits[done] = now - (began + (double)done / rate);
    }
    qsort(waits, (size_t)most, sizeof(*waits), by_time);
    printf("{\"events\":%lld,\"p50_us\":%.0f,\"p99_us\":%.0f,\"max_us\":%.0f}\n",
           (long long)most, waits[most / 2] * 1e6, waits[most * 99 / 100] * 1e6,
           waits[most - 1] * 1e6);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return fputs("usage: limit raw|sqlite BATCH SECONDS FILE | group RATE SECONDS "
                     "FILE\n",
                     stderr),
               2;
    struct limit limit = {.batch = atoi(argv[2])};
    int raw = strcmp(argv[1], "raw") == 0;
    if (strcmp(argv[1], "group") == 0) {
        sqlite_open(&limit, argv[4]);
        run_group(&limit, atof(argv[2]), atof(argv[3]));
        return 0;
    }
    int64_t batches = 0;
    raw ? raw_open(&limit, argv[4]) : sqlite_open(&limit, argv[4]);
    uint64_t written = written_bytes();
    double began = seconds_now(CLOCK_MONOTONIC),
           cpu = seconds_now(CLOCK_PROCESS_CPUTIME_ID);
    double until = began + atof(argv[3]), now;
    do {
        raw ? raw_batch(&limit) : sqlite_batch(&limit);
        batches++;
        now = seconds_now(CLOCK_MONOTONIC);
    } while (now < until);
    printf("{\"events\":%lld,\"batches\":%lld,\"seconds\":%.6f,\"cpu_s\":%.6f,"
           "\"written\":%llu}\n",
           (long long)limit.events, (long long)batches, now - began,
           seconds_now(CLOCK_PROCESS_CPUTIME_ID) - cpu,
           (unsigned long long)(written_bytes() - written));
    return 0;
}
