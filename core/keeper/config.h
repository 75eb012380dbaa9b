/* config - the checked configuration that `outpost run` hands down as JSON.
 *
 * The office's Lua file has been run and checked before; what is wrong here is a defect of that
 * check, so the errors are terse. */
#ifndef KEEPER_CONFIG_H
#define KEEPER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/word.h"
#include "keeper/children/allowance.h"
#include "wire/talk.h"

enum { CONFIG_PLUGINS_MAX = 64, CONFIG_MAX = 1024 * 1024 };

/* How long a new version is on trial (trial.h). */
enum {
    CONFIG_TRIAL_LEAST_MS = 2000,
    CONFIG_TRIAL_MOST_MS = 3600 * 1000,
    CONFIG_TRIAL_MS = 90 * 1000
};

#define CONFIG_QUOTA_LEAST   (64LL << 20)
#define CONFIG_RESERVE_LEAST (8LL << 20)

/* What blobs may take, beside the journal. */
#define CONFIG_BLOBS         (4LL << 30)
#define CONFIG_BLOBS_LEAST   (16LL << 20)
#define CONFIG_BLOBS_RESERVE (256LL << 20)

/* What a plugin may say a second: half a minute's silence is the end of it, so it must say something
 * within seconds however much it owes. */
enum {
    CONFIG_MESSAGES = 2000,
    CONFIG_MESSAGES_LEAST = 200,
    CONFIG_MESSAGES_MOST = 1000000,
    CONFIG_BYTES = 2 << 20,
    CONFIG_BYTES_LEAST = 64 << 10,
    CONFIG_BYTES_MOST = 1 << 30
};

struct config_event {
    char type[WORD_TYPE_MAX + 1];
    enum talk_lane lane;
};

/* One instance of a plugin. */
struct config_plugin {
    char plugin[WORD_ID_MAX + 1];
    char instance[WORD_ID_MAX + 1]; /* unique in the office */
    struct config_event *events;    /* what it may emit */
    size_t event_count;
    const struct json *json;
};

struct config {
    char office[WORD_ID_MAX + 1];
    char suite[32];
    bool has_city;
    char verifier[4096];        /* file with the city's vkey, when has_city */
    bool has_courier;           /* only with a city */
    int sends;                  /* classes of blobs that it takes: 1 << enum talk_class */
    int64_t quota;              /* bytes the journal may take on disk, */
    int64_t reserve;            /* of them only for alarms and records */
    int64_t blobs_quota;        /* the same for blobs; the reserve is for those */
    int64_t blobs_reserve;      /* that are important */
    struct allowance_rate rate; /* of each plugin */
    int64_t keep_ms; /* how long telemetry stays that the city has, if there is room */
    int64_t trial_ms;
    struct config_plugin plugins[CONFIG_PLUGINS_MAX];
    size_t plugin_count;
    struct json *json;
};

/* Reads the JSON; -EPROTO with a line in the log when it is not as agreed. */
int config_open(struct config **out, const void *bytes, size_t length);
void config_close(struct config *config);

/* What of a changed configuration cannot take hold while the keeper runs: "office", "storage",
 * "city" or "courier" (there is one only before or after), "city.verifier"; NULL when all of it can. */
const char *config_needs_restart(const struct config *from, const struct config *to);
/* Whether the line to the city is another, or what the courier is told. */
bool config_moves_city(const struct config *from, const struct config *to);
bool config_moves_courier(const struct config *from, const struct config *to);

/* The lane the plugin declared for the type, or -1. */
int config_lane(const struct config_plugin *plugin, const char *type);

/* Reads one instance, of which `item` must outlive it; -EPROTO as above. */
int config_read_plugin(struct config_plugin *plugin, const struct json *item);
void config_free_plugin(struct config_plugin *plugin);

/* The instance as JSON with sorted members, its code in these two folders. With `office` it is the
 * CONFIG of START for a host. */
void config_print_plugin(const struct config_plugin *plugin, const char *office,
                         const char *folder, const char *library, struct buffer *out);

#endif
