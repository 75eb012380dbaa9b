/* pdu - what Modbus asks and answers, without the envelope: function code and what follows. Pure.
 *
 * Builders return 0, or -EINVAL for a count that the standard does not allow. */
#ifndef HOST_MODBUS_PDU_H
#define HOST_MODBUS_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PDU_MAX = 253, PDU_READ_BITS = 2000, PDU_READ_REGISTERS = 125 };
enum { PDU_WRITE_BITS = 1968, PDU_WRITE_REGISTERS = 123 };

enum pdu_function {
    PDU_READ_COILS = 1,
    PDU_READ_DISCRETE = 2,
    PDU_READ_HOLDING = 3,
    PDU_READ_INPUT = 4,
    PDU_WRITE_COIL = 5,
    PDU_WRITE_REGISTER = 6,
    PDU_WRITE_COILS = 15,
    PDU_WRITE_MANY = 16
};

struct pdu {
    uint8_t bytes[PDU_MAX];
    size_t length;
};

/* One of the four reads. */
int pdu_read(struct pdu *pdu, enum pdu_function function, int64_t address, int64_t count);
int pdu_write_coil(struct pdu *pdu, int64_t address, bool on);
int pdu_write_register(struct pdu *pdu, int64_t address, int64_t value);
int pdu_write_coils(struct pdu *pdu, int64_t address, const bool *on, int64_t count);
int pdu_write_registers(struct pdu *pdu, int64_t address, const uint16_t *values,
                        int64_t count);

/* Whether the answer belongs to the request: 0; -EREMOTEIO and the exception's number; -EPROTO
 * when function, length or what has to be repeated differ. */
int pdu_check(const struct pdu *request, const struct pdu *answer, int *exception);

/* What a checked answer to a read holds. */
int pdu_register_count(const struct pdu *answer);
uint16_t pdu_register(const struct pdu *answer, int index);
bool pdu_bit(const struct pdu *answer, int index);

/* How long an answer of this request will be once its first `have` bytes are known: the length,
 * 0 when more bytes must be known, or -1 when its function does not say. */
int pdu_answer_length(const struct pdu *request, const uint8_t *bytes, size_t have);

/* How many bytes of values the answer of a request holds; 0 when it is no read. */
int pdu_value_bytes(const struct pdu *request);

/* "illegal data address" and the like. */
const char *pdu_exception_name(int exception);

#endif
