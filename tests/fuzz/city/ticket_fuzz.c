/* Any metadata is read or refused, and an event of any form names the file or does not. */
#include "city/ticket.h"

#include <string.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct ticket ticket;
    if (ticket_read(&ticket, bytes, length) != 0)
        memset(ticket.sha256, 'a', TALK_DIGEST_HEX);
    else
        ASSERT(strlen(ticket.sha256) == TALK_DIGEST_HEX && ticket.size >= 0 &&
               ticket.class < CLASSES && word_is_id(ticket.office));
    int found = ticket_is_named(&ticket, bytes, length);
    ASSERT(found <= 1);
    return 0;
}
