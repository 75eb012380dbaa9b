/* ledger - see ledger.h. */
#include "ledger.h"

#include <stdio.h>
#include <string.h>

static struct ledger_log logs[LEDGER_LOGS];
static int count;

void ledger_begin(void)
{
    count = 0;
}

struct ledger_log *ledger_add(void)
{
    if (count == LEDGER_LOGS)
        return NULL;
    struct ledger_log *log = &logs[count++];
    log->size = log->erased = 0;
    snprintf(log->name, sizeof(log->name), "log%d", count);
    return log;
}

struct ledger_log *ledger_newest(void)
{
    return &logs[count - 1];
}

struct ledger_log *ledger_find(const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(logs[i].name, name) == 0)
            return &logs[i];
    return NULL;
}

int64_t ledger_before(const struct ledger_log *log, enum talk_lane lane, int64_t seq)
{
    do
        seq--;
    while (seq >= 0 && (log->events[seq].lane != lane || log->events[seq].erased));
    return seq;
}
