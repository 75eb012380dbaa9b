/* lastgood - see lastgood.h. */
#include "cli/lastgood.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "cli/configuration.h"
#include "proof/suite.h"

enum { HEAD_LENGTH = 2 * DIGEST_BYTES + 1, ERRORS_MAX = 5, ERROR_MAX = 200 };

static void print_head(struct buffer *out, const void *json, size_t length)
{
    struct digest digest;
    char hex[2 * DIGEST_BYTES + 1];
    suite_hash(suite_named("sha256+ed25519"), &digest, json, length);
    hex_encode(hex, digest.bytes, DIGEST_BYTES);
    buffer_append_text(out, hex);
    buffer_append_text(out, "\n");
}

int lastgood_put(const char *state, const struct buffer *json)
{
    char path[PATH_MAX];
    struct buffer kept = {0}, file = {0};
    print_head(&file, json->bytes, json->length);
    buffer_append(&file, json->bytes, json->length);
    int err = file_make_folders(state);
    if (!err)
        err = file_join(path, sizeof(path), state, "config.good");
    bool is_same = !err && file_read(&kept, path, CONFIGURATION_MAX + HEAD_LENGTH) == 0 &&
                   kept.length == file.length &&
                   memcmp(kept.bytes, file.bytes, file.length) == 0;
    if (!err && !is_same)
        err = file_put_durably(path, file.bytes, file.length, 0600);
    buffer_free(&kept);
    buffer_free(&file);
    return err;
}

int lastgood_get(struct buffer *json, const char *state)
{
    char path[PATH_MAX];
    struct buffer file = {0}, head = {0};
    int err = file_join(path, sizeof(path), state, "config.good");
    if (!err)
        err = file_read(&file, path, CONFIGURATION_MAX + HEAD_LENGTH);
    if (!err && file.length <= HEAD_LENGTH)
        err = -EBADMSG;
    if (!err) {
        print_head(&head, file.bytes + HEAD_LENGTH, file.length - HEAD_LENGTH);
        if (memcmp(head.bytes, file.bytes, HEAD_LENGTH) != 0)
            err = -EBADMSG;
    }
    if (!err)
        buffer_append(json, file.bytes + HEAD_LENGTH, file.length - HEAD_LENGTH);
    buffer_free(&file);
    buffer_free(&head);
    return err;
}

/* How much of a line is said: up to the value that it quotes. */
static size_t said_of(const char *line, size_t length)
{
    static const char *const QUOTES[] = {", got ", " near "};
    for (size_t i = 0; i < countof(QUOTES); i++) {
        const char *quote = memmem(line, length, QUOTES[i], strlen(QUOTES[i]));
        if (quote != NULL)
            length = (size_t)(quote - line);
    }
    return length < ERROR_MAX ? length : ERROR_MAX;
}

static void print_errors(struct buffer *out, const char *errors)
{
    int count = 0;
    while (*errors != '\0' && count < ERRORS_MAX) {
        size_t length = strcspn(errors, "\n");
        if (length > 0) {
            buffer_append_text(out, count++ > 0 ? "," : "");
            json_put_bytes(out, errors, said_of(errors, length));
        }
        errors += length + (errors[length] == '\n');
    }
}

void lastgood_mark(struct buffer *json, const char *file, const char *errors)
{
    struct buffer marked = {0};
    buffer_append_text(&marked, "{\"refused\":{\"file\":");
    json_put_text(&marked, file);
    buffer_append_text(&marked, ",\"errors\":[");
    print_errors(&marked, errors);
    buffer_append_text(&marked, "]},");
    buffer_append(&marked, json->bytes + 1, json->length - 1); /* behind its brace */
    buffer_free(json);
    *json = marked;
}
