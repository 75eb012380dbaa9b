/* accepted - see accepted.h.
 *
 * Invariant: an instance has at most one version, one mark and one former version, which is another. */
#include "keeper/versions/accepted.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/log.h"
#include "base/now.h"
#include "proof/keepsake.h"

/* The marks and the former versions come to what a configuration may have. */
enum { FILE_MAX = ACCEPTED_FILE_MAX };

static int place_of(char path[PATH_MAX], const struct accepted *accepted)
{
    return file_join(path, PATH_MAX, accepted->state, "config.good");
}

/* ---- Reading */

/* NULL when it makes no sense. */
static struct version *read_version(const struct accepted *accepted,
                                    const struct json *item, const char *office,
                                    const char *library)
{
    struct config_plugin plugin;
    struct version *version = NULL;
    const char *folder = json_text(item, "folder"), *own = json_text(item, "lua");
    if (folder == NULL || (own == NULL && library == NULL))
        return NULL;
    int err = config_read_plugin(&plugin, item);
    if (!err && version_open(&version, &plugin, office, folder, own ? own : library,
                             accepted->state) != 0)
        version = NULL;
    config_free_plugin(&plugin);
    return version;
}

static void read_former(struct accepted *accepted, const struct json *item,
                        const char *office, const char *library)
{
    struct version *version = NULL;
    if (accepted->former_count < CONFIG_PLUGINS_MAX)
        version = read_version(accepted, json_get(item, "version"), office, library);
    if (version != NULL)
        accepted->formers[accepted->former_count++] =
            (struct former){version, json_number(item, "until", 0)};
}

static void read_mark(struct accepted *accepted, const struct json *item)
{
    const char *instance = json_name(item), *version = json_text(item, "version");
    if (instance == NULL || !word_is_id(instance) || version == NULL ||
        strlen(version) >= SNAPSHOT_HASH_ROOM ||
        accepted->mark_count == CONFIG_PLUGINS_MAX)
        return;
    struct mark *mark = &accepted->marks[accepted->mark_count++];
    mark->on_trial = json_true(item, "on_trial");
    strcpy(mark->instance, instance);
    strcpy(mark->version, version);
}

static void read_all(struct accepted *accepted, const struct json *json,
                     const char *office)
{
    const struct json *plugins = json_get(json, "plugins");
    const char *library = json_text(json, "lua");
    const struct json *formers = json_get(json, "formers");
    for (const struct json *item = json_first(plugins); item; item = json_next(item)) {
        struct version *version = NULL;
        if (accepted->count < CONFIG_PLUGINS_MAX)
            version = read_version(accepted, item, office, library);
        if (version != NULL)
            accepted->versions[accepted->count++] = version;
    }
    for (const struct json *item = json_first(formers); item; item = json_next(item))
        read_former(accepted, item, office, library);
    const struct json *marks = json_get(json, "marks");
    for (const struct json *item = json_first(marks); item; item = json_next(item))
        read_mark(accepted, item);
}

void accepted_open(struct accepted *accepted, const char *state, const char *office)
{
    char path[PATH_MAX];
    struct buffer text = {0};
    struct json *json = NULL;
    *accepted = (struct accepted){.state = state};
    int err = place_of(path, accepted);
    if (!err)
        err = keepsake_get(&text, path, FILE_MAX);
    if (!err)
        err = json_parse(&json, text.bytes, text.length);
    if (!err)
        read_all(accepted, json, office);
    else if (err != -ENOENT)
        log_warn("config.good: cannot be read (%s); what is installed is taken",
                 strerror(-err));
    json_free(json);
    buffer_free(&text);
}

void accepted_close(struct accepted *accepted)
{
    for (size_t i = 0; i < accepted->count; i++)
        version_drop(accepted->versions[i]);
    for (size_t i = 0; i < accepted->former_count; i++)
        version_drop(accepted->formers[i].version);
    accepted->count = accepted->former_count = 0;
    accepted->mark_count = 0;
}

/* ---- In memory */

static size_t index_of(const struct accepted *accepted, const char *instance)
{
    size_t i = 0;
    while (i < accepted->count &&
           strcmp(accepted->versions[i]->plugin.instance, instance) != 0)
        i++;
    return i;
}

struct version *accepted_find(const struct accepted *accepted, const char *instance)
{
    size_t i = index_of(accepted, instance);
    return i < accepted->count ? accepted->versions[i] : NULL;
}

static size_t mark_index(const struct accepted *accepted, const char *instance)
{
    size_t i = 0;
    while (i < accepted->mark_count && strcmp(accepted->marks[i].instance, instance) != 0)
        i++;
    return i;
}

const struct mark *accepted_mark_of(const struct accepted *accepted, const char *instance)
{
    size_t i = mark_index(accepted, instance);
    return i < accepted->mark_count ? &accepted->marks[i] : NULL;
}

static void unmark(struct accepted *accepted, const char *instance)
{
    size_t i = mark_index(accepted, instance);
    if (i < accepted->mark_count)
        accepted->marks[i] = accepted->marks[--accepted->mark_count];
}

static size_t former_index(const struct accepted *accepted, const char *instance)
{
    size_t i = 0;
    while (i < accepted->former_count &&
           strcmp(accepted->formers[i].version->plugin.instance, instance) != 0)
        i++;
    return i;
}

