/* version - see version.h. */
#include "keeper/versions/version.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"

static int make_absolute(char path[PATH_MAX], const char *state, const char *folder)
{
    if (folder[0] != '/')
        return file_join(path, PATH_MAX, state, folder);
    if (strlen(folder) >= PATH_MAX)
        return -ENAMETOOLONG;
    strcpy(path, folder);
    return 0;
}

/* START is read back: it outlives the configuration that the plugin came from. */
static int read_start(struct version *version, const struct buffer *start)
{
    int err = json_parse(&version->start, start->bytes, start->length);
    return err ? err : config_read_plugin(&version->plugin, version->start);
}

static void take_id(struct version *version)
{
    struct digest digest;
    suite_hash(suite_named("sha256+ed25519"), &digest, version->kept.bytes,
               version->kept.length);
    hex_encode(version->id, digest.bytes, DIGEST_BYTES);
}

int version_open(struct version **out, const struct config_plugin *plugin,
                 const char *office, const char *folder, const char *library,
                 const char *state)
{
    char code[PATH_MAX], lua[PATH_MAX];
    struct buffer start = {0};
    int err = make_absolute(code, state, folder);
    if (!err)
        err = make_absolute(lua, state, library);
    if (err)
        return err;
    struct version *version = mem_new(struct version);
    version->holders = 1;
    config_print_plugin(plugin, NULL, folder, library, &version->kept);
    config_print_plugin(plugin, office, code, lua, &start);
    take_id(version);
    err = read_start(version, &start);
    version->state = json_number(version->start, "state", 0);
    buffer_free(&start);
    if (err)
        version_drop(version);
    else
        *out = version;
    return err;
}

struct version *version_hold(struct version *version)
{
    if (version != NULL)
        version->holders++;
    return version;
}

void version_drop(struct version *version)
{
    if (version == NULL || --version->holders > 0)
        return;
    config_free_plugin(&version->plugin);
    json_free(version->start);
    buffer_free(&version->kept);
    mem_free(version);
}

bool version_is(const struct version *version, const struct version *other)
{
    if (version == NULL || other == NULL)
        return version == other;
    return strcmp(version->id, other->id) == 0;
}
