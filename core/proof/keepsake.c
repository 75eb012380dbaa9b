/* keepsake - see keepsake.h. */
#include "proof/keepsake.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "proof/suite.h"

enum { HEAD_LENGTH = 2 * DIGEST_BYTES + 1 };

static void print_head(struct buffer *out, const void *text, size_t length)
{
    struct digest digest;
    char hex[2 * DIGEST_BYTES + 1];
    suite_hash(suite_named("sha256+ed25519"), &digest, text, length);
    hex_encode(hex, digest.bytes, DIGEST_BYTES);
    buffer_append_text(out, hex);
    buffer_append_text(out, "\n");
}

static bool is_kept(const char *path, const struct buffer *file)
{
    struct buffer kept = {0};
    bool is = file_read(&kept, path, file->length) == 0 && kept.length == file->length &&
              memcmp(kept.bytes, file->bytes, file->length) == 0;
    buffer_free(&kept);
    return is;
}

int keepsake_put(const char *path, const struct buffer *text)
{
    struct buffer file = {0};
    print_head(&file, text->bytes, text->length);
    buffer_append(&file, text->bytes, text->length);
    int err = 0;
    if (!is_kept(path, &file))
        err = file_put_durably(path, file.bytes, file.length, 0600);
    buffer_free(&file);
    return err;
}

int keepsake_get(struct buffer *text, const char *path, size_t most)
{
    struct buffer file = {0}, head = {0};
    int err = file_read(&file, path, most + HEAD_LENGTH);
    if (!err && file.length <= HEAD_LENGTH)
        err = -EBADMSG;
    if (!err) {
        print_head(&head, file.bytes + HEAD_LENGTH, file.length - HEAD_LENGTH);
        if (memcmp(head.bytes, file.bytes, HEAD_LENGTH) != 0)
            err = -EBADMSG;
    }
    if (!err)
        buffer_append(text, file.bytes + HEAD_LENGTH, file.length - HEAD_LENGTH);
    buffer_free(&file);
    buffer_free(&head);
    return err;
}
