/* actor - see actor.h. Stands in for base/mem.c: allocation is what ties memory to an actor.
 *
 * Invariant: every block that was given out is in the list of the actor that asked for it. */
#include "actor.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "clock.h"

struct block {
    struct block *before, *after;
};

/* One list more than actors: what is made before the first actor_begin() stays for ever. */
static struct block lists[ACTORS + 1];
static int doom[ACTORS + 1];
static enum actor acting = ACTORS;
static bool may_die;
static jmp_buf death;
static void (*told)(enum actor actor);

static void wipe_blocks(enum actor actor)
{
    struct block *list = &lists[actor];
    while (list->after != NULL && list->after != list) {
        struct block *gone = list->after;
        list->after = gone->after;
        free(gone);
    }
    list->before = list->after = list;
}

void actor_begin(void (*died)(enum actor actor))
{
    for (int actor = 0; actor < ACTORS; actor++) {
        wipe_blocks((enum actor)actor);
        doom[actor] = 0;
    }
    acting = ACTOR_WORLD;
    told = died;
}

enum actor actor_now(void)
{
    return acting;
}

void actor_wipe(enum actor actor)
{
    clock_forget(actor);
    wipe_blocks(actor);
    doom[actor] = 0;
}

void actor_act(enum actor actor, void (*fire)(void *owner), void *owner)
{
    enum actor before = acting;
    if (before != ACTOR_WORLD || actor == ACTOR_WORLD) { /* called by one that acts */
        acting = actor;
        fire(owner);
        acting = before;
        return;
    }
    acting = actor;
    if (_setjmp(death) == 0) {
        may_die = true;
        fire(owner);
        may_die = false;
        acting = ACTOR_WORLD;
        return;
    }
    may_die = false;
    acting = ACTOR_WORLD;
    told(actor);
}

void actor_doom(enum actor actor, int points)
{
    doom[actor] = points;
}

void actor_risk(void)
{
    if (!may_die || doom[acting] == 0 || --doom[acting] > 0)
        return;
    _longjmp(death, 1);
}

void *actor_keep(const void *bytes, uint64_t length)
{
    enum actor before = acting;
    acting = ACTOR_WORLD;
    void *kept = mem_zeroed(length + 1);
    if (length > 0 && bytes != NULL)
        memcpy(kept, bytes, length);
    acting = before;
    return kept;
}

/* ---- base/mem.h */

static void join(struct block *block, struct block *list)
{
    block->before = list;
    block->after = list->after;
    block->after->before = block;
    list->after = block;
}

static void part(struct block *block)
{
    block->before->after = block->after;
    block->after->before = block->before;
}

void *mem_zeroed(size_t size)
{
    struct block *block = calloc(1, sizeof(*block) + size);
    ASSERT(block != NULL);
    if (lists[acting].after == NULL)
        wipe_blocks(acting);
    join(block, &lists[acting]);
    return block + 1;
}

void *mem_resize(void *memory, size_t size)
{
    if (memory == NULL)
        return mem_zeroed(size);
    struct block *block = (struct block *)memory - 1;
    part(block);
    block = realloc(block, sizeof(*block) + size);
    ASSERT(block != NULL);
    join(block, &lists[acting]);
    return block + 1;
}

void *mem_copy(const void *memory, size_t size)
{
    void *copy = mem_zeroed(size);
    if (size > 0)
        memcpy(copy, memory, size);
    return copy;
}

char *mem_text(const char *text)
{
    return mem_text_of(text, strlen(text));
}

char *mem_text_of(const void *bytes, size_t length)
{
    char *copy = mem_zeroed(length + 1);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

void mem_free(void *memory)
{
    if (memory == NULL)
        return;
    struct block *block = (struct block *)memory - 1;
    part(block);
    free(block);
}
