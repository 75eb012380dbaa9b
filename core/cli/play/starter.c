/* starter - see starter.h.
 *
 * The host looks for plugins in one folder. So it gets a folder of links: the installed ones, and the
 * one that is meant. It is gone again before starter_make() returns. */
#include "cli/play/starter.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/office/configuration.h"
#include "cli/office/place.h"

/* ---- START out of a checked configuration */

static void put_member(struct buffer *out, const char *name, const struct json *value)
{
    buffer_append_text(out, ",");
    json_put_text(out, name);
    buffer_append_text(out, ":");
    json_print(out, value);
}

static const char *text_or(const struct json *json, const char *name)
{
    const char *text = json_text(json, name);
    return text != NULL ? text : "";
}

/* Links are followed to what they mean. */
static void put_folder(struct buffer *out, const char *name, const char *folder,
                       const char *base)
{
    char path[PATH_MAX], whole[PATH_MAX];
    if (folder[0] == '/' || file_join(path, sizeof(path), base, folder) != 0)
        snprintf(path, sizeof(path), "%s", folder);
    buffer_printf(out, ",\"%s\":", name);
    json_put_text(out, realpath(path, whole) != NULL ? whole : path);
}

/* The members as the keeper has them (keeper/versions/version.c). */
void starter_take(struct starter *starter, const struct json *config,
                  const struct json *plugin, const char *base)
{
    const char *own = json_text(plugin, "lua");
    buffer_clear(&starter->start);
    buffer_append_text(&starter->start, "{\"office\":");
    json_put_text(&starter->start, text_or(json_get(config, "office"), "id"));
    put_folder(&starter->start, "lua", own ? own : text_or(config, "lua"), base);
    put_folder(&starter->start, "folder", text_or(plugin, "folder"), base);
    for (const struct json *item = json_first(plugin); item != NULL;
         item = json_next(item))
        if (strcmp(json_name(item), "folder") != 0 && strcmp(json_name(item), "lua") != 0)
            put_member(&starter->start, json_name(item), item);
    buffer_append_text(&starter->start, "}");
    snprintf(starter->source, sizeof(starter->source), "/%s/%s",
             text_or(plugin, "plugin"), text_or(plugin, "instance"));
}

void starter_free(struct starter *starter)
{
    buffer_free(&starter->start);
}

/* ---- The folder of links */

struct links {
    char folder[64]; /* empty: none has been made */
};

static int link_one(const struct links *links, const char *folder, const char *name)
{
    char path[PATH_MAX];
    int err = file_join(path, sizeof(path), links->folder, name);
    return err ? err : symlink(folder, path) == 0 || errno == EEXIST ? 0 : -errno;
}

static void link_installed(const struct links *links)
{
    char installed[PLACE_MAX], folder[PATH_MAX];
    const struct dirent *entry;
    DIR *open = place_beside(installed, "../share/outpost/plugins") == 0
                    ? opendir(installed)
                    : NULL;
    while (open != NULL && (entry = readdir(open)) != NULL)
        if (entry->d_name[0] != '.' &&
            file_join(folder, sizeof(folder), installed, entry->d_name) == 0)
            link_one(links, folder, entry->d_name);
    if (open != NULL)
        closedir(open);
}

static void unlink_all(struct links *links)
{
    char path[PATH_MAX];
    const struct dirent *entry;
    DIR *open = links->folder[0] != '\0' ? opendir(links->folder) : NULL;
    while (open != NULL && (entry = readdir(open)) != NULL)
        if (file_join(path, sizeof(path), links->folder, entry->d_name) == 0)
            unlink(path); /* "." and ".." are folders, and stay */
    if (open != NULL) {
        closedir(open);
        rmdir(links->folder);
    }
}

static int make_links(struct links *links, const char *folder, const char *name)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(links->folder, sizeof(links->folder), "%.40s/outpost-replay-XXXXXX",
             temporary != NULL && strlen(temporary) <= 40 ? temporary : "/tmp");
    if (mkdtemp(links->folder) == NULL) {
        links->folder[0] = '\0';
        return -errno;
    }
    int err = link_one(links, folder, name);
    if (!err)
        link_installed(links);
    return err;
}

/* ---- Reading the configuration */

struct making {
    const struct starter_wish *wish;
    struct buffer *errors;
    char folder[PATH_MAX]; /* of the plugin */
    const char *name;      /* the last part of it */
    struct links links;
};

