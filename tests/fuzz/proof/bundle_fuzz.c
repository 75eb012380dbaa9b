/* Any file is opened or refused, and what was opened can be packed and opened again. The input is
 * tried as a file and, so that zstd's checksum does not hide the rest, as an uncompressed bundle. */
#include "proof/bundle.h"

#include <stdint.h>
#include <string.h>

#include "base/base.h"

static void pack_again(const struct bundle *bundle)
{
    struct buffer plain = {0}, file = {0};
    struct bundle again;
    for (unsigned i = 0; i < bundle->count; i++) {
        size_t length;
        const void *entry = bundle_entry(bundle, i, &length);
        bundle_add(&plain, entry, length);
    }
    ASSERT(plain.length == bundle->plain.length);
    ASSERT(memcmp(plain.bytes, bundle->plain.bytes, plain.length) == 0);
    bundle_pack(&file, &plain);
    int err = bundle_open(&again, file.bytes, file.length);
    ASSERT(err == 0 && again.count == bundle->count);
    bundle_close(&again);
    buffer_free(&plain);
    buffer_free(&file);
}

static void open_and_pack(const void *file, size_t length)
{
    struct bundle bundle;
    if (bundle_open(&bundle, file, length) != 0)
        return;
    ASSERT(bundle.count >= 1 && bundle.count <= BUNDLE_ENTRIES);
    pack_again(&bundle);
    bundle_close(&bundle);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct buffer plain = {0}, file = {0};
    open_and_pack(bytes, length);
    buffer_append(&plain, bytes, length);
    bundle_pack(&file, &plain);
    open_and_pack(file.bytes, file.length);
    buffer_free(&plain);
    buffer_free(&file);
    return 0;
}
