/* lineup - see lineup.h. Names are texts, each ended by NUL, two an instance: plugin, library. */
#include "keeper/versions/lineup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "keeper/versions/trial.h"

/* ---- Snapshots */

/* What has its snapshot already: the library is the same for all. */
struct taken {
    const char *folder;
    char name[sizeof(VERSION_SHELF) + SNAPSHOT_NAME_ROOM];
};

struct takes {
    char shelf[PATH_MAX];
    struct taken taken[2 * CONFIG_PLUGINS_MAX];
    size_t count;
};

static int take(struct takes *takes, const char *folder, char *name)
{
    char below[SNAPSHOT_NAME_ROOM];
    size_t shelf = strlen(VERSION_SHELF) + 1;
    int err;
    if (strncmp(folder, VERSION_SHELF "/", shelf) != 0) {
        err = snapshot_take(below, takes->shelf, folder);
    } else { /* of the last good configuration */
        if (strlen(folder + shelf) >= sizeof(below))
            return -ENAMETOOLONG;
        strcpy(below, folder + shelf);
        err = snapshot_check(takes->shelf, below);
    }
    if (!err)
        snprintf(name, sizeof(takes->taken[0].name), VERSION_SHELF "/%s", below);
    return err;
}

/* The snapshot of the folder, below the state folder. */
static int take_once(struct takes *takes, const char *folder, const char **name)
{
    for (size_t i = 0; i < takes->count; i++)
        if (strcmp(takes->taken[i].folder, folder) == 0) {
            *name = takes->taken[i].name;
            return 0;
        }
    struct taken *taken = &takes->taken[takes->count];
    int err = take(takes, folder, taken->name);
    if (err)
        return err;
    taken->folder = folder;
    takes->count++;
    *name = taken->name;
    return 0;
}

static int make_shelf(const char *shelf)
{
    if (file_exists(shelf))
        return 0;
    int err = file_make_folders(shelf);
    return err ? err : file_sync_name(shelf);
}

static struct takes *begin(const struct config *config, const char *state, int *err)
{
    struct takes *takes = mem_new(struct takes);
    *err = file_join(takes->shelf, sizeof(takes->shelf), state, VERSION_SHELF);
    if (!*err && config->plugin_count > 0)
        *err = make_shelf(takes->shelf);
    return takes;
}

static const char *library_of(const struct config *config,
                              const struct config_plugin *plugin)
{
    const char *own = json_text(plugin->json, "lua");
    const char *library = own ? own : json_text(config->json, "lua");
    return library ? library : "";
}

static const char *folder_of(const struct config_plugin *plugin)
{
    const char *folder = json_text(plugin->json, "folder");
    return folder ? folder : "";
}

/* The folders whose snapshots are wanted, two an instance. */
static const char *source(const struct config *config, size_t i)
{
    const struct config_plugin *plugin = &config->plugins[i / 2];
    return i % 2 ? library_of(config, plugin) : folder_of(plugin);
}

int lineup_snapshot(const struct config *config, const char *state, struct buffer *names)
{
    int err;
    struct takes *takes = begin(config, state, &err);
    for (size_t i = 0; i < 2 * config->plugin_count && !err; i++) {
        const char *name = NULL, *folder = source(config, i);
        err = take_once(takes, folder, &name);
        if (err) {
            buffer_clear(names);
            buffer_printf(names, "%.400s", folder);
        } else {
            buffer_append(names, name, strlen(name) + 1);
        }
    }
    mem_free(takes);
    return err;
}

void lineup_snapshot_start(const struct config *config, const char *state,
                           struct buffer *names)
{
    int err;
    struct takes *takes = begin(config, state, &err);
    for (size_t i = 0; i < 2 * config->plugin_count; i++) {
        const char *folder = source(config, i), *name = folder;
        int failed = err ? err : take_once(takes, folder, &name);
        if (failed) {
            log_warn("%s: cannot be kept (%s); it is used where it is", folder,
                     strerror(-failed));
            name = folder;
        }
        buffer_append(names, name, strlen(name) + 1);
    }
    mem_free(takes);
}

/* ---- Versions */

static const char *next_name(const struct buffer *names, size_t *at)
{
    const char *name = names->bytes + *at;
    if (*at >= names->length || memchr(name, '\0', names->length - *at) == NULL)
        return NULL;
    *at += strlen(name) + 1;
    return name;
}

