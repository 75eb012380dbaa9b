/* Any bytes as the configuration that is handed down: taken and printed, or refused. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"
#include "keeper/config.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* What is refused is a line in the log each time: keep to the fuzzer's own. It reads its flags after
 * this call. */
static void keep_quiet(int *argc, char ***argv)
{
    static char flag[] = "-close_fd_mask=2";
    static char *all[64];
    ASSERT(*argc < 62);
    memcpy(all, *argv, (size_t)*argc * sizeof(all[0]));
    all[(*argc)++] = flag;
    *argv = all;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    keep_quiet(argc, argv);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct config *config;
    struct buffer out = {0};
    if (config_open(&config, bytes, length) != 0)
        return 0;
    for (size_t i = 0; i < config->plugin_count; i++) {
        config_print_plugin(&config->plugins[i], config->office, "/p", "/l", &out);
        config_lane(&config->plugins[i], "band.opened");
    }
    buffer_free(&out);
    config_close(config);
    return 0;
}
