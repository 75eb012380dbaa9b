/* complaint - see complaint.h. */
#include "host/instance/complaint.h"

#include <stdio.h>
#include <string.h>

bool complaint_is_due(struct complaint *complaint, const char *text, int64_t now_ms,
                      int *unsaid)
{
    bool same = strncmp(complaint->last, text, COMPLAINT_ROOM - 1) == 0;
    if (same && now_ms - complaint->said_ms < COMPLAINT_QUIET_MS) {
        complaint->unsaid++;
        return false;
    }
    *unsaid = same ? complaint->unsaid : 0;
    complaint->unsaid = 0;
    complaint->said_ms = now_ms;
    snprintf(complaint->last, sizeof(complaint->last), "%s", text);
    return true;
}
