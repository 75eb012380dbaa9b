/* cover - see cover.h.
 *
 * Invariant: a node of height h begins at a multiple of 1 << h, so that it is a node of the whole
 * tree too: a tile begins at a multiple of 256. */
#include "proof/cover.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/hex.h"

void cover_put(struct cover *cover, unsigned position)
{
    ASSERT(position < COVER_WIDTH);
    cover->bits[position / 8] |= (uint8_t)(0x80 >> position % 8);
}

bool cover_has(const struct cover *cover, unsigned position)
{
    ASSERT(position < COVER_WIDTH);
    return cover->bits[position / 8] & 0x80 >> position % 8;
}

unsigned cover_count(const struct cover *cover)
{
    unsigned count = 0;
    for (unsigned i = 0; i < sizeof(cover->bits); i++)
        count += (unsigned)__builtin_popcount(cover->bits[i]);
    return count;
}

void cover_print(const struct cover *cover, char digits[COVER_DIGITS + 1])
{
    hex_encode(digits, cover->bits, sizeof(cover->bits));
}

int cover_parse(struct cover *cover, const char *digits)
{
    struct cover read;
    if (strnlen(digits, COVER_DIGITS + 1) != COVER_DIGITS ||
        strspn(digits, "0123456789abcdef") != COVER_DIGITS ||
        hex_decode(read.bits, sizeof(read.bits), digits) != 0)
        return -EPROTO;
    *cover = read;
    return 0;
}

unsigned cover_run(struct cover_node nodes[COVER_RUN_NODES_MAX], unsigned from,
                   unsigned until)
{
    ASSERT(until <= COVER_WIDTH);
    unsigned count = 0;
    while (from < until) {
        int height = 0;
        while (from % (2u << height) == 0 && from + (2u << height) <= until)
            height++;
        nodes[count++] = (struct cover_node){from, height};
        from += 1u << height;
    }
    return count;
}

unsigned cover_nodes(const struct cover *cover, struct cover_node nodes[COVER_NODES_MAX])
{
    unsigned count = 0;
    for (unsigned from = 0, until; from < COVER_WIDTH; from = until + 1) {
        until = from;
        while (until < COVER_WIDTH && cover_has(cover, until))
            until++;
        struct cover_node run[COVER_RUN_NODES_MAX];
        unsigned length = cover_run(run, from, until);
        memcpy(nodes + count, run, length * sizeof(run[0]));
        count += length;
    }
    return count;
}

void cover_hash(const struct suite *suite, struct digest *out,
                const struct digest leaves[COVER_WIDTH], struct cover_node node)
{
    unsigned width = 1u << node.height;
    ASSERT(node.first % width == 0 && node.first + width <= COVER_WIDTH);
    struct digest level[COVER_WIDTH];
    memcpy(level, leaves + node.first, width * sizeof(level[0]));
    for (; width > 1; width /= 2)
        for (unsigned i = 0; i < width / 2; i++)
            suite_node(suite, &level[i], &level[2 * i], &level[2 * i + 1]);
    *out = level[0];
}
