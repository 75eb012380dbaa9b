/* tap - what goes between the plugin and its devices, put into the ring while that is wished.
 *
 * A process runs one instance, so there is one tap: whoever moves bytes of devices hands them over, and
 * nothing happens while it is off. A device is named by its URL without what stands behind "?".
 * What is secret is left out before: of heads of HTTP by hush.h. */
#ifndef HOST_TAP_TAP_H
#define HOST_TAP_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/ring.h"

/* The ring that was handed over as that descriptor, which is closed then; where it is none, nothing is
 * ever recorded. Before the process is confined. */
void tap_open(int fd);
void tap_close(void);

/* From now on, for so long: -1 for good, 0 not any more. */
void tap_record(int64_t ms);
bool tap_is_on(void);

void tap_put(const char *device, enum ring_way way, const void *bytes, size_t length);

#endif
