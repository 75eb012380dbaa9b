/* inflate_fuzz - any bytes as what a device has packed, in each form: the bound holds. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "host/module/inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { MOST = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (inflate_open() != 0)
        abort();
    inflate_form_of(bytes, length);
    for (enum inflate_form form = INFLATE_GZIP; form <= INFLATE_RAW; form++) {
        struct buffer out = {0};
        int err = inflate_bytes(&out, form, bytes, length, MOST);
        if (out.length > MOST || (err && out.length != 0) ||
            (err && err != -EPROTO && err != -EFBIG))
            abort();
        buffer_free(&out);
    }
    return 0;
}