int lineup_open(struct lineup *lineup, const struct config *config, const char *state,
                const struct buffer *names)
{
    size_t at = 0;
    int err = 0;
    *lineup = (struct lineup){.is_last_good =
                                  json_is_object(json_get(config->json, "refused"))};
    for (size_t i = 0; i < config->plugin_count && !err; i++) {
        const char *folder = next_name(names, &at), *library = next_name(names, &at);
        err = folder == NULL || library == NULL
                  ? -EPROTO
                  : version_open(&lineup->versions[i], &config->plugins[i],
                                 config->office, folder, library, state);
        lineup->count += !err;
    }
    if (err)
        lineup_close(lineup);
    return err;
}

void lineup_close(struct lineup *lineup)
{
    for (size_t i = 0; i < lineup->count; i++)
        version_drop(lineup->versions[i]);
    lineup->count = 0;
}

/* ---- A start */

bool lineup_can_run(const struct accepted *accepted, const struct version *version)
{
    static const char *const MEMBERS[] = {"folder", "lua"};
    for (size_t i = 0; i < countof(MEMBERS); i++) {
        const char *path = json_text(version->start, MEMBERS[i]);
        size_t state = strlen(accepted->state);
        char shelf[PATH_MAX];
        if (path == NULL || strncmp(path, accepted->state, state) != 0 ||
            file_join(shelf, sizeof(shelf), accepted->state, VERSION_SHELF) != 0 ||
            strlen(path) <= strlen(shelf) ||
            snapshot_check(shelf, path + strlen(shelf) + 1) != 0)
            return false;
    }
    return true;
}

static struct version *choose(const struct accepted *accepted,
                              const struct version *installed)
{
    struct version *old = accepted_find(accepted, installed->plugin.instance);
    const struct mark *mark = accepted_mark_of(accepted, installed->plugin.instance);
    if (!trial_prefers_accepted(installed->id, old ? old->id : NULL,
                                mark ? mark->version : NULL))
        return NULL;
    if (lineup_can_run(accepted, old))
        return old;
    log_error("%s: the accepted version is damaged; the installed one runs",
              installed->plugin.instance);
    return NULL;
}

static bool is_lined_up(const struct lineup *lineup, const char *instance)
{
    for (size_t i = 0; i < lineup->count; i++)
        if (strcmp(lineup->versions[i]->plugin.instance, instance) == 0)
            return true;
    return false;
}

static void forget_others(const struct lineup *lineup, struct accepted *accepted)
{
    char instance[WORD_ID_MAX + 1];
    for (size_t i = accepted->count; i-- > 0;) {
        strcpy(instance, accepted->versions[i]->plugin.instance);
        if (!is_lined_up(lineup, instance))
            accepted_remove(accepted, instance);
    }
    for (size_t i = accepted->mark_count; i-- > 0;) {
        strcpy(instance, accepted->marks[i].instance);
        if (!is_lined_up(lineup, instance))
            accepted_remove(accepted, instance);
    }
}

static bool is_accepted(const struct accepted *accepted, const struct version *version)
{
    return version_is(accepted_find(accepted, version->plugin.instance), version);
}

void lineup_prefer(struct lineup *lineup, struct accepted *accepted,
                   void (*kept)(void *owner, const struct version *installed,
                                const struct version *instead, bool was_on_trial),
                   void *owner)
{
    forget_others(lineup, accepted);
    for (size_t i = 0; i < lineup->count; i++) {
        struct version *installed = lineup->versions[i];
        struct version *old = choose(accepted, installed);
        if (old == NULL) {
            if (!lineup->is_last_good || !is_accepted(accepted, installed))
                accepted_put(accepted, installed);
            continue;
        }
        kept(owner, installed, old,
             accepted_mark_of(accepted, installed->plugin.instance)->on_trial);
        accepted_mark(accepted, installed, false);
        lineup->versions[i] = version_hold(old);
        version_drop(installed);
    }
}

static bool names(const struct version *version, const char *below)
{
    return version != NULL && memmem(version->kept.bytes, version->kept.length, below,
                                     strlen(below)) != NULL;
}

static bool is_needed(void *owner, const char *hash)
{
    const struct accepted *accepted = owner;
    char below[sizeof(VERSION_SHELF) + SNAPSHOT_HASH_ROOM + 2];
    if (strlen(hash) != SNAPSHOT_HASH_ROOM - 1)
        return false;
    snprintf(below, sizeof(below), VERSION_SHELF "/%s/", hash);
    for (size_t i = 0; i < accepted->count; i++) {
        const struct version *version = accepted->versions[i];
        if (names(version, below) ||
            names(accepted_former(accepted, version->plugin.instance), below))
            return true;
    }
    return false;
}

void lineup_prune(const struct accepted *accepted)
{
    char shelf[PATH_MAX];
    if (file_join(shelf, sizeof(shelf), accepted->state, VERSION_SHELF) == 0)
        snapshot_prune(shelf, is_needed, (void *)(uintptr_t)accepted);
}
