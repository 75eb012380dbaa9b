/* complaint - stands in for host/complaint.c: every complaint is told, none is held back. */
#ifndef REHEARSE_COMPLAINT_H
#define REHEARSE_COMPLAINT_H

#include "host/complaint.h"

/* `take` gets what is complained about. NULL: nobody. */
void complaint_divert(void (*take)(void *owner, const char *why), void *owner);

#endif
