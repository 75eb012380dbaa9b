/* access - see access.h. */
#include "keeper/control/access.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

enum { LINE_ROOM = 4096 };

static const struct {
    enum access_role role;
    const char *name;
    const char *words;
} ROLES[ACCESS_ROLES] = {
    {ACCESS_OFFICER, "officer", "an officer"},
    {ACCESS_SOCIAL_WORKER, "social_worker", "a social worker"},
    {ACCESS_TECHNICIAN, "technician", "a technician"},
};

int access_role(const char *name)
{
    for (size_t i = 0; i < countof(ROLES); i++)
        if (strcmp(ROLES[i].name, name) == 0)
            return ROLES[i].role;
    return 0;
}

const char *access_role_name(int role)
{
    for (size_t i = 0; i < countof(ROLES); i++)
        if ((int)ROLES[i].role == role)
            return ROLES[i].name;
    return NULL;
}

void access_print_roles(struct buffer *out, int roles)
{
    bool first = true;
    for (size_t i = 0; i < countof(ROLES); i++) {
        if (!((int)ROLES[i].role & roles))
            continue;
        buffer_printf(out, "%s%s", first ? "" : " or ", ROLES[i].words);
        first = false;
    }
    if (first)
        buffer_append_text(out, "nobody");
}

static bool names(const struct json *list, const char *name)
{
    for (const struct json *item = json_first(list); item; item = json_next(item))
        if (json_value(item) != NULL && strcmp(json_value(item), name) == 0)
            return true;
    return false;
}

int access_roles(const struct json *access, const char *name)
{
    int roles = 0;
    for (size_t i = 0; i < countof(ROLES); i++)
        if (names(json_get(access, ROLES[i].name), name))
            roles |= (int)ROLES[i].role;
    return roles;
}

/* False when there is none of that number, or its name is longer than a name may be. */
static bool find_name(char name[ACCESS_NAME_MAX + 1], uid_t uid)
{
    char room[LINE_ROOM];
    struct passwd line, *found = NULL;
    FILE *users = fopen("/etc/passwd", "re");
    if (users == NULL)
        return false;
    while (fgetpwent_r(users, &line, room, sizeof(room), &found) == 0 &&
           line.pw_uid != uid)
        found = NULL;
    fclose(users);
    if (found == NULL || strlen(line.pw_name) > ACCESS_NAME_MAX)
        return false;
    strcpy(name, line.pw_name);
    return true;
}

void access_local(struct access_who *who, const struct json *access, int64_t uid)
{
    *who = (struct access_who){.via = "local"};
    bool is_known = uid >= 0 && uid <= UINT32_MAX;
    if (!is_known || !find_name(who->name, (uid_t)uid))
        snprintf(who->name, sizeof(who->name), "uid:%" PRId64, uid);
    else
        who->roles = access_roles(access, who->name);
    if (is_known && (uid == 0 || uid == (int64_t)geteuid()))
        who->roles |= ACCESS_TECHNICIAN;
}
