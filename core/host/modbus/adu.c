/* adu - see adu.h.
 *
 *   TCP   transaction (16), protocol 0 (16), bytes that follow (16), unit, pdu
 *   RTU   unit, pdu, CRC-16 of both, low byte first */
#include "host/modbus/adu.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"

enum { MBAP = 7, MBAP_COUNTED = 6, CRC = 2 };

static void put_16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static unsigned get_16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static unsigned crc_of(const uint8_t *bytes, size_t length)
{
    unsigned crc = 0xffff;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1;
    }
    return crc;
}

void adu_put_tcp(struct adu *adu, uint16_t transaction, uint8_t unit,
                 const struct pdu *pdu)
{
    put_16(adu->bytes, transaction);
    put_16(adu->bytes + 2, 0);
    put_16(adu->bytes + 4, (unsigned)pdu->length + 1);
    adu->bytes[6] = unit;
    memcpy(adu->bytes + MBAP, pdu->bytes, pdu->length);
    adu->length = MBAP + pdu->length;
}

void adu_put_rtu(struct adu *adu, uint8_t unit, const struct pdu *pdu)
{
    adu->bytes[0] = unit;
    memcpy(adu->bytes + 1, pdu->bytes, pdu->length);
    unsigned crc = crc_of(adu->bytes, 1 + pdu->length);
    adu->bytes[1 + pdu->length] = (uint8_t)crc;
    adu->bytes[2 + pdu->length] = (uint8_t)(crc >> 8);
    adu->length = 1 + pdu->length + CRC;
}

int adu_lacks_tcp(const struct adu *adu)
{
    if (adu->length < MBAP)
        return (int)(MBAP - adu->length);
    unsigned counted = get_16(adu->bytes + 4);
    if (get_16(adu->bytes + 2) != 0 || counted < 2 || counted > PDU_MAX + 1)
        return -EPROTO;
    size_t whole = MBAP_COUNTED + counted;
    return adu->length < whole ? (int)(whole - adu->length) : 0;
}

int adu_lacks_rtu(const struct adu *adu, const struct pdu *request)
{
    size_t have = adu->length > 1 ? adu->length - 1 : 0;
    int length = pdu_answer_length(request, adu->bytes + 1, have);
    if (length < 0)
        return -EAGAIN;
    if (length == 0)
        return have < 1 ? (int)(2 - adu->length) : 1;
    size_t whole = 1 + (size_t)length + CRC;
    if (whole > ADU_MAX)
        return -EPROTO;
    return adu->length < whole ? (int)(whole - adu->length) : 0;
}

const char *adu_open_tcp(const struct adu *adu, uint16_t transaction, uint8_t unit,
                         struct pdu *pdu)
{
    if (adu_lacks_tcp(adu) != 0 || adu->length != MBAP_COUNTED + get_16(adu->bytes + 4))
        return "wrong length";
    if (get_16(adu->bytes) != transaction)
        return "wrong transaction";
    if (adu->bytes[6] != unit)
        return "wrong unit";
    pdu->length = adu->length - MBAP;
    memcpy(pdu->bytes, adu->bytes + MBAP, pdu->length);
    return NULL;
}

const char *adu_open_rtu(const struct adu *adu, uint8_t unit, struct pdu *pdu)
{
    if (adu->length < 1 + 1 + CRC || adu->length > 1 + PDU_MAX + CRC)
        return "wrong length";
    size_t counted = adu->length - CRC;
    unsigned crc = adu->bytes[counted] | (unsigned)adu->bytes[counted + 1] << 8;
    if (crc_of(adu->bytes, counted) != crc)
        return "wrong checksum";
    if (adu->bytes[0] != unit)
        return "wrong unit";
    pdu->length = counted - 1;
    memcpy(pdu->bytes, adu->bytes + 1, pdu->length);
    return NULL;
}
