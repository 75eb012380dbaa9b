/* finding - see finding.h. */
#include "cli/journal/finding.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int finding_put(struct finding *finding, const char *place, const char *what, ...)
{
    va_list values;
    if (finding->place[0] != '\0')
        return -EBADMSG;
    va_start(values, what);
    snprintf(finding->place, sizeof(finding->place), "%s", place);
    vsnprintf(finding->what, sizeof(finding->what), what, values);
    va_end(values);
    return -EBADMSG;
}
