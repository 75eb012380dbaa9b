/* owed - see owed.h.
 *
 * Echoes of writes are not listed: one that passes for another says the same. */
#include "host/modbus/owed.h"

#include <stddef.h>
#include <string.h>

enum { PROBE_LENGTHS = 16 };

bool owed_is_empty(const struct owed *owed)
{
    return owed->count == 0;
}

static struct owed_answer *find(const struct owed *owed, uint8_t unit,
                                const struct pdu *request)
{
    for (int i = 0; i < owed->count; i++) {
        const struct owed_answer *answer = &owed->answers[i];
        if (answer->unit == unit && answer->function == request->bytes[0] &&
            answer->bytes == pdu_value_bytes(request))
            return (struct owed_answer *)answer;
    }
    return NULL;
}

static bool is_echo(const struct pdu *request)
{
    switch (request->bytes[0]) {
    case PDU_WRITE_COIL:
    case PDU_WRITE_REGISTER:
    case PDU_WRITE_COILS:
    case PDU_WRITE_MANY:
        return true;
    default:
        return false;
    }
}

void owed_add(struct owed *owed, uint8_t unit, const struct pdu *request)
{
    if (is_echo(request))
        return;
    struct owed_answer *answer = find(owed, unit, request);
    owed->asked++;
    if (answer != NULL) {
        answer->last = owed->asked;
        return;
    }
    if (owed->count == OWED_MAX) {
        owed->count--;
        memmove(owed->answers, owed->answers + 1,
                sizeof(owed->answers[0]) * (size_t)owed->count);
    }
    owed->answers[owed->count++] = (struct owed_answer){
        .unit = unit,
        .function = request->bytes[0],
        .bytes = (uint8_t)pdu_value_bytes(request),
        .first = owed->asked,
        .last = owed->asked,
    };
}

bool owed_confuses(const struct owed *owed, uint8_t unit, const struct pdu *request)
{
    return find(owed, unit, request) != NULL;
}

/* An older probe that is still owed serves again: its answer comes behind the confusing ones too. */
static bool is_behind(const struct owed_answer *probe,
                      const struct owed_answer *confusing)
{
    return probe == NULL || (confusing != NULL && probe->first > confusing->last);
}

bool owed_probe(const struct owed *owed, uint8_t unit, const struct pdu *request,
                struct pdu *probe)
{
    enum pdu_function function = request->bytes[0];
    bool bits = function == PDU_READ_COILS || function == PDU_READ_DISCRETE;
    if (function < PDU_READ_COILS || function > PDU_READ_INPUT || request->length < 5)
        return false;
    int address = request->bytes[1] << 8 | request->bytes[2];
    for (int length = 1; length <= PROBE_LENGTHS; length++) {
        int count = bits ? 8 * length : length;
        if (pdu_read(probe, function, address, count) == 0 &&
            pdu_value_bytes(probe) != pdu_value_bytes(request) &&
            is_behind(find(owed, unit, probe), find(owed, unit, request)))
            return true;
    }
    return false;
}

void owed_settle(struct owed *owed, uint8_t unit, const struct pdu *probe)
{
    struct owed_answer *still = probe != NULL ? find(owed, unit, probe) : NULL;
    uint32_t before = still != NULL ? still->first : UINT32_MAX;
    if (still != NULL)
        still->last =
            ++owed->asked; /* an older one's answer came: the newest is owed now */
    int kept = 0;
    for (int i = 0; i < owed->count; i++)
        if (owed->answers[i].unit != unit || owed->answers[i].last >= before)
            owed->answers[kept++] = owed->answers[i];
    owed->count = kept;
}
