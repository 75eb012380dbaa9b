/* Any text as the address of a Modbus device. */
#include "host/modbus/busurl.h"

#include <stdint.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct busurl url;
    char why[100];
    char *text = mem_text_of(bytes, length);
    if (busurl_parse(&url, text, why, sizeof(why)) == 0) {
        ASSERT(strlen(url.place) > 0 && url.unit >= 0 && url.unit <= 255);
        ASSERT(url.tcp || (url.place[0] == '/' && url.baud >= 300));
    } else {
        ASSERT(strlen(why) < sizeof(why));
    }
    mem_free(text);
    return 0;
}
