/* owed - answers that nobody waits for any more and that may still come over a serial line.
 *
 * A serial line has no transaction numbers: the answer of a read that was given up could pass for
 * the answer of the next read of the same unit, function and length. Devices answer in the order
 * they are asked. So before such a read a probe goes out, another read of another length: when its
 * answer is in, nothing older can come. Pure.
 *
 * Who finds no probe and is not one of the four reads has to wait. */
#ifndef HOST_MODBUS_OWED_H
#define HOST_MODBUS_OWED_H

#include <stdbool.h>
#include <stdint.h>

#include "host/modbus/pdu.h"

enum { OWED_MAX = 64 };

/* Answers of one look, and when the oldest and the newest of them were asked for. */
struct owed_answer {
    uint8_t unit;
    uint8_t function;
    uint8_t bytes;
    uint32_t first;
    uint32_t last;
};

struct owed {
    struct owed_answer answers[OWED_MAX];
    int count;
    uint32_t asked;
};

bool owed_is_empty(const struct owed *owed);
/* The answer of the request was not received. When the list is full the oldest is dropped. */
void owed_add(struct owed *owed, uint8_t unit, const struct pdu *request);
/* Whether an answer owed could pass for the answer of this request. */
bool owed_confuses(const struct owed *owed, uint8_t unit, const struct pdu *request);
/* A read for a request that is confused: whatever passes for its answer comes after all that could
 * pass for the answer of the request. False when the request is none of the four reads. */
bool owed_probe(const struct owed *owed, uint8_t unit, const struct pdu *request,
                struct pdu *probe);
/* The probe was answered (NULL: or waiting has to do): nothing asked before it is owed. */
void owed_settle(struct owed *owed, uint8_t unit, const struct pdu *probe);

#endif
