#include "city/presence.h"

#include <stdint.h>
#include <string.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct presence presence;
    if (presence_read(&presence, "office-1", bytes, length) == 0)
        ASSERT(strlen(presence.verifier) <= PRESENCE_VERIFIER_MAX);
    return 0;
}