static int complain(struct making *making, const char *what, const char *got)
{
    buffer_printf(making->errors, "%s: expected %s\n", got, what);
    return -EINVAL;
}

static int find_plugin(struct making *making)
{
    char installed[PLACE_MAX], folder[PLACE_MAX], manifest[PATH_MAX];
    const char *named = making->wish->plugin;
    if (realpath(named, making->folder) == NULL ||
        file_join(manifest, sizeof(manifest), making->folder, "plugin.lua") != 0 ||
        !file_exists(manifest))
        if (strchr(named, '/') != NULL ||
            place_beside(installed, "../share/outpost/plugins") != 0 ||
            file_join(folder, sizeof(folder), installed, named) != 0 ||
            realpath(folder, making->folder) == NULL)
            return complain(making, "a plugin's folder, or the name of an installed one",
                            named);
    making->name = strrchr(making->folder, '/') + 1;
    return 0;
}

/* A configuration with nothing but the plugin, in the folder of links. */
static int write_plain(const struct making *making, char path[PATH_MAX])
{
    struct buffer text = {0};
    const struct starter_wish *wish = making->wish;
    buffer_printf(&text, "office { id = \"%s\" }\nplugin \"%s\" \"%s\" {}\n",
                  wish->office, making->name,
                  wish->instance ? wish->instance : making->name);
    int err = file_join(path, PATH_MAX, making->links.folder, ".plain.lua");
    if (!err)
        err = file_put(path, text.bytes, text.length, 0600);
    buffer_free(&text);
    return err;
}

static const struct json *find_instance(struct making *making, const struct json *config)
{
    const char *instance = making->wish->instance;
    const struct json *found = NULL;
    for (const struct json *item = json_first(json_get(config, "plugins")); item != NULL;
         item = json_next(item)) {
        if (strcmp(text_or(item, "plugin"), making->name) != 0 ||
            (instance != NULL && strcmp(text_or(item, "instance"), instance) != 0))
            continue;
        if (found != NULL) {
            complain(making, "the name of an instance, there are several", making->name);
            return NULL;
        }
        found = item;
    }
    if (found == NULL)
        complain(making, "an instance of the plugin in the configuration",
                 instance != NULL ? instance : making->name);
    return found;
}

static int take_from(struct starter *starter, struct making *making, const char *path)
{
    struct buffer text = {0};
    struct json *config = NULL;
    const struct json *plugin = NULL;
    int err = configuration_read_with(&text, making->errors, path, making->links.folder);
    if (!err)
        err = json_parse(&config, text.bytes, text.length);
    if (!err && (plugin = find_instance(making, config)) == NULL)
        err = -EINVAL;
    if (!err)
        starter_take(starter, config, plugin, "/");
    json_free(config);
    buffer_free(&text);
    return err;
}

/* What is wrong with the configuration that was written here is wrong with the plugin's own settings: a file
 * that is gone again is no place to look at. */
static void name_plain(struct buffer *errors, const char *plain)
{
    struct buffer told = {0};
    const char *line = buffer_text(errors), *end;
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        const char *rest = line + strlen(plain);
        bool is_there = strncmp(line, plain, strlen(plain)) == 0 && *rest == ':';
        if (is_there)
            rest += strspn(rest, ":0123456789");
        buffer_printf(&told, "%s%.*s\n", is_there ? "without --config:" : "",
                      (int)(end - (is_there ? rest : line)), is_there ? rest : line);
    }
    buffer_clear(errors);
    buffer_append(errors, told.bytes, told.length);
    buffer_free(&told);
}

int starter_make(struct starter *starter, const struct starter_wish *wish,
                 struct buffer *errors)
{
    char plain[PATH_MAX] = "";
    struct making making = {.wish = wish, .errors = errors};
    int err = find_plugin(&making);
    if (err)
        return err;
    err = make_links(&making.links, making.folder, making.name);
    if (!err && wish->config == NULL)
        err = write_plain(&making, plain);
    if (err)
        complain(&making, strerror(-err), "a temporary folder");
    else
        err = take_from(starter, &making, wish->config ? wish->config : plain);
    if (err && wish->config == NULL)
        name_plain(errors, plain);
    unlink_all(&making.links);
    return err ? -EINVAL : 0;
}
