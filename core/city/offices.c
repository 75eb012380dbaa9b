/* offices - see offices.h.
 *
 * Invariant: `keys` are those of the file, or a cache of those pinned in the database. */
#include "city/offices.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/word.h"

enum { FILE_MAX = 16 * 1024 * 1024, CACHE_MAX = 4096 };

struct offices {
    struct store *store;
    bool strict;
    size_t count;
    struct key **keys;
};

static void name_of(char name[WORD_ID_MAX + 9], const char *office)
{
    snprintf(name, WORD_ID_MAX + 9, "outpost/%s", office);
}

static const struct key *find(const struct offices *offices, const char *office)
{
    char name[WORD_ID_MAX + 9];
    name_of(name, office);
    for (size_t i = 0; i < offices->count; i++)
        if (strcmp(key_name(offices->keys[i]), name) == 0)
            return offices->keys[i];
    return NULL;
}

static const struct key *add(struct offices *offices, struct key *key)
{
    offices->keys =
        mem_resize(offices->keys, (offices->count + 1) * sizeof(offices->keys[0]));
    offices->keys[offices->count++] = key;
    return key;
}

/* Reads a key line that must be named after an office. */
static int read_key(struct key **key, const char *line)
{
    int err = key_read_verifier(key, line);
    if (err)
        return err;
    const char *name = key_name(*key);
    if (strncmp(name, "outpost/", 8) == 0 && word_is_id(name + 8))
        return 0;
    key_free(*key);
    return -EPROTO;
}

static int read_line(struct offices *offices, const char *line)
{
    struct key *key;
    line += strspn(line, " \t\r");
    if (*line == '\0' || *line == '#')
        return 0;
    if (offices->count == OFFICES_MAX)
        return -E2BIG;
    int err = read_key(&key, line);
    if (err)
        return err;
    if (find(offices, key_name(key) + 8) != NULL) {
        key_free(key);
        return -EEXIST;
    }
    add(offices, key);
    return 0;
}

static int read_file(struct offices *offices, const char *path, char *why)
{
    struct buffer text = {0};
    int err = file_read(&text, path, FILE_MAX);
    if (err)
        snprintf(why, OFFICES_WHY_ROOM, "%.120s: %s", path, strerror(-err));
    char *rest = err ? NULL : (char *)buffer_text(&text);
    for (int number = 1; rest != NULL && !err; number++) {
        char *line = strsep(&rest, "\n");
        err = read_line(offices, line);
        if (err)
            snprintf(why, OFFICES_WHY_ROOM, "%.120s:%d: expected %s", path, number,
                     err == -EEXIST ? "each office once"
                                    : "a key line outpost/<office>+...");
    }
    buffer_free(&text);
    return err;
}

int offices_open(struct offices **out, struct store *store, const char *path,
                 char why[OFFICES_WHY_ROOM])
{
    struct offices *offices = mem_new(struct offices);
    offices->store = store;
    offices->strict = path != NULL;
    int err = path == NULL ? 0 : read_file(offices, path, why);
    if (err) {
        offices_close(offices);
        return err;
    }
    *out = offices;
    return 0;
}

static void drop_keys(struct offices *offices)
{
    for (size_t i = 0; i < offices->count; i++)
        key_free(offices->keys[i]);
    mem_free(offices->keys);
    offices->keys = NULL;
    offices->count = 0;
}

void offices_close(struct offices *offices)
{
    if (offices == NULL)
        return;
    drop_keys(offices);
    mem_free(offices);
}

void offices_forget(struct offices *offices)
{
    if (!offices->strict)
        drop_keys(offices);
}

static const struct key *find_pinned(struct offices *offices, const char *office)
{
    struct store_office pinned;
    struct key *key = NULL;
    if (store_get_office(offices->store, office, &pinned) == 0 &&
        pinned.verifier.length > 0)
        if (read_key(&key, buffer_text(&pinned.verifier)) != 0)
            key = NULL;
    store_office_free(&pinned);
    if (key == NULL)
        return NULL;
    if (offices->count == CACHE_MAX)
        drop_keys(offices);
    return add(offices, key);
}

const struct key *offices_key(struct offices *offices, const char *office)
{
    const struct key *key = find(offices, office);
    return key != NULL || offices->strict ? key : find_pinned(offices, office);
}

static bool same_key(const struct key *a, const struct key *b)
{
    struct buffer one = {0}, other = {0};
    key_print_verifier(a, &one);
    key_print_verifier(b, &other);
    bool same =
        one.length == other.length && memcmp(one.bytes, other.bytes, one.length) == 0;
    buffer_free(&one);
    buffer_free(&other);
    return same;
}

int offices_show(struct offices *offices, const char *office, const char *verifier,
                 const char *now, enum offices_answer *answer)
{
    struct key *shown;
    const struct key *known = offices_key(offices, office);
    *answer = OFFICES_IGNORED;
    if (read_key(&shown, verifier) != 0)
        return 0;
    int err = 0;
    if (strcmp(key_name(shown) + 8, office) != 0)
        *answer = OFFICES_IGNORED;
    else if (known != NULL)
        *answer = same_key(known, shown) ? OFFICES_KNOWN : OFFICES_CHANGED;
    else if (!offices->strict) {
        *answer = OFFICES_PINNED;
        err = store_pin_office(offices->store, office, verifier, now);
    }
    key_free(shown);
    return err;
}
