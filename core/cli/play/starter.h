/* starter - what a plugin is started with, START, made without an appliance that runs.
 *
 * A configuration is checked by the host, as for `outpost check`, but with the plugin from the folder
 * that is named in the place of the installed one. */
#ifndef CLI_PLAY_STARTER_H
#define CLI_PLAY_STARTER_H

#include "base/buffer.h"
#include "base/json.h"
#include "base/word.h"

struct starter_wish {
    const char *plugin;   /* its folder, or the name of an installed one */
    const char *config;   /* a configuration; NULL: only what the plugin sets by itself */
    const char *instance; /* NULL: the only one, or as the plugin is called */
    const char *office;   /* its id, when there is no configuration */
};

struct starter {
    struct buffer start;              /* JSON */
    char source[2 * WORD_ID_MAX + 4]; /* "/plugin/instance" */
};

/* 0; or -EINVAL, and in `errors` what is wrong, one a line. The caller gives it back with
 * starter_free(). */
int starter_make(struct starter *starter, const struct starter_wish *wish,
                 struct buffer *errors);
/* Of one of the `plugins` of a checked configuration. Code may lie below the folder `base`, as that of
 * config.good does (keeper/versions/snapshot.h). */
void starter_take(struct starter *starter, const struct json *config,
                  const struct json *plugin, const char *base);
void starter_free(struct starter *starter);

#endif
