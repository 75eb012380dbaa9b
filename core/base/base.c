/* base - see base.h. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void base_abort(const char *claim, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, claim);
    abort();
}
