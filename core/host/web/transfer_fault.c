/* transfer_fault - see transfer_fault.h: the code for plugins, the words for people. */
#include "host/web/transfer_fault.h"

static const struct {
    const char *name;
    const char *text;
} FAULTS[] = {
    [TRANSFER_GOOD] = {"good", "it is over"},
    [TRANSFER_ARGUMENT] = {"argument", "the request makes no sense"},
    [TRANSFER_TIMEOUT] = {"timeout", "no answer in time"},
    [TRANSFER_RESOLVE] = {"resolve", "the host's name has no address"},
    [TRANSFER_REFUSED] = {"refused", "no connection"},
    [TRANSFER_CLOSED] = {"closed", "the connection was closed"},
    [TRANSFER_TLS] = {"tls", "no secure connection"},
    [TRANSFER_TOO_BIG] = {"too_big", "the answer is bigger than was allowed"},
    [TRANSFER_AUTH] = {"auth", "the device does not let anybody log in"},
    [TRANSFER_PROTOCOL] = {"protocol", "what came makes no sense"},
    [TRANSFER_MISSING] = {"missing", "there is none of that name"},
    [TRANSFER_DENIED] = {"denied", "the server says no"},
};

const char *transfer_fault_name(enum transfer_fault fault)
{
    return FAULTS[fault].name;
}

const char *transfer_fault_text(enum transfer_fault fault)
{
    return FAULTS[fault].text;
}
