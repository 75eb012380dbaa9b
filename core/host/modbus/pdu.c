/* pdu - see pdu.h. Numbers are big-endian. */
#include "host/modbus/pdu.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"

enum { EXCEPTION = 0x80, MASK_WRITE = 22, READ_WRITE = 23, ADDRESSES = 65536 };

static void put_16(struct pdu *pdu, int64_t value)
{
    pdu->bytes[pdu->length++] = (uint8_t)(value >> 8);
    pdu->bytes[pdu->length++] = (uint8_t)value;
}

static unsigned get_16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static bool is_span(int64_t address, int64_t count, int64_t most)
{
    return address >= 0 && count >= 1 && count <= most && address + count <= ADDRESSES;
}

static void begin(struct pdu *pdu, int function, int64_t address, int64_t second)
{
    pdu->bytes[0] = (uint8_t)function;
    pdu->length = 1;
    put_16(pdu, address);
    put_16(pdu, second);
}

int pdu_read(struct pdu *pdu, enum pdu_function function, int64_t address, int64_t count)
{
    bool bits = function == PDU_READ_COILS || function == PDU_READ_DISCRETE;
    if (!is_span(address, count, bits ? PDU_READ_BITS : PDU_READ_REGISTERS))
        return -EINVAL;
    begin(pdu, function, address, count);
    return 0;
}

int pdu_write_coil(struct pdu *pdu, int64_t address, bool on)
{
    if (!is_span(address, 1, 1))
        return -EINVAL;
    begin(pdu, PDU_WRITE_COIL, address, on ? 0xff00 : 0);
    return 0;
}

int pdu_write_register(struct pdu *pdu, int64_t address, int64_t value)
{
    if (!is_span(address, 1, 1) || value < 0 || value > UINT16_MAX)
        return -EINVAL;
    begin(pdu, PDU_WRITE_REGISTER, address, value);
    return 0;
}

int pdu_write_coils(struct pdu *pdu, int64_t address, const bool *on, int64_t count)
{
    if (!is_span(address, count, PDU_WRITE_BITS))
        return -EINVAL;
    begin(pdu, PDU_WRITE_COILS, address, count);
    size_t bytes = ((size_t)count + 7) / 8;
    pdu->bytes[pdu->length++] = (uint8_t)bytes;
    memset(pdu->bytes + pdu->length, 0, bytes);
    for (int64_t i = 0; i < count; i++)
        if (on[i])
            pdu->bytes[pdu->length + (size_t)i / 8] |= (uint8_t)(1 << (i % 8));
    pdu->length += bytes;
    return 0;
}

int pdu_write_registers(struct pdu *pdu, int64_t address, const uint16_t *values,
                        int64_t count)
{
    if (!is_span(address, count, PDU_WRITE_REGISTERS))
        return -EINVAL;
    begin(pdu, PDU_WRITE_MANY, address, count);
    pdu->bytes[pdu->length++] = (uint8_t)(2 * count);
    for (int64_t i = 0; i < count; i++)
        put_16(pdu, values[i]);
    return 0;
}

/* ---- Answers. How the answer of a function looks: a count of bytes and then as many (how many,
 * the request says), or so many bytes of the request again. */

enum form { BY_BITS, BY_REGISTERS, BY_ECHO };

static const struct shape {
    uint8_t function;
    enum form form;
    uint8_t echo; /* bytes of the request that come back */
} SHAPES[] = {
    {PDU_READ_COILS, BY_BITS, 0},
    {PDU_READ_DISCRETE, BY_BITS, 0},
    {PDU_READ_HOLDING, BY_REGISTERS, 0},
    {PDU_READ_INPUT, BY_REGISTERS, 0},
    {PDU_WRITE_COIL, BY_ECHO, 5},
    {PDU_WRITE_REGISTER, BY_ECHO, 5},
    {PDU_WRITE_COILS, BY_ECHO, 5},
    {PDU_WRITE_MANY, BY_ECHO, 5},
    {MASK_WRITE, BY_ECHO, 7},
    {READ_WRITE, BY_REGISTERS, 0},
};

/* NULL for a function, or a request too short, of which we know nothing. */
static const struct shape *shape_of(const struct pdu *request)
{
    for (size_t i = 0; i < countof(SHAPES); i++) {
        size_t least = SHAPES[i].form == BY_ECHO ? SHAPES[i].echo : 5;
        if (SHAPES[i].function == request->bytes[0])
            return request->length >= least ? &SHAPES[i] : NULL;
    }
    return NULL;
}

int pdu_answer_length(const struct pdu *request, const uint8_t *bytes, size_t have)
{
    if (have < 1)
        return 0;
    if (bytes[0] & EXCEPTION)
        return 2;
    const struct shape *shape = shape_of(request);
    if (shape == NULL || bytes[0] != request->bytes[0])
        return -1;
    if (shape->form == BY_ECHO)
        return shape->echo;
    return have < 2 ? 0 : 2 + bytes[1];
}

int pdu_value_bytes(const struct pdu *request)
{
    const struct shape *shape = shape_of(request);
    if (shape == NULL || shape->form == BY_ECHO)
        return 0;
    int count = (int)get_16(request->bytes + 3);
    return shape->form == BY_BITS ? (count + 7) / 8 : 2 * count;
}

static bool fits(const struct shape *shape, const struct pdu *request,
                 const struct pdu *answer)
{
    if (shape->form == BY_ECHO)
        return answer->length == shape->echo &&
               memcmp(answer->bytes, request->bytes, shape->echo) == 0;
    size_t bytes = (size_t)pdu_value_bytes(request);
    return answer->length == 2 + bytes && answer->bytes[1] == bytes;
}

int pdu_check(const struct pdu *request, const struct pdu *answer, int *exception)
{
    if (answer->length < 1 || request->length < 1)
        return -EPROTO;
    if (answer->bytes[0] == (request->bytes[0] | EXCEPTION) && answer->length == 2) {
        *exception = answer->bytes[1];
        return -EREMOTEIO;
    }
    if (answer->bytes[0] != request->bytes[0])
        return -EPROTO;
    const struct shape *shape = shape_of(request);
    return shape == NULL || fits(shape, request, answer) ? 0 : -EPROTO;
}

int pdu_register_count(const struct pdu *answer)
{
    return answer->bytes[1] / 2;
}

uint16_t pdu_register(const struct pdu *answer, int index)
{
    return (uint16_t)get_16(answer->bytes + 2 + 2 * index);
}

bool pdu_bit(const struct pdu *answer, int index)
{
    return answer->bytes[2 + index / 8] >> (index % 8) & 1;
}

const char *pdu_exception_name(int exception)
{
    static const char *const NAMES[] = {
        [1] = "illegal function",
        [2] = "illegal data address",
        [3] = "illegal data value",
        [4] = "device failure",
        [5] = "acknowledged, not done yet",
        [6] = "device busy",
        [7] = "refused",
        [8] = "memory parity error",
        [10] = "gateway path unavailable",
        [11] = "device behind the gateway silent",
    };
    const char *name = NULL;
    if (exception > 0 && (size_t)exception < countof(NAMES))
        name = NAMES[exception];
    return name != NULL ? name : "unknown exception";
}
