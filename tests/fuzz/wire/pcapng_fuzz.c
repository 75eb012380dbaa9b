/* Any file is read without harm, every piece lies inside of it, and what was read can be written. */
#include "wire/pcapng.h"

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct pcapng pcapng;
    struct pcapng_piece piece;
    struct buffer out = {0};
    if (pcapng_open(&pcapng, bytes, length) != 0)
        return 0;
    while (pcapng_next(&pcapng, &piece) == 1) {
        const uint8_t *at = piece.bytes;
        ASSERT(piece.device < pcapng.devices);
        ASSERT(at >= bytes && at + piece.length <= bytes + length);
        buffer_clear(&out);
        pcapng_piece(&out, &piece);
    }
    buffer_free(&out);
    return 0;
}
