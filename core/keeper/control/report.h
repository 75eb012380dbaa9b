/* report - the state of the appliance as JSON, for `outpost status`. No person data. */
#ifndef KEEPER_CONTROL_REPORT_H
#define KEEPER_CONTROL_REPORT_H

#include "base/buffer.h"

struct keeper;

void report_print(struct keeper *keeper, struct buffer *out);

#endif
