/* complaint - stands in for host/instance/complaint.c: every complaint is told, none is held back. */
#ifndef REHEARSE_STANDINS_COMPLAINT_H
#define REHEARSE_STANDINS_COMPLAINT_H

#include "host/instance/complaint.h"

/* `take` gets what is complained about. NULL: nobody. */
void complaint_divert(void (*take)(void *owner, const char *why), void *owner);

#endif
