/* presence - see presence.h. */
#include "city/presence.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"

static int read_text(char *out, size_t room, const struct json *json, const char *name)
{
    const char *text = json_text(json, name);
    out[0] = '\0';
    if (text == NULL)
        return 0;
    if (strlen(text) >= room)
        return -EPROTO;
    strcpy(out, text);
    return 0;
}

static int read_members(struct presence *presence, const char *office,
                        const struct json *json)
{
    const char *state = json_text(json, "state");
    const char *whose = json_text(json, "office");
    if (state == NULL || whose == NULL || strcmp(whose, office) != 0)
        return -EPROTO;
    presence->online = strcmp(state, "online") == 0;
    if (!presence->online && strcmp(state, "offline") != 0)
        return -EPROTO;
    int err = read_text(presence->boot, sizeof(presence->boot), json, "boot");
    if (!err)
        err = read_text(presence->log, sizeof(presence->log), json, "log");
    if (!err)
        err = read_text(presence->verifier, sizeof(presence->verifier), json, "verifier");
    if (!err && presence->log[0] != '\0' && !word_is_id(presence->log))
        err = -EPROTO;
    return err;
}

int presence_read(struct presence *presence, const char *office, const void *bytes,
                  size_t length)
{
    struct json *json;
    memset(presence, 0, sizeof(*presence));
    if (length > PRESENCE_BYTES_MAX || json_parse(&json, bytes, length) != 0)
        return -EPROTO;
    int err = read_members(presence, office, json);
    json_free(json);
    return err;
}
