/* isapi_answer_fuzz - any bytes as what an ISAPI terminal answers (plugins/face-isapi).
 *
 * What must hold is in isapi_answer_fuzz.lua. */
#include "script.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct script script = {
        .path = "tests/fuzz/host/isapi_answer_fuzz.lua",
        .sandbox = {.library = "lua", .plugin = "plugins/face-isapi"},
        .instructions_max = 50 * 1000 * 1000};
    return script_run(&script, bytes, length);
}
