/* shelf - see shelf.h. */
#include "shelf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "actor.h"
#include "base/base.h"
#include "chance.h"
#include "checker.h"
#include "clock.h"
#include "ledger.h"
#include "rack.h"
#include "story.h"
#include "weather.h"

enum { BACKUPS = 4 };

struct state rack_now, rack_open;
static struct state backups[BACKUPS];
static unsigned backup_count;

void rack_copy(struct state *to, const struct state *from)
{
    memcpy(to, from, offsetof(struct state, records));
    memcpy(to->records, from->records, from->count * sizeof(from->records[0]));
}

/* ---- For the world */

void shelf_begin(void)
{
    rack_now.count = rack_now.rejected = rack_now.finding_count = rack_now.arrival_count =
        0;
    rack_now.office_known = false;
    rack_now.verifier = rack_now.status = rack_now.early = (struct blob){NULL, 0};
    backup_count = 0;
}

void shelf_back_up(void)
{
    rack_copy(&backups[backup_count++ % BACKUPS], &rack_now);
    story_say("the city's disk is backed up");
}

void shelf_restore(void)
{
    unsigned kept = backup_count < BACKUPS ? backup_count : BACKUPS;
    unsigned which = chance_below(kept + 1);
    story_say("the city's disk is %s", which == kept ? "new" : "an older copy");
    if (which < kept) {
        rack_copy(&rack_now, &backups[which]);
        return;
    }
    unsigned before = backup_count;
    shelf_begin();
    backup_count = before;
}

struct record *rack_find(struct state *state, const char *log)
{
    for (unsigned i = 0; i < state->count; i++)
        if (strcmp(state->records[i].name, log) == 0)
            return &state->records[i];
    return NULL;
}

int64_t shelf_mark(const char *log, enum talk_lane lane)
{
    const struct record *record = rack_find(&rack_now, log);
    return record == NULL ? -1 : record->marks[lane];
}

const struct shelf_row *shelf_row(const char *log, int64_t seq)
{
    const struct record *record = rack_find(&rack_now, log);
    return record == NULL ? NULL : record->rows[seq];
}

int64_t shelf_verified(const char *log)
{
    const struct record *record = rack_find(&rack_now, log);
    return record == NULL ? 0 : record->size;
}

unsigned shelf_rejected(void)
{
    return rack_now.rejected;
}

const char *shelf_finding(bool missing)
{
    static char text[80];
    for (unsigned i = 0; i < rack_now.finding_count; i++) {
        const struct finding *finding = &rack_now.findings[i];
        if (!missing && strcmp(finding->kind, "missing") == 0)
            continue;
        snprintf(text, sizeof(text), "%s, %s, event %lld", finding->kind, finding->log,
                 (long long)finding->seq);
        return text;
    }
    return NULL;
}

void shelf_each_row(void (*each)(const char *log, const struct shelf_row *row))
{
    for (unsigned i = 0; i < rack_now.arrival_count; i++) {
        const struct record *record =
            &rack_now.records[rack_now.arrivals[i] / LEDGER_EVENTS];
        each(record->name, record->rows[rack_now.arrivals[i] % LEDGER_EVENTS]);
    }
}
