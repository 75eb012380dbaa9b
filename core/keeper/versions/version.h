/* version - one version of an instance: its checked configuration, its plugin's code, the library's.
 *
 * It is named by the SHA-256 of what is kept of it: the instance as JSON with sorted members, whose
 * folders are snapshots and so name their content (snapshot.h). It holds all that a host needs, so
 * it can be started again whatever has become of the configuration it came from. It is shared:
 * who holds one drops it once. */
#ifndef KEEPER_VERSIONS_VERSION_H
#define KEEPER_VERSIONS_VERSION_H

#include "keeper/config.h"
#include "keeper/versions/snapshot.h"

#define VERSION_SHELF "versions" /* where the snapshots lie, in the state folder */

struct version {
    int holders;
    char id[SNAPSHOT_HASH_ROOM];
    struct config_plugin plugin; /* whose JSON is the CONFIG of START */
    struct json *start;
    struct buffer kept; /* snapshots are named relative to the state folder */
    int64_t state;      /* of the store: the manifest's `state` */
};

/* Of that instance with its code in these folders: snapshots ("versions/HASH/NAME"), or absolute
 * where none could be made. `state` is the absolute state folder. -EPROTO, -ENAMETOOLONG. */
int version_open(struct version **out, const struct config_plugin *plugin,
                 const char *office, const char *folder, const char *library,
                 const char *state);
struct version *version_hold(struct version *version); /* NULL is fine, here and below */
void version_drop(struct version *version);

/* Whether both are the same, or neither is there. */
bool version_is(const struct version *version, const struct version *other);

#endif
