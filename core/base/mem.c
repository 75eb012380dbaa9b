/* mem - see mem.h. The one place that calls the allocator. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

void *mem_zeroed(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    ASSERT(memory != NULL);
    return memory;
}

void *mem_resize(void *memory, size_t size)
{
    void *grown = realloc(memory, size ? size : 1);
    ASSERT(grown != NULL);
    return grown;
}

void *mem_copy(const void *memory, size_t size)
{
    void *copy = mem_resize(NULL, size);
    if (size > 0)
        memcpy(copy, memory, size);
    return copy;
}

char *mem_text(const char *text)
{
    return mem_text_of(text, strlen(text));
}

char *mem_text_of(const void *bytes, size_t length)
{
    char *copy = mem_resize(NULL, length + 1);
    if (length > 0)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

void mem_free(void *memory)
{
    free(memory);
}
