/* Any bytes as the configuration that is handed down: taken and printed, or refused. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "keeper/config.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    setenv("OUTPOST_LOG", "error", 1);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct config *config;
    struct buffer out = {0};
    if (config_open(&config, bytes, length) != 0)
        return 0;
    for (size_t i = 0; i < config->plugin_count; i++) {
        config_print_start(config, &config->plugins[i], &out);
        config_lane(&config->plugins[i], "band.opened");
    }
    buffer_free(&out);
    config_close(config);
    return 0;
}
