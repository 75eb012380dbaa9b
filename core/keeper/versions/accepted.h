/* accepted - what runs when nobody says otherwise: STATE/config.good.
 *
 * A keepsake (proof/keepsake.h) of the configuration in which each instance has its accepted version,
 * with its code in snapshots. `outpost run` starts with it when the configuration does not check. A
 * version on trial is marked here before its process starts, and stays marked when it was returned
 * from: a keeper that starts does not take it for accepted, because it is what is installed.
 *
 * What was accepted before is kept for a day: a version that is good for as long as its trial and then
 * dies again and again is returned from, too. So is one that nobody tried, because it was installed while
 * no keeper ran. */
#ifndef KEEPER_VERSIONS_ACCEPTED_H
#define KEEPER_VERSIONS_ACCEPTED_H

#include "keeper/versions/version.h"

struct mark {
    char instance[WORD_ID_MAX + 1];
    char version[SNAPSHOT_HASH_ROOM];
    bool on_trial; /* else it was returned from */
};

/* The file has marks and former versions beside what was agreed. */
enum { ACCEPTED_FILE_MAX = 3 * CONFIG_MAX };
enum { ACCEPTED_FORMER_S = 24 * 60 * 60 };

/* What was accepted before the accepted one. */
struct former {
    struct version *version;
    int64_t until_us; /* UTC: it counts no more then */
};

struct accepted {
    const char *state; /* absolute */
    struct version *versions[CONFIG_PLUGINS_MAX];
    size_t count;
    struct mark marks[CONFIG_PLUGINS_MAX];
    size_t mark_count;
    struct former formers[CONFIG_PLUGINS_MAX];
    size_t former_count;
};

/* Reads it; what is not there or cannot be read is empty. */
void accepted_open(struct accepted *accepted, const char *state, const char *office);
void accepted_close(struct accepted *accepted);

/* The accepted version of the instance, or NULL. */
struct version *accepted_find(const struct accepted *accepted, const char *instance);
const struct mark *accepted_mark_of(const struct accepted *accepted,
                                    const char *instance);

/* What was accepted before that, not longer ago than ACCEPTED_FORMER_S, or NULL. */
struct version *accepted_former(const struct accepted *accepted, const char *instance);

/* In memory only, until accepted_save(). A version is put in the place of its instance's accepted
 * one, which is the former one then, and the mark goes. -ENOBUFS beyond CONFIG_PLUGINS_MAX. */
int accepted_put(struct accepted *accepted, struct version *version);
void accepted_remove(struct accepted *accepted, const char *instance);
/* The former one, which must be there, is the accepted one again; the other is marked as returned from. */
void accepted_go_back(struct accepted *accepted, const char *instance);
int accepted_mark(struct accepted *accepted, const struct version *version,
                  bool on_trial);

/* On disk when it returns 0. Office, city and all else are as `config` says. */
int accepted_save(const struct accepted *accepted, const struct config *config);

#endif
