/* names_fuzz - any bytes as patterns, names, and what lies at the root of a recorder
 * (plugins/bodycam-dock).
 *
 * What must hold is in names_fuzz.lua. */
#include "script.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct script script = {
        .path = "tests/fuzz/host/names_fuzz.lua",
        .sandbox = {.library = "lua", .plugin = "plugins/bodycam-dock"},
        .instructions_max = 20 * 1000 * 1000,
    };
    return script_run(&script, bytes, length);
}
