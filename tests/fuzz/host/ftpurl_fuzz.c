/* Any text as the address of a file server. */
#include "host/files/ftpurl.h"

#include <string.h>

#include "base/base.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = mem_text_of(bytes, length);
    struct ftpurl url;
    char why[200];
    if (ftpurl_parse(&url, text, why, sizeof(why)) == 0)
        ASSERT(strlen(url.host) > 0 && url.port >= 1 && url.port <= 65535 &&
               url.from >= 1024 && url.from <= url.until && url.until <= 65535);
    else
        ASSERT(strlen(why) > 0 && strlen(why) < sizeof(why));
    mem_free(text);
    return 0;
}
