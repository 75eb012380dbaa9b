/* new - see new.h.
 *
 * Every file of the example is copied. Where its text says "example" as a word of its own the new name
 * stands; lines from ONLY_HERE to UNTIL_HERE are about the example itself and are left out.
 *
 * The plugin is made under another name and renamed when it is whole: what is there is never half of
 * one. */
#include "cli/new.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "cli/office/options.h"
#include "cli/office/place.h"

enum { NAME_MAX_LETTERS = 32, FILE_MOST = 256 * 1024, DEPTH_MOST = 4 };

static const char EXAMPLE[] = "example";
static const char ONLY_HERE[] = "<!-- only here -->";
static const char UNTIL_HERE[] = "<!-- until here -->";

static const char USAGE[] =
    "usage: outpost new NAME [--plugins DIR]\n"
    "\n"
    "Makes DIR/NAME, a plugin that works and its test, for you to change: manifest, "
    "decision,\n"
    "README. Then: outpost test DIR/NAME.\n"
    "\n"
    "  --plugins DIR   where plugins are; default plugins\n"
    "\n"
    "NAME: 1 to 32 small letters, digits, \"_\" and \"-\", beginning with a letter.\n"
    "Exit: 0 made, 1 it cannot be made, 2 wrong usage.\n";

struct wish {
    const char *name;
    const char *plugins;
};

/* ---- One file */

static bool is_word_letter(char letter)
{
    return isalnum((unsigned char)letter) || letter == '_' || letter == '-';
}

static bool is_example_at(const char *text, const char *at)
{
    return strncmp(at, EXAMPLE, sizeof(EXAMPLE) - 1) == 0 &&
           !is_word_letter(at[sizeof(EXAMPLE) - 1]) &&
           (at == text || !is_word_letter(at[-1]));
}

static void rename_line(struct buffer *out, const char *line, size_t length,
                        const char *name)
{
    for (const char *at = line; at < line + length;) {
        bool named = is_example_at(line, at);
        buffer_append(out, named ? name : at, named ? strlen(name) : 1);
        at += named ? sizeof(EXAMPLE) - 1 : 1;
    }
}

static void rename_all(struct buffer *out, const char *text, const char *name)
{
    bool leaves_out = false;
    while (*text != '\0') {
        const char *end = strchr(text, '\n');
        size_t length = end != NULL ? (size_t)(end - text) + 1 : strlen(text);
        bool begins = strncmp(text, ONLY_HERE, sizeof(ONLY_HERE) - 1) == 0;
        bool ends = strncmp(text, UNTIL_HERE, sizeof(UNTIL_HERE) - 1) == 0;
        leaves_out |= begins;
        if (!leaves_out)
            rename_line(out, text, length, name);
        if (ends)
            leaves_out = false;
        text += length;
    }
}

static int copy_file(const char *from, const char *to, const char *name)
{
    struct buffer text = {0}, out = {0};
    int err = file_read(&text, from, FILE_MOST);
    if (!err) {
        rename_all(&out, buffer_text(&text), name);
        err = file_put(to, out.bytes, out.length, 0644);
    }
    buffer_free(&text);
    buffer_free(&out);
    return err;
}

/* ---- All of them */

static int copy_folder(const char *from, const char *to, const char *name, int depth);

static int copy_entry(const char *from, const char *to, const char *entry,
                      const char *name, int depth)
{
    char source[PLACE_MAX], target[PLACE_MAX];
    struct stat what;
    int err = file_join(source, sizeof(source), from, entry);
    if (!err)
        err = file_join(target, sizeof(target), to, entry);
    if (!err && stat(source, &what) != 0)
        err = -errno;
    if (err)
        return err;
    return S_ISDIR(what.st_mode) ? copy_folder(source, target, name, depth + 1)
                                 : copy_file(source, target, name);
}

