/* access - who a Unix user is to the appliance: which roles the configuration gives to a name.
 *
 * The block `access` names the Unix users of each role; root and the user as whom the keeper runs are
 * technicians always. Roles are not ordered: what officers may do a technician may not, and only
 * officers, who are state staff, may decide. Names are read from /etc/passwd itself: the keeper waits
 * for no directory in a network. */
#ifndef KEEPER_CONTROL_ACCESS_H
#define KEEPER_CONTROL_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

enum { ACCESS_NAME_MAX = 32 };

enum access_role {
    ACCESS_OFFICER = 1,
    ACCESS_SOCIAL_WORKER = 2,
    ACCESS_TECHNICIAN = 4,
    ACCESS_ROLES = 3 /* how many there are */
};

/* Somebody who asks, by whom it is vouched for that it is they. */
struct access_who {
    char name[ACCESS_NAME_MAX + 1];
    int roles;       /* of enum access_role, together; 0: none */
    const char *via; /* "local": the socket's other end, by the kernel */
};

/* The user at the other end of a local socket (-1: not known), by the block `access` (NULL: there is
 * none). One whom /etc/passwd does not know is "uid:NUMBER". */
void access_local(struct access_who *who, const struct json *access, int64_t uid);

/* The roles that the block gives to that name. */
int access_roles(const struct json *access, const char *name);

/* 0 when there is no role of that name. */
int access_role(const char *name);
/* "officer", "social_worker", "technician"; NULL unless it is one role. */
const char *access_role_name(int role);
/* For people: "an officer or a technician"; "nobody" when there are none. */
void access_print_roles(struct buffer *out, int roles);

#endif
