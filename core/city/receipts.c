/* receipts - see receipts.h. */
#include "city/receipts.h"

#include <stdio.h>

#include "base/now.h"
#include "city/verify.h"
#include "proof/receipt.h"
#include "proof/tree.h"

static int add_checkpoint(struct receipt *receipt, const struct store_log *log)
{
    struct tree tree;
    if (log->size == 0)
        return 0;
    int err = verify_tree(&tree, log);
    if (err)
        return err;
    receipt->has_checkpoint = true;
    receipt->size = (uint64_t)log->size;
    tree_root(&tree, &receipt->root);
    return 0;
}

int receipts_write(struct buffer *out, struct store *store, const struct key *key,
                   const char *office, const char *log)
{
    struct receipt receipt = {.time_us = now_utc_us()};
    struct store_log state;
    int err = store_get_log(store, office, log, &state);
    if (!err)
        err = add_checkpoint(&receipt, &state);
    store_log_free(&state);
    for (int lane = 0; lane < LANES && !err; lane++)
        err =
            store_get_mark(store, office, log, (enum talk_lane)lane, &receipt.lane[lane]);
    if (err)
        return err;
    snprintf(receipt.office, sizeof(receipt.office), "%s", office);
    snprintf(receipt.log, sizeof(receipt.log), "%s", log);
    receipt_sign(out, &receipt, key);
    return 0;
}
