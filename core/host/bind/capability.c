/* capability - see capability.h. */
#include "host/bind/capability.h"

#include <string.h>

#include "base/base.h"
#include "host/bind/annex.h"
#include "host/bind/bind.h"

static const struct capability {
    const char *name;
    capability_bind *bind;
} CAPABILITIES[] = {
    {"modbus", bind_modbus}, {"tcp", bind_tcp},   {"udp", bind_udp},
    {"serial", bind_serial}, {"blob", bind_blob}, {"folder", bind_folder},
};

capability_bind *capability_find(const char *name)
{
    for (size_t i = 0; i < countof(CAPABILITIES); i++)
        if (strcmp(CAPABILITIES[i].name, name) == 0)
            return CAPABILITIES[i].bind;
    const struct annex *annex = annex_find(name);
    return annex != NULL ? annex->bind : NULL;
}
