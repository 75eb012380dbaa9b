/* mem - plain memory.
 *
 * Allocation never fails: out of memory aborts, and whoever watches the process restarts it.
 * Sizes that come from outside are therefore capped before they reach this file. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#define mem_new(type) ((type *)mem_zeroed(sizeof(type)))

void *mem_zeroed(size_t size);
void *mem_resize(void *memory, size_t size);
void *mem_copy(const void *memory, size_t size);
char *mem_text(const char *text); /* a copy, ended by NUL */
char *mem_text_of(const void *bytes,
                  size_t length); /* the same, of bytes without a NUL */
void mem_free(void *memory);      /* NULL is fine */

#endif
