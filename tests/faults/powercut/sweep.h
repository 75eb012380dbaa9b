/* sweep - cuts the power at the operations of a workload, in many ways, and looks at what is left.
 *
 * A rig is a program under test: what it does, traced, and how a folder is examined after the cut. Its
 * work runs once; every state after a cut is made from its trace. Some workloads begin where a cut has
 * left the one before, so recovery is cut as well.
 *
 *   PROGRAM [--states N] [--seed S]     all of it and the controls; one line, exit code 0 or 1
 *
 * With more states than operations (about 20,000) every operation is cut at least once.
 *
 *   PROGRAM --seed S --at W/K/J         one state again: workload, operation, try; keeps its folder
 *
 * Controls are the same with something left out that must not be: they have to lose events. */
#ifndef TESTS_FAULTS_POWERCUT_SWEEP_H
#define TESTS_FAULTS_POWERCUT_SWEEP_H

#include "trace.h"

/* Marks: the work calls trace_mark(n) when it has been told that its first n transactions are done. */
struct rig {
    const char *name;
    bool writes_files; /* beside its database */
    /* Works in `folder`, which is empty or what a cut left of `marks` transactions. With `is_lazy` the
     * database is told PRAGMA synchronous = NORMAL. Runs in a process of its own. */
    void (*work)(const char *folder, uint64_t seed, uint64_t marks, bool is_lazy);
    /* How many transactions there are in what a cut has left after `marks` marks: these or one more. */
    uint64_t (*settle)(const char *folder, uint64_t marks);
    /* Opens what a cut has left and goes on with it. NULL, or what is wrong; "lost ..." when something is
     * missing that was marked. */
    const char *(*examine)(const char *folder, uint64_t seed, uint64_t marks);
};

int sweep_main(const struct rig *rig, int argc, char **argv);

#endif
