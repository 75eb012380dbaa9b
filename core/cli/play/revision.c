/* revision - see revision.h. */
#include "cli/play/revision.h"

#include <string.h>

#include "base/base.h"
#include "cli/play/canonical.h"
#include "cli/play/code.h"

const char *revision_name(enum revision_state state)
{
    static const char *const NAMES[REVISION_STATES] = {"unchanged", "changed", "new",
                                                       "removed"};
    return NAMES[state];
}

/* ---- Whether it is another one */

static bool is_equal(const struct json *a, const struct json *b)
{
    struct buffer texts[2] = {{0}, {0}};
    canonical_print(&texts[0], a);
    canonical_print(&texts[1], b);
    bool equal = strcmp(buffer_text(&texts[0]), buffer_text(&texts[1])) == 0;
    buffer_free(&texts[0]);
    buffer_free(&texts[1]);
    return equal;
}

/* What cannot be read is another one. */
static bool has_other(const struct json *was, const struct json *is, const char *folder)
{
    struct digest hashes[2];
    const char *old = json_text(was, folder), *new = json_text(is, folder);
    if (old == NULL || new == NULL || code_hash(&hashes[0], old) != 0 ||
        code_hash(&hashes[1], new) != 0)
        return true;
    return !digest_equal(&hashes[0], &hashes[1]);
}

void revision_make(struct revision *revision, const struct json *was,
                   const struct json *is)
{
    *revision = (struct revision){.was = was, .is = is};
    if (was == NULL || is == NULL) {
        revision->state = was == NULL ? REVISION_NEW : REVISION_REMOVED;
        return;
    }
    revision->has_other_code = has_other(was, is, "folder");
    revision->has_other_library = has_other(was, is, "lua");
    bool same = !revision->has_other_code && !revision->has_other_library &&
                is_equal(json_get(was, "config"), json_get(is, "config"));
    revision->state = same ? REVISION_SAME : REVISION_CHANGED;
}

/* ---- Settings */

static bool may_be_secret(const char *name, const char *line)
{
    static const char *const WORDS[] = {"password", "secret", "token", "key"};
    for (size_t i = 0; i < countof(WORDS); i++)
        if (strstr(name, WORDS[i]) != NULL)
            return true;
    const char *url = strstr(line, "://");
    return strstr(line, "password") != NULL || (url != NULL && strchr(url, '@') != NULL);
}

/* A value, or none, as the only member of an object. */
static void wrap(struct buffer *out, const char *name, const struct json *value)
{
    buffer_append_text(out, "{");
    if (value != NULL) {
        json_put_text(out, name);
        buffer_append_text(out, ":");
        canonical_print(out, value);
    }
    buffer_append_text(out, "}");
}

static void print_setting(const char *name, const struct json *is, const struct json *was,
                          struct buffer *out)
{
    struct buffer texts[2] = {{0}, {0}}, line = {0};
    if (is != NULL && was != NULL && is_equal(is, was))
        return;
    wrap(&texts[0], name, is);
    wrap(&texts[1], name, was);
    canonical_compare(&line, buffer_text(&texts[0]), buffer_text(&texts[1]));
    if (may_be_secret(name, buffer_text(&line)))
        buffer_printf(out, "  %s: another one\n", name);
    else
        buffer_printf(out, "  %s\n", buffer_text(&line));
    buffer_free(&texts[0]);
    buffer_free(&texts[1]);
    buffer_free(&line);
}

void revision_print_settings(const struct revision *revision, struct buffer *out)
{
    const struct json *is = json_get(revision->is, "config");
    const struct json *was = json_get(revision->was, "config");
    if (is == NULL || was == NULL)
        return;
    for (const struct json *item = json_first(is); item; item = json_next(item))
        print_setting(json_name(item), item, json_get(was, json_name(item)), out);
    for (const struct json *item = json_first(was); item; item = json_next(item))
        if (json_get(is, json_name(item)) == NULL)
            print_setting(json_name(item), NULL, item, out);
}

/* ---- Devices */

static bool names(const struct json *json, const char *url)
{
    const char *text = json_value(json);
    if (text != NULL && strcmp(text, url) == 0)
        return true;
    for (const struct json *item = json_first(json); item; item = json_next(item))
        if (names(item, url))
            return true;
    return false;
}

/* The URL without what may be a password in it. */
static void print_url(struct buffer *out, const char *url)
{
    const char *host = strstr(url, "://") + 3;
    size_t user = strcspn(host, "/@");
    buffer_append_text(out, "  no longer read: ");
    buffer_append(out, url, (size_t)(host - url));
    buffer_append_text(out, host[user] == '@' ? host + user + 1 : host);
    buffer_append_text(out, "\n");
}

static int look_for_devices(const struct json *json, const struct json *config,
                            struct buffer *out)
{
    const char *text = json_value(json);
    int count = 0;
    if (text != NULL && strstr(text, "://") != NULL && !names(config, text)) {
        print_url(out, text);
        return 1;
    }
    for (const struct json *item = json_first(json); item; item = json_next(item))
        count += look_for_devices(item, config, out);
    return count;
}

int revision_print_devices(const struct revision *revision, const struct json *config,
                           struct buffer *out)
{
    return look_for_devices(json_get(revision->was, "config"),
                            json_get(config, "plugins"), out);
}