static int copy_folder(const char *from, const char *to, const char *name, int depth)
{
    const struct dirent *entry;
    int err = 0;
    if (depth > DEPTH_MOST)
        return -ELOOP;
    DIR *open = opendir(from);
    if (open == NULL)
        return -errno;
    if (mkdir(to, 0755) != 0)
        err = -errno;
    while (!err && (entry = readdir(open)) != NULL)
        if (entry->d_name[0] != '.')
            err = copy_entry(from, to, entry->d_name, name, depth);
    closedir(open);
    return err;
}

static void remove_folder(const char *folder)
{
    char path[PLACE_MAX];
    const struct dirent *entry;
    DIR *open = opendir(folder);
    while (open != NULL && (entry = readdir(open)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            file_join(path, sizeof(path), folder, entry->d_name) != 0)
            continue;
        if (unlink(path) != 0)
            remove_folder(path);
    }
    if (open != NULL)
        closedir(open);
    rmdir(folder);
}

/* ---- The wish */

static bool is_name(const char *name)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t length = strlen(name);
    return length >= 1 && length <= NAME_MAX_LETTERS && islower((unsigned char)name[0]) &&
           strspn(name, LETTERS) == length;
}

/* The appliance speaks under these names itself (lua/manifest.lua). */
static bool is_taken(const char *name)
{
    return strcmp(name, "keeper") == 0 || strcmp(name, "uplink") == 0 ||
           strcmp(name, "courier") == 0;
}

static int read_wish(struct wish *wish, int argc, char **argv)
{
    *wish = (struct wish){.plugins = "plugins"};
    const struct option_place places[] = {{"plugins", .text = &wish->plugins}};
    int stop = options_read(places, countof(places), USAGE, argc, argv);
    if (stop)
        return stop;
    if (optind + 1 != argc) {
        fprintf(stderr, "outpost new: expected one name\n%s", USAGE);
        return 3;
    }
    wish->name = argv[optind];
    if (is_name(wish->name) && !is_taken(wish->name))
        return 0;
    fprintf(
        stderr,
        is_taken(wish->name)
            ? "outpost new: expected another name: \"%s\" is the appliance's own\n"
            : "outpost new: expected a name of 1 to 32 small letters, digits, \"_\" and "
              "\"-\", beginning with a letter, got \"%s\"\n",
        wish->name);
    return 3;
}

/* Makes the folder under a name that nobody takes for a plugin, then gives it its own. */
static int make(const struct wish *wish, const char *folder)
{
    char example[PLACE_MAX], unfinished[PLACE_MAX];
    int err = place_beside(example, "../share/outpost/plugins/example");
    int length = snprintf(unfinished, sizeof(unfinished), "%s/.new-%s-%d", wish->plugins,
                          wish->name, (int)getpid());
    if (length < 0 || (size_t)length >= sizeof(unfinished))
        err = -ENAMETOOLONG;
    if (err)
        return err;
    err = copy_folder(example, unfinished, wish->name, 0);
    if (!err && rename(unfinished, folder) != 0)
        err = -errno;
    if (err)
        remove_folder(unfinished);
    return err;
}

static int no_folder(const struct wish *wish)
{
    fprintf(stderr,
            "outpost new: %s: expected the folder of the plugins, there is none here: "
            "make it, "
            "or name another with --plugins\n",
            wish->plugins);
    return 1;
}

int new_run(int argc, char **argv)
{
    struct wish wish;
    char folder[PLACE_MAX];
    int stop = read_wish(&wish, argc, argv);
    if (stop)
        return stop - 1;
    int err = file_join(folder, sizeof(folder), wish.plugins, wish.name);
    if (!err && !file_exists(wish.plugins))
        return no_folder(&wish);
    if (!err && file_exists(folder))
        err = -EEXIST;
    if (!err)
        err = make(&wish, folder);
    if (err == -EEXIST || err == -ENOTEMPTY)
        fprintf(stderr, "outpost new: %s: it is there already\n", folder);
    else if (err)
        fprintf(stderr, "outpost new: %s: cannot be made: %s\n", folder, strerror(-err));
    else
        printf("%s: made from the example. Next: outpost test %s\n", folder, folder);
    return err ? 1 : 0;
}
