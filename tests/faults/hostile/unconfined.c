/* unconfined - the boundary that is none: what the attacks must overcome nowhere else. A host linked with
 * it shows that each attack would succeed; otherwise its refusal would prove nothing. */
#include "host/boundary/confine.h"

int confine(struct confine *confine, const struct confine_wish *wish)
{
    (void)wish;
    *confine = (struct confine){.landlock = 1};
    return 0;
}
