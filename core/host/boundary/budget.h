/* budget - what a plugin may use: bytes of Lua memory, and milliseconds of processor in one go.
 *
 * Bytes: the allocator of the Lua state refuses beyond `most_bytes`; Lua collects its garbage, asks
 * again, and turns the second refusal into an error. Time: a slice is the time from resuming a plugin
 * until it waits or ends. A slice over either limit is ended by an error at every further instruction,
 * so that no pcall can go on; one that does not even come to an instruction (a C function of Lua that
 * runs for ever) ends the process BUDGET_HARD_MS later, and the keeper starts it anew.
 *
 * The clock is the processor time of the process, so that a plugin never pays for a busy machine
 * or for waiting in a device, and an idle process is never woken. One budget per process. */
#ifndef HOST_BOUNDARY_BUDGET_H
#define HOST_BOUNDARY_BUDGET_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BUDGET_BYTES = 16 * 1024 * 1024,
    BUDGET_SLICE_MS = 200,
    BUDGET_TICK_MS = 20,
    BUDGET_HARD_MS = 800
};

struct budget {
    size_t used_bytes;
    size_t most_bytes;
    int slice_ms;
    bool was_short; /* of bytes, since somebody has set this to false */
    uintptr_t
        refused_block; /* what was refused last: Lua asks for the same again, or gives up */
    size_t refused_size;
    size_t
        collect_at; /* bytes from which budget_collect() does something; 0: from the first */
};

/* A Lua state that pays from the budget, which must outlive it. NULL when it cannot be made. */
lua_State *budget_new_state(struct budget *budget);

/* Between two slices: all garbage goes when it has become too much. Lua's collector alone does not keep
 * up with what has a finaliser (each operation that waits): it counts as alive what it has finalised, and
 * waits for twice that. */
void budget_collect(struct budget *budget, lua_State *L);
/* The same at once. */
void budget_collect_now(struct budget *budget, lua_State *L);

/* Lets the clock run; at most one budget at a time. */
void budget_start(struct budget *budget);
void budget_stop(struct budget *budget);

/* A slice of the thread L; slices do not nest. */
void budget_begin(lua_State *L);
/* Whether the slice is over a limit: it is being ended. A thread that was ended so runs without hooks
 * from then on, which is Lua's way: it must not be used again. */
bool budget_is_over(void);
void budget_end(void);

#endif
