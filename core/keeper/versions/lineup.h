/* lineup - the version of each instance that a configuration asks for. */
#ifndef KEEPER_VERSIONS_LINEUP_H
#define KEEPER_VERSIONS_LINEUP_H

#include "keeper/versions/accepted.h"

struct lineup {
    struct version *versions[CONFIG_PLUGINS_MAX]; /* as in the configuration */
    size_t count;
    bool is_last_good; /* of config.good itself: it says nothing of what is installed */
};

/* Takes the snapshots of all code that the configuration names, and appends where each instance's
 * plugin and library are, for lineup_open(). When one cannot be taken: its errno, with `names` saying
 * of what. At most LINEUP_NAMES_MAX bytes. Writes files only, so an errand can do it. */
enum { LINEUP_NAMES_MAX = CONFIG_PLUGINS_MAX * 2 * SNAPSHOT_NAME_ROOM };
int lineup_snapshot(const struct config *config, const char *state, struct buffer *names);

/* The same for a start, which goes on with the folders themselves where no snapshot can be taken. */
void lineup_snapshot_start(const struct config *config, const char *state,
                           struct buffer *names);

int lineup_open(struct lineup *lineup, const struct config *config, const char *state,
                const struct buffer *names);
void lineup_close(struct lineup *lineup);

/* At a start: what is installed runs and is accepted, but for a version that is marked: there the
 * accepted one runs, and `kept` is told. Instances that are not in the lineup are forgotten. The last
 * good configuration leaves the marks as they are. */
void lineup_prefer(struct lineup *lineup, struct accepted *accepted,
                   void (*kept)(void *owner, const struct version *installed,
                                const struct version *instead, bool was_on_trial),
                   void *owner);

/* Whether its code is there, in snapshots that are what their hashes say. */
bool lineup_can_run(const struct accepted *accepted, const struct version *version);

/* Removes the snapshots that no accepted version needs, and no former one that still counts. */
void lineup_prune(const struct accepted *accepted);

#endif
