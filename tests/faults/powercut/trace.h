/* trace - what a program asks of the disk, taken down as it asks.
 *
 * trace.c stands before the C library's open, write, fsync, rename and so on, for everything that is
 * linked into the program, SQLite too: below the real code, with nothing changed in it. What happens on
 * the traced file system (a folder of its own on a tmpfs) is done and noted; all else is only done. A
 * file is known by its inode, so no table of names is kept.
 *
 * So that a run can be repeated, time is virtual (it passes when the program would wait), randomness has
 * a seed, and a forked child runs to its end before fork() returns to its parent; what the child did is
 * noted as an errand, for who wants to mix it with what its parent does next.
 *
 * The notes lie in memory that children share. One trace at a time. */
#ifndef TESTS_FAULTS_POWERCUT_TRACE_H
#define TESTS_FAULTS_POWERCUT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { TRACE_NAME_ROOM = 96, TRACE_OPS_MAX = 400 * 1000 };

enum trace_kind {
    TRACE_WRITE, /* `length` bytes at `at` */
    TRACE_SIZE,  /* the file has `at` bytes now */
    TRACE_NAME, /* in folder `inode` `name` means `target` (0: nothing); `old` (if any) is gone, from
                   there or from folder `from` */
    TRACE_SYNC, /* what file or folder `inode` holds is durable when this is over */
    TRACE_JOIN, /* an errand has been waited for */
    TRACE_MARK  /* `at` is what the test says */
};

struct trace_op {
    enum trace_kind kind;
    int errand; /* 0: the program's own */
    ino_t inode;
    ino_t target;
    ino_t from;     /* 0: it was in the same folder */
    bool is_folder; /* the target, or what is synced */
    uint64_t at;
    size_t length;
    size_t bytes; /* where they are: trace_bytes() */
    char name[TRACE_NAME_ROOM];
    char old[TRACE_NAME_ROOM];
};

/* Makes room for notes, in memory that all children share from then on. */
void trace_open(void);

/* Empties the notes and begins to take down what happens on the file system of `folder`. */
void trace_begin(const char *folder, uint64_t seed);
void trace_end(void);

size_t trace_count(void);
const struct trace_op *trace_op(size_t index);
const uint8_t *trace_bytes(const struct trace_op *op);
void trace_mark(uint64_t number);

/* Virtual time, seeded randomness and errands that end before fork() returns; without a trace too. */
void trace_be_repeatable(uint64_t seed);
/* That much virtual time passes. */
void trace_pass_us(int64_t us);

/* From now on the `nth` call that could fail on the traced file system does, with `err`; all later ones
 * too when it is `sticky`. 0: none. */
void trace_fail(long nth, int err, bool sticky);
/* The same for the `nth` allocation of this process, wherever it is made; how many were left to the one
 * that was to fail before. */
long trace_fail_memory(long nth);
/* Whether the allocation that is made now fails: for memory.c. */
bool trace_takes_memory(void);
/* How many calls could have failed since then, and whether one has. */
long trace_calls(void);
bool trace_has_failed(void);

/* Memory that is shared with all children that are forked from now on. */
void *trace_share(size_t size);

#endif
