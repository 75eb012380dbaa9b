/* lastgood - see lastgood.h. */
#include "cli/office/lastgood.h"

#include <limits.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/json.h"
#include "proof/keepsake.h"

enum { ERRORS_MAX = 5, ERROR_MAX = 200 };

int lastgood_get(struct buffer *json, const char *state)
{
    char path[PATH_MAX];
    int err = file_join(path, sizeof(path), state, "config.good");
    return err ? err : keepsake_get(json, path, LASTGOOD_MAX);
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
