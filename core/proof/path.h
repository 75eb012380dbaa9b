/* path - checks of Merkle proofs (RFC 9162 2.1.3.2 and 2.1.4.2). Pure; every input is foreign. */
#ifndef PROOF_PATH_H
#define PROOF_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "proof/suite.h"

/* Whether `leaf` is leaf `index` of the tree of `size` with that root: 0 or -EBADMSG. */
int path_check_inclusion(const struct suite *suite, const struct digest *leaf,
                         uint64_t index, uint64_t size, const struct digest *path,
                         size_t count, const struct digest *root);

/* Whether the tree of `size` begins with the tree of `from`: 0 or -EBADMSG. */
int path_check_consistency(const struct suite *suite, uint64_t from,
                           const struct digest *old_root, uint64_t size,
                           const struct digest *root, const struct digest *path,
                           size_t count);

#endif