struct version *accepted_former(const struct accepted *accepted, const char *instance)
{
    size_t i = former_index(accepted, instance);
    bool counts =
        i < accepted->former_count && now_utc_us() < accepted->formers[i].until_us;
    return counts ? accepted->formers[i].version : NULL;
}

static void forget_former(struct accepted *accepted, const char *instance)
{
    size_t i = former_index(accepted, instance);
    if (i == accepted->former_count)
        return;
    version_drop(accepted->formers[i].version);
    accepted->formers[i] = accepted->formers[--accepted->former_count];
}

/* The hold on the version is handed over. */
static void keep_former(struct accepted *accepted, struct version *version)
{
    forget_former(accepted, version->plugin.instance);
    ASSERT(accepted->former_count < CONFIG_PLUGINS_MAX);
    accepted->formers[accepted->former_count++] =
        (struct former){version, now_utc_us() + ACCEPTED_FORMER_S * 1000000LL};
}

void accepted_go_back(struct accepted *accepted, const char *instance)
{
    size_t i = index_of(accepted, instance);
    struct version *former = version_hold(accepted_former(accepted, instance));
    ASSERT(i < accepted->count && former != NULL);
    accepted_mark(accepted, accepted->versions[i], false);
    version_drop(accepted->versions[i]);
    accepted->versions[i] = former;
    forget_former(accepted, instance);
}

int accepted_put(struct accepted *accepted, struct version *version)
{
    size_t i = index_of(accepted, version->plugin.instance);
    if (i == CONFIG_PLUGINS_MAX)
        return -ENOBUFS;
    version_hold(version);
    if (i == accepted->count)
        accepted->count++;
    else if (version_is(accepted->versions[i], version))
        version_drop(accepted->versions[i]);
    else
        keep_former(accepted, accepted->versions[i]);
    accepted->versions[i] = version;
    unmark(accepted, version->plugin.instance);
    return 0;
}

void accepted_remove(struct accepted *accepted, const char *instance)
{
    size_t i = index_of(accepted, instance);
    unmark(accepted, instance);
    forget_former(accepted, instance);
    if (i == accepted->count)
        return;
    version_drop(accepted->versions[i]);
    accepted->versions[i] = accepted->versions[--accepted->count];
}

int accepted_mark(struct accepted *accepted, const struct version *version, bool on_trial)
{
    size_t i = mark_index(accepted, version->plugin.instance);
    if (i == CONFIG_PLUGINS_MAX)
        return -ENOBUFS;
    struct mark *mark = &accepted->marks[i];
    if (i == accepted->mark_count)
        accepted->mark_count++;
    *mark = (struct mark){.on_trial = on_trial};
    strcpy(mark->instance, version->plugin.instance);
    strcpy(mark->version, version->id);
    return 0;
}

/* ---- Writing */

/* What this file says itself, or is of one start only. */
static bool is_own(const char *name)
{
    return strcmp(name, "plugins") == 0 || strcmp(name, "marks") == 0 ||
           strcmp(name, "formers") == 0 || strcmp(name, "refused") == 0;
}

static void print_versions(struct buffer *out, const struct accepted *accepted)
{
    buffer_append_text(out, "\"plugins\":[");
    for (size_t i = 0; i < accepted->count; i++) {
        const struct buffer *kept = &accepted->versions[i]->kept;
        buffer_append_text(out, i > 0 ? "," : "");
        buffer_append(out, kept->bytes, kept->length);
    }
    buffer_append_text(out, "]");
}

static void print_formers(struct buffer *out, const struct accepted *accepted)
{
    const char *between = "";
    int64_t now_us = now_utc_us();
    buffer_append_text(out, ",\"formers\":[");
    for (size_t i = 0; i < accepted->former_count; i++) {
        const struct former *former = &accepted->formers[i];
        if (former->until_us <= now_us)
            continue;
        buffer_printf(out, "%s{\"until\":%" PRId64 ",\"version\":", between,
                      former->until_us);
        buffer_append(out, former->version->kept.bytes, former->version->kept.length);
        buffer_append_text(out, "}");
        between = ",";
    }
    buffer_append_text(out, "]");
}

static void print_marks(struct buffer *out, const struct accepted *accepted)
{
    buffer_append_text(out, ",\"marks\":{");
    for (size_t i = 0; i < accepted->mark_count; i++) {
        const struct mark *mark = &accepted->marks[i];
        buffer_printf(out, "%s\"%s\":{\"on_trial\":%s,\"version\":", i ? "," : "",
                      mark->instance, mark->on_trial ? "true" : "false");
        json_put_text(out, mark->version);
        buffer_append_text(out, "}");
    }
    buffer_append_text(out, "}");
}

static void print_all(struct buffer *out, const struct accepted *accepted,
                      const struct config *config)
{
    buffer_append_text(out, "{");
    for (const struct json *item = json_first(config->json); item;
         item = json_next(item)) {
        if (is_own(json_name(item)))
            continue;
        json_put_text(out, json_name(item));
        buffer_append_text(out, ":");
        json_print_sorted(out, item);
        buffer_append_text(out, ",");
    }
    print_versions(out, accepted);
    print_formers(out, accepted);
    print_marks(out, accepted);
    buffer_append_text(out, "}");
}

int accepted_save(const struct accepted *accepted, const struct config *config)
{
    char path[PATH_MAX];
    struct buffer text = {0};
    int err = place_of(path, accepted);
    print_all(&text, accepted, config);
    if (!err)
        err = keepsake_put(path, &text);
    buffer_free(&text);
    return err;
}
