/* Any text as the address of a line. */
#include "host/lines/lineurl.h"

#include <string.h>

#include "base/base.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = mem_text_of(bytes, length);
    for (int kind = LINEURL_TCP; kind <= LINEURL_SERIAL; kind++) {
        struct lineurl url;
        char why[200];
        if (lineurl_parse(&url, (enum lineurl_kind)kind, text, why, sizeof(why)) == 0)
            ASSERT(strlen(url.place) > 0 && (kind == LINEURL_SERIAL || url.port > 0));
        else
            ASSERT(strlen(why) > 0 && strlen(why) < sizeof(why));
    }
    mem_free(text);
    return 0;
}
