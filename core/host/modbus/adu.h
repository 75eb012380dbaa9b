/* adu - the envelope of a Modbus message: MBAP on TCP, unit and checksum on a serial line. Pure. */
#ifndef HOST_MODBUS_ADU_H
#define HOST_MODBUS_ADU_H

#include <stddef.h>
#include <stdint.h>

#include "host/modbus/pdu.h"

enum { ADU_MAX = 260 };

struct adu {
    uint8_t bytes[ADU_MAX];
    size_t length;
};

void adu_put_tcp(struct adu *adu, uint16_t transaction, uint8_t unit,
                 const struct pdu *pdu);
void adu_put_rtu(struct adu *adu, uint8_t unit, const struct pdu *pdu);

/* How many bytes the message lacks: 0 none; -EPROTO when it cannot become one. On a serial line
 * -EAGAIN says that only silence tells where it ends. */
int adu_lacks_tcp(const struct adu *adu);
int adu_lacks_rtu(const struct adu *adu, const struct pdu *request);

/* Opens the envelope of a whole message. NULL, or what is wrong with its identity. */
const char *adu_open_tcp(const struct adu *adu, uint16_t transaction, uint8_t unit,
                         struct pdu *pdu);
const char *adu_open_rtu(const struct adu *adu, uint8_t unit, struct pdu *pdu);

#endif
