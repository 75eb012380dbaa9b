/* The input's first byte says how long the request is; the rest is what came. Whatever is accepted
 * as an answer must be readable to its end, and what a message lacks must lead to its end. */
#include "host/modbus/pdu.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "host/modbus/adu.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void read_all(const struct pdu *request, const struct pdu *answer)
{
    int exception;
    if (pdu_check(request, answer, &exception) != 0 || request->length < 5)
        return;
    int values = pdu_value_bytes(request);
    if (values == 0)
        return;
    ASSERT(answer->length == 2 + (size_t)values);
    for (int i = 0; i < pdu_register_count(answer); i++)
        (void)pdu_register(answer, i);
    for (int i = 0; i < values * 8; i++)
        (void)pdu_bit(answer, i);
}

static void open_serial(const struct pdu *request, const uint8_t *bytes, size_t length)
{
    struct adu adu = {0};
    struct pdu answer;
    while (adu.length < length && adu.length < ADU_MAX) {
        int lacks = adu_lacks_rtu(&adu, request);
        if (lacks == 0 || lacks == -EPROTO)
            break;
        ASSERT(lacks == -EAGAIN || adu.length + (size_t)lacks <= ADU_MAX);
        adu.bytes[adu.length] = bytes[adu.length];
        adu.length++;
    }
    if (adu.length > 0 && adu_open_rtu(&adu, adu.bytes[0], &answer) == NULL)
        read_all(request, &answer);
}

static void open_tcp(const struct pdu *request, const uint8_t *bytes, size_t length)
{
    struct adu adu = {.length = length < ADU_MAX ? length : ADU_MAX};
    struct pdu answer;
    memcpy(adu.bytes, bytes, adu.length);
    int lacks = adu_lacks_tcp(&adu);
    ASSERT(lacks < 0 || adu.length + (size_t)lacks <= ADU_MAX);
    if (adu.length >= 7 && adu_open_tcp(&adu, (uint16_t)(bytes[0] << 8 | bytes[1]),
                                        bytes[6], &answer) == NULL)
        read_all(request, &answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct pdu request = {0}, answer = {0};
    if (length < 2)
        return 0;
    request.length = 1 + bytes[0] % (PDU_MAX - 1);
    if (request.length > length - 1)
        request.length = length - 1;
    memcpy(request.bytes, bytes + 1, request.length);
    bytes += 1 + request.length;
    length -= 1 + request.length;
    open_serial(&request, bytes, length);
    open_tcp(&request, bytes, length);
    answer.length = length < PDU_MAX ? length : PDU_MAX;
    memcpy(answer.bytes, bytes, answer.length);
    read_all(&request, &answer);
    return 0;
}
