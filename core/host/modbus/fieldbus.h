/* fieldbus - one Modbus device or line: a request out, its own answer in, or a fault.
 *
 * A request blocks, at most its time-out, connecting included; on a serial line at most three times,
 * because a probe may go before and the line is waited for to be quiet after. An answer is
 * accepted only when transaction, unit, function, length and echo are those of the request.
 * Whatever was in the line before a request is thrown away. TCP is closed after a time-out or a
 * foreign answer and opened again by the next request; how a serial line tells a late answer from
 * the right one is in owed.h. */
#ifndef HOST_MODBUS_FIELDBUS_H
#define HOST_MODBUS_FIELDBUS_H

#include <stdint.h>

#include "host/modbus/busurl.h"
#include "host/modbus/pdu.h"

enum { FIELDBUS_TIMEOUT_MS = 500, FIELDBUS_TIMEOUT_MOST_MS = 5000 };

enum fieldbus_fault {
    FIELDBUS_GOOD,
    FIELDBUS_TIMEOUT,
    FIELDBUS_EXCEPTION,
    FIELDBUS_IDENTITY, /* an answer that is not of this request */
    FIELDBUS_CLOSED,   /* the other end closed, or the line failed */
    FIELDBUS_REFUSED   /* cannot be opened */
};

struct fieldbus;

/* Nothing is opened yet. 0 or -ENOMEM. */
int fieldbus_open(struct fieldbus **out, const struct busurl *url);
void fieldbus_close(struct fieldbus *bus);

enum fieldbus_fault fieldbus_ask(struct fieldbus *bus, int unit,
                                 const struct pdu *request, struct pdu *answer,
                                 int timeout_ms);

/* About the last fault: for people, and the exception's number. */
const char *fieldbus_why(const struct fieldbus *bus);
int fieldbus_exception(const struct fieldbus *bus);

/* "timeout", "exception", "identity", "closed", "refused". */
const char *fieldbus_fault_name(enum fieldbus_fault fault);

#endif
