/* dahua_stream_fuzz - any bytes as what a Dahua terminal says on its stream, or pushes (plugins/face-dahua).
 *
 * What must hold is in dahua_stream_fuzz.lua. */
#include "plugin_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct plugin_fuzz fuzz = {
        .sandbox = {.library = "lua", .plugin = "plugins/face-dahua"},
        .script = "tests/fuzz/host/dahua_stream_fuzz.lua"};
    return plugin_fuzz_run(&fuzz, bytes, length);
}
