/* Any bytes as lines of a listing, in both forms. */
#include "host/files/listing.h"

#include <string.h>

#include "base/base.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void look(const struct listing_entry *entry, const char *line, size_t length)
{
    ASSERT(entry->name >= line && entry->name_length > 0 &&
           entry->name + entry->name_length <= line + length);
    ASSERT(memchr(entry->name, '/', entry->name_length) == NULL);
    ASSERT(entry->told == NULL ||
           (entry->told >= line && entry->told + entry->told_length <= line + length));
    ASSERT(entry->size >= -1 && (entry->within_s == 0 || entry->within_s == 1 ||
                                 entry->within_s == 60 || entry->within_s == 86400));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    for (int facts = 0; facts < 2; facts++) {
        struct listing_entry entry;
        char *line =
            mem_text_of(bytes, length); /* so that its end is found by the sanitizer */
        if (listing_read(&entry, facts != 0, line, length, 1795316645) == LISTING_ENTRY)
            look(&entry, line, length);
        mem_free(line);
    }
    return 0;
}
