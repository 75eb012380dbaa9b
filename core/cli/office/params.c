/* params - see params.h. */
#include "cli/office/params.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"

static size_t key_length(const char *word)
{
    return strcspn(word, "=");
}

static bool is_named_before(char *const *words, int at)
{
    size_t length = key_length(words[at]);
    for (int i = 0; i < at; i++)
        if (key_length(words[i]) == length && memcmp(words[i], words[at], length) == 0)
            return true;
    return false;
}

static void put_value(struct buffer *json, const char *value)
{
    struct json *tree = NULL;
    if (json_parse(&tree, value, strlen(value)) == 0)
        buffer_append_text(json, value);
    else
        json_put_text(json, value);
    json_free(tree);
}

int params_read(struct buffer *json, char *const *words, int count, struct buffer *why)
{
    buffer_append_text(json, "{");
    for (int i = 0; i < count; i++) {
        size_t length = key_length(words[i]);
        if (length == 0 || words[i][length] == '\0') {
            buffer_printf(why, "expected KEY=VALUE, got \"%s\"", words[i]);
            return -EINVAL;
        }
        if (is_named_before(words, i)) {
            buffer_printf(why, "expected each key once, got \"%.*s\" again", (int)length,
                          words[i]);
            return -EINVAL;
        }
        buffer_append_text(json, i > 0 ? "," : "");
        json_put_bytes(json, words[i], length);
        buffer_append_text(json, ":");
        put_value(json, words[i] + length + 1);
    }
    buffer_append_text(json, "}");
    return 0;
}
