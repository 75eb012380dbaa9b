/* fieldbus - one Modbus device or line: a request out, its own answer in, or a fault.
 *
 * A request blocks, at most its time-out (connecting included); after a time-out on a serial line
 * the next one first waits for the late answer, at most `late_ms`. An answer is accepted only when
 * transaction, unit, function, length and echo are those of the request. Whatever was in the line
 * before a request is thrown away. TCP is closed after a time-out or a foreign answer and opened
 * again by the next request.
 *
 * A serial line has no transaction numbers. After a time-out the late answer could pass for the
 * next one, so one frame too many is expected: until it came, an answer counts only when no
 * second one follows it within `late_ms`. */
#ifndef HOST_FIELDBUS_H
#define HOST_FIELDBUS_H

#include <stdint.h>

#include "host/busurl.h"
#include "host/pdu.h"

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

enum fieldbus_fault fieldbus_ask(struct fieldbus *bus, int unit, const struct pdu *request,
                                 struct pdu *answer, int timeout_ms);

/* About the last fault: for people, and the exception's number. */
const char *fieldbus_why(const struct fieldbus *bus);
int fieldbus_exception(const struct fieldbus *bus);

/* "timeout", "exception", "identity", "closed", "refused". */
const char *fieldbus_fault_name(enum fieldbus_fault fault);

#endif
