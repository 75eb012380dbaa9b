/* sip_fuzz - any bytes as a message of SIP, whole and in pieces (plugins/bodycam-gb28181).
 *
 * What must hold is in sip_fuzz.lua. */
#include "script.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct script script = {
        .path = "tests/fuzz/host/sip_fuzz.lua",
        .sandbox = {.library = "lua", .plugin = "plugins/bodycam-gb28181"},
        .instructions_max = 20 * 1000 * 1000,
    };
    return script_run(&script, bytes, length);
}
