/* clock - see clock.h.
 *
 * Invariant: `plans` is a heap by (time, order of planning). A plan whose slot has another serial
 * has been cancelled and is passed over. */
#include "clock.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

enum { SLOT_BITS = 16, SLOTS = 1 << SLOT_BITS };

struct slot {
    uint64_t serial; /* of the plan that holds it, 0 free */
    enum actor actor;
    void (*fire)(void *owner);
    void *owner;
    uint32_t next_free;
};

struct plan {
    int64_t at_us;
    uint64_t serial;
    uint32_t slot;
};

static struct slot slots[SLOTS];
static struct plan plans[SLOTS];
static uint32_t plan_count, slot_count, free_slot;
static uint64_t last_serial, steps;
static int64_t now_us;

void clock_begin(void)
{
    plan_count = slot_count = free_slot = 0;
    last_serial = steps = 0;
    now_us = CLOCK_SECOND;
}

int64_t clock_us(void)
{
    return now_us;
}

uint64_t clock_steps(void)
{
    return steps;
}

static bool is_before(const struct plan *a, const struct plan *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->serial < b->serial;
}

static void swap(uint32_t a, uint32_t b)
{
    struct plan kept = plans[a];
    plans[a] = plans[b];
    plans[b] = kept;
}

static void sift_up(uint32_t at)
{
    for (; at > 0 && is_before(&plans[at], &plans[(at - 1) / 2]); at = (at - 1) / 2)
        swap(at, (at - 1) / 2);
}

static void sift_down(uint32_t at)
{
    for (;;) {
        uint32_t least = at, left = 2 * at + 1;
        for (uint32_t child = left; child < left + 2 && child < plan_count; child++)
            if (is_before(&plans[child], &plans[least]))
                least = child;
        if (least == at)
            return;
        swap(at, least);
        at = least;
    }
}

/* Slots are counted from 1, so that a ticket is never 0. */
static uint32_t take_slot(void)
{
    if (free_slot == 0) {
        ASSERT(slot_count + 1 < SLOTS);
        return ++slot_count;
    }
    uint32_t slot = free_slot;
    free_slot = slots[slot].next_free;
    return slot;
}

static void give_slot(uint32_t slot)
{
    slots[slot].serial = 0;
    slots[slot].next_free = free_slot;
    free_slot = slot;
}

uint64_t clock_at(int64_t at_us, enum actor actor, void (*fire)(void *owner), void *owner)
{
    uint32_t slot = take_slot();
    ASSERT(plan_count < SLOTS);
    slots[slot] = (struct slot){++last_serial, actor, fire, owner, 0};
    plans[plan_count] = (struct plan){at_us > now_us ? at_us : now_us, last_serial, slot};
    sift_up(plan_count++);
    return last_serial << SLOT_BITS | slot;
}

uint64_t clock_after(int64_t us, enum actor actor, void (*fire)(void *owner), void *owner)
{
    return clock_at(now_us + us, actor, fire, owner);
}

void clock_cancel(uint64_t ticket)
{
    uint32_t slot = (uint32_t)(ticket & (SLOTS - 1));
    if (slot != 0 && slots[slot].serial == ticket >> SLOT_BITS)
        give_slot(slot);
}

void clock_forget(enum actor actor)
{
    for (uint32_t slot = 1; slot <= slot_count; slot++)
        if (slots[slot].serial != 0 && slots[slot].actor == actor)
            give_slot(slot);
}

static void pop(struct plan *plan)
{
    *plan = plans[0];
    plans[0] = plans[--plan_count];
    sift_down(0);
}

bool clock_step(void)
{
    struct plan plan;
    do {
        if (plan_count == 0)
            return false;
        pop(&plan);
    } while (slots[plan.slot].serial != plan.serial);
    struct slot due = slots[plan.slot];
    give_slot(plan.slot);
    now_us = plan.at_us;
    steps++;
    actor_act(due.actor, due.fire, due.owner);
    return true;
}
