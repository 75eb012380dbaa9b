/* statement - see statement.h. */
#include "cli/journal/statement.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "proof/base64.h"
#include "proof/path.h"

static const char FORMAT[] = "outpost-proof/1";

static void print_path(const struct statement *statement, struct buffer *out)
{
    for (size_t at = 0; at < statement->path.length; at += DIGEST_BYTES) {
        buffer_append_text(out, at > 0 ? ",\"" : "\"");
        base64_encode(out, statement->path.bytes + at, DIGEST_BYTES);
        buffer_append_text(out, "\"");
    }
}

void statement_print(const struct statement *statement, struct buffer *out)
{
    buffer_printf(out, "{\"format\":\"%s\",\"suite\":\"%s\",\n \"event\":", FORMAT,
                  suite_name(statement->checkpoint.suite));
    json_put_bytes(out, statement->event.bytes, statement->event.length);
    buffer_printf(out, ",\n \"index\":%" PRIu64 ",\"size\":%" PRIu64 ",\n \"path\":[",
                  statement->index, statement->checkpoint.size);
    print_path(statement, out);
    buffer_append_text(out, "],\n \"checkpoint\":");
    json_put_bytes(out, statement->note.bytes, statement->note.length);
    buffer_append_text(out, "}\n");
}

static int put_text(struct buffer *out, const struct json *json, const char *name,
                    struct finding *finding)
{
    const char *text = json_text(json, name);
    if (text == NULL) {
        finding_put(finding, name, "missing, expected a text");
        return -EPROTO;
    }
    buffer_append_text(out, text);
    return 0;
}

static int read_path(struct statement *statement, const struct json *path,
                     struct finding *finding)
{
    if (!json_is_array(path)) {
        finding_put(finding, "path", "missing, expected a list of hashes");
        return -EPROTO;
    }
    for (const struct json *item = json_first(path); item != NULL;
         item = json_next(item)) {
        const char *text = json_value(item);
        size_t before = statement->path.length;
        int err =
            text == NULL ? -EPROTO : base64_decode(&statement->path, text, strlen(text));
        if (err || statement->path.length != before + DIGEST_BYTES ||
            statement->path.length > TREE_LEVELS * DIGEST_BYTES) {
            finding_put(finding, "path", "expected at most %d hashes in base64",
                        TREE_LEVELS);
            return -EPROTO;
        }
    }
    return 0;
}

static int read_numbers(struct statement *statement, const struct json *json,
                        struct finding *finding)
{
    int64_t index = json_number(json, "index", -1);
    int64_t size = json_number(json, "size", -1);
    const char *suite = json_text(json, "suite");
    if (index < 0 || index >= size) {
        finding_put(finding, "index", "expected a number below the size");
        return -EPROTO;
    }
    statement->index = (uint64_t)index;
    if ((uint64_t)size != statement->checkpoint.size) {
        finding_put(finding, "size", "%" PRId64 ", but the checkpoint says %" PRIu64,
                    size, statement->checkpoint.size);
        return -EPROTO;
    }
    if (suite == NULL || suite_named(suite) != statement->checkpoint.suite) {
        finding_put(finding, "suite", "\"%s\", but the checkpoint says \"%s\"",
                    suite ? suite : "", suite_name(statement->checkpoint.suite));
        return -EPROTO;
    }
    return 0;
}

static int read_members(struct statement *statement, const struct json *json,
                        struct finding *finding)
{
    const char *format = json_text(json, "format");
    if (format == NULL || strcmp(format, FORMAT) != 0) {
        finding_put(finding, "format", "\"%s\", expected \"%s\"", format ? format : "",
                    FORMAT);
        return -EPROTO;
    }
    int err = put_text(&statement->event, json, "event", finding);
    if (!err)
        err = put_text(&statement->note, json, "checkpoint", finding);
    if (!err)
        err = read_path(statement, json_get(json, "path"), finding);
    if (!err && checkpoint_read(&statement->checkpoint, statement->note.bytes,
                                statement->note.length, NULL) != 0) {
        finding_put(finding, "checkpoint", "not a signed checkpoint");
        err = -EPROTO;
    }
    return err ? err : read_numbers(statement, json, finding);
}

int statement_read(struct statement *statement, const void *bytes, size_t length,
                   struct finding *finding)
{
    struct json *json = NULL;
    *statement = (struct statement){.index = 0};
    if (json_parse(&json, bytes, length) != 0) {
        finding_put(finding, "proof", "not JSON");
        return -EPROTO;
    }
    int err = read_members(statement, json, finding);
    json_free(json);
    return err;
}

static int check_event(const struct statement *statement, struct finding *finding)
{
    struct json *event = NULL;
    char sequence[24], origin[CHECKPOINT_ORIGIN_MAX + 1] = "";
    if (json_parse(&event, statement->event.bytes, statement->event.length) != 0)
        return finding_put(finding, "event", "is not JSON");
    snprintf(sequence, sizeof(sequence), "%016" PRIu64, statement->index);
    const char *said = json_text(event, "sequence");
    const char *office = json_text(event, "office");
    const char *log = json_text(event, "log");
    int err = 0;
    if (said == NULL || strcmp(said, sequence) != 0)
        err = finding_put(finding, "event", "sequence is \"%s\", expected \"%s\"",
                          said ? said : "", sequence);
    else if (office == NULL || log == NULL ||
             checkpoint_origin(origin, office, log) != 0 ||
             strcmp(origin, statement->checkpoint.origin) != 0)
        err = finding_put(finding, "event", "is of log \"%s\", the checkpoint of \"%s\"",
                          origin, statement->checkpoint.origin);
    json_free(event);
    return err;
}

int statement_check(const struct statement *statement, const struct key *key,
                    struct finding *finding)
{
    struct checkpoint checkpoint;
    struct digest leaf;
    int err =
        checkpoint_read(&checkpoint, statement->note.bytes, statement->note.length, key);
    if (err)
        return finding_put(finding, "checkpoint",
                           err == -ENOKEY ? "not signed by the key %s"
                                          : "its signature by the key %s is wrong",
                           key_name(key));
    suite_leaf(checkpoint.suite, &leaf, statement->event.bytes, statement->event.length);
    err = path_check_inclusion(checkpoint.suite, &leaf, statement->index, checkpoint.size,
                               (const struct digest *)(const void *)statement->path.bytes,
                               statement->path.length / DIGEST_BYTES, &checkpoint.root);
    if (err)
        return finding_put(finding, "path",
                           "does not lead from this event to the root of the checkpoint");
    return check_event(statement, finding);
}

void statement_free(struct statement *statement)
{
    buffer_free(&statement->event);
    buffer_free(&statement->path);
    buffer_free(&statement->note);
}
