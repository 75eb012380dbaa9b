/* capability - stands in for host/bind/capability.c: a test's devices are doubles below the host's own
 * functions, a replay's were not recorded. Blobs are no device: they come to nothing there. */
#include "host/bind/capability.h"

#include <string.h>

#include "base/base.h"
#include "host/bind/annex.h"
#include "host/bind/bind.h"
#include "rehearse/office.h"

static const struct capability {
    const char *name;
    capability_bind *bind;
} CAPABILITIES[] = {
    {"modbus", bind_modbus}, {"tcp", bind_tcp},   {"udp", bind_udp},
    {"serial", bind_serial}, {"blob", bind_blob}, {"folder", bind_folder},
};

/* Nobody knows when devices that call would have called. */
static bool is_unrecorded(const struct office *office, const char *name)
{
    bool could_be = office->has_recording && strcmp(name, "serve") != 0;
    return office->is_replay && !could_be && strcmp(name, "blob") != 0;
}

capability_bind *capability_find(const char *name)
{
    if (is_unrecorded(office_current(), name))
        return unrecorded_find(name);
    for (size_t i = 0; i < countof(CAPABILITIES); i++)
        if (strcmp(CAPABILITIES[i].name, name) == 0)
            return CAPABILITIES[i].bind;
    const struct annex *annex = annex_find(name);
    return annex != NULL ? annex->bind : NULL;
}
