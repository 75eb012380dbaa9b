/* path - see path.h. The two loops of RFC 9162, with its names fn and sn said in words. */
#include "proof/path.h"

#include <errno.h>

/* The position of a node and of the last node, on one level of the tree. */
struct place {
    uint64_t node;
    uint64_t last;
};

static void climb(struct place *place)
{
    place->node >>= 1;
    place->last >>= 1;
}

/* The node is the last of its level without a sister: go up to where it has a left one. */
static void skip_lonely(struct place *place)
{
    while (!(place->node & 1) && place->node != 0)
        climb(place);
}

static int verdict(bool good)
{
    return good ? 0 : -EBADMSG;
}

int path_check_inclusion(const struct suite *suite, const struct digest *leaf,
                         uint64_t index, uint64_t size, const struct digest *path,
                         size_t count, const struct digest *root)
{
    if (index >= size)
        return -EBADMSG;
    struct place place = {index, size - 1};
    struct digest node = *leaf;
    for (size_t i = 0; i < count; i++) {
        if (place.last == 0)
            return -EBADMSG;
        if ((place.node & 1) || place.node == place.last) {
            suite_node(suite, &node, &path[i], &node);
            skip_lonely(&place);
        } else {
            suite_node(suite, &node, &node, &path[i]);
        }
        climb(&place);
    }
    return verdict(place.last == 0 && digest_equal(&node, root));
}

static int check_without_path(const struct suite *suite, uint64_t from,
                              const struct digest *old_root, const struct digest *root,
                              size_t count)
{
    struct digest empty;
    suite_hash(suite, &empty, "", 0);
    return verdict(count == 0 && digest_equal(old_root, from == 0 ? &empty : root));
}

/* Rebuilds the old and the new root from the path at once. */
static int check_growth(const struct suite *suite, struct place place, struct digest node,
                        const struct digest *old_root, const struct digest *root,
                        const struct digest *path, size_t count)
{
    struct digest old = node;
    for (size_t i = 0; i < count; i++) {
        if (place.last == 0)
            return -EBADMSG;
        if ((place.node & 1) || place.node == place.last) {
            suite_node(suite, &old, &path[i], &old);
            suite_node(suite, &node, &path[i], &node);
            skip_lonely(&place);
        } else {
            suite_node(suite, &node, &node, &path[i]);
        }
        climb(&place);
    }
    return verdict(place.last == 0 && digest_equal(&old, old_root) &&
                   digest_equal(&node, root));
}

int path_check_consistency(const struct suite *suite, uint64_t from,
                           const struct digest *old_root, uint64_t size,
                           const struct digest *root, const struct digest *path,
                           size_t count)
{
    if (from > size)
        return -EBADMSG;
    if (from == 0 || from == size)
        return check_without_path(suite, from, old_root, root, count);
    struct place place = {from - 1, size - 1};
    while (place.node & 1)
        climb(&place);
    if (place.node == 0) /* the old tree is full, so its root opens the path, unsaid */
        return check_growth(suite, place, *old_root, old_root, root, path, count);
    if (count == 0)
        return -EBADMSG;
    return check_growth(suite, place, path[0], old_root, root, path + 1, count - 1);
}
