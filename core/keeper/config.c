/* config - see config.h. */
#include "keeper/config.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"
#include "base/mem.h"

static int take_id(char *id, const struct json *json, const char *name)
{
    const char *text = json_text(json, name);
    if (text == NULL || !word_is_id(text)) {
        log_error("configuration: %s: expected an id", name);
        return -EPROTO;
    }
    strcpy(id, text);
    return 0;
}

/* What the keeper records itself, a plugin may not. */
static bool is_own(const char *type)
{
    static const char *const OWN[] = {"box.",
                                      "journal.",
                                      "storage.",
                                      "clock.",
                                      "sync.",
                                      "plugin.",
                                      "config.",
                                      "action.",
                                      "blob.",
                                      "capture.",
                                      "evidence.uploaded",
                                      "evidence.viewed",
                                      "evidence.marked",
                                      "evidence.exported",
                                      "evidence.released",
                                      "evidence.adopted"};
    for (size_t i = 0; i < countof(OWN); i++)
        if (strncmp(type, OWN[i], strlen(OWN[i])) == 0)
            return true;
    return false;
}

static int take_event(struct config_event *event, const struct json *item)
{
    const char *type = json_name(item);
    const char *lane = json_value(item);
    if (type == NULL || !word_is_type(type) || is_own(type) || lane == NULL ||
        talk_lane_of(lane) < 0) {
        log_error("configuration: events: expected \"type\": \"lane\", no type of the "
                  "keeper's own, got \"%s\": \"%s\"",
                  type != NULL ? type : "", lane != NULL ? lane : "");
        return -EPROTO;
    }
    strcpy(event->type, type);
    event->lane = (enum talk_lane)talk_lane_of(lane);
    return 0;
}

static int take_events(struct config_plugin *plugin, const struct json *events)
{
    size_t count = 0;
    for (const struct json *item = json_first(events); item; item = json_next(item))
        count++;
    plugin->events = mem_zeroed(count * sizeof(*plugin->events));
    for (const struct json *item = json_first(events); item; item = json_next(item)) {
        int err = take_event(&plugin->events[plugin->event_count++], item);
        if (err)
            return err;
    }
    return 0;
}

/* The source of events, and the name of a store. */
static bool is_own_name(const char *name)
{
    return strcmp(name, "keeper") == 0 || strcmp(name, "uplink") == 0 ||
           strcmp(name, "courier") == 0;
}

int config_read_plugin(struct config_plugin *plugin, const struct json *item)
{
    *plugin = (struct config_plugin){.json = item};
    int err = take_id(plugin->plugin, item, "plugin");
    if (!err)
        err = take_id(plugin->instance, item, "instance");
    if (!err && (is_own_name(plugin->plugin) || is_own_name(plugin->instance))) {
        log_error("configuration: no plugin and no instance may be named %s or %s",
                  plugin->plugin, plugin->instance);
        err = -EPROTO;
    }
    return err ? err : take_events(plugin, json_get(item, "events"));
}

void config_free_plugin(struct config_plugin *plugin)
{
    mem_free(plugin->events);
    *plugin = (struct config_plugin){.json = NULL};
}

static bool is_taken(const struct config *config, const char *instance)
{
    for (size_t i = 0; i + 1 < config->plugin_count; i++)
        if (strcmp(config->plugins[i].instance, instance) == 0)
            return true;
    return false;
}

static int take_plugin(struct config *config, const struct json *item)
{
    if (config->plugin_count == CONFIG_PLUGINS_MAX) {
        log_error("configuration: at most %d plugin instances", CONFIG_PLUGINS_MAX);
        return -EPROTO;
    }
    struct config_plugin *plugin = &config->plugins[config->plugin_count++];
    int err = config_read_plugin(plugin, item);
    if (!err && is_taken(config, plugin->instance)) {
        log_error("configuration: two instances are named %s", plugin->instance);
        err = -EPROTO;
    }
    return err;
}

static int take_city(struct config *config, const struct json *city)
{
    if (!json_is_object(city))
        return 0;
    const char *verifier = json_text(city, "verifier");
    if (verifier == NULL || strlen(verifier) >= sizeof(config->verifier)) {
        log_error(
            "configuration: city: verifier: expected the file of the city's public key");
        return -EPROTO;
    }
    strcpy(config->verifier, verifier);
    config->has_city = true;
    return 0;
}

static int take_courier(struct config *config, const struct json *courier)
{
    if (!json_is_object(courier))
        return 0;
    const struct json *select = json_get(courier, "select");
    for (const struct json *item = json_first(select); item; item = json_next(item)) {
        const char *name = json_value(item);
        int class = name == NULL ? -1 : talk_class_of(name);
        if (class < 0) {
            log_error("configuration: courier: select: expected classes of files");
            return -EPROTO;
        }
        config->sends |= 1 << class;
    }
    if (!config->has_city) {
        log_error("configuration: courier: expected a city beside it");
        return -EPROTO;
    }
    config->has_courier = true;
    return 0;
}

static int take_storage(struct config *config, const struct json *storage)
{
    config->quota = json_number(storage, "quota", 4LL << 30);
    config->reserve = json_number(storage, "reserve", 64LL << 20);
    config->keep_ms =
        json_number(json_get(storage, "keep"), "telemetry", 7LL * 24 * 3600 * 1000);
    if (config->quota < CONFIG_QUOTA_LEAST || config->reserve < CONFIG_RESERVE_LEAST ||
        config->reserve > config->quota / 4 || config->keep_ms < 0) {
        log_error(
            "configuration: storage: expected a quota of at least 64MB and a reserve "
            "of 8MB to a quarter of it");
        return -EPROTO;
    }
    return 0;
}

static int take_blobs(struct config *config, const struct json *blobs)
{
    config->blobs_quota = json_number(blobs, "quota", CONFIG_BLOBS);
    config->blobs_reserve = json_number(blobs, "reserve", CONFIG_BLOBS_RESERVE);
    if (config->blobs_quota >= CONFIG_BLOBS_LEAST && config->blobs_reserve >= 0 &&
        config->blobs_reserve <= config->blobs_quota / 2)
        return 0;
    log_error("configuration: storage: blobs: expected a quota of at least 16MB and a "
              "reserve of at most half of it");
    return -EPROTO;
}

static int take_limits(struct config *config, const struct json *limits)
{
    config->rate.messages = json_number(limits, "messages", CONFIG_MESSAGES);
    config->rate.bytes = json_number(limits, "bytes", CONFIG_BYTES);
    if (config->rate.messages >= CONFIG_MESSAGES_LEAST &&
        config->rate.messages <= CONFIG_MESSAGES_MOST &&
        config->rate.bytes >= CONFIG_BYTES_LEAST &&
        config->rate.bytes <= CONFIG_BYTES_MOST)
        return 0;
    log_error("configuration: limits: expected 200 to 1000000 messages and 64KB to 1GB");
    return -EPROTO;
}

static int take_update(struct config *config, const struct json *update)
{
    config->trial_ms = json_number(update, "trial", CONFIG_TRIAL_MS);
    if (config->trial_ms >= CONFIG_TRIAL_LEAST_MS &&
        config->trial_ms <= CONFIG_TRIAL_MOST_MS)
        return 0;
    log_error("configuration: update: trial: expected 2 s to 1 h");
    return -EPROTO;
}

static int take_all(struct config *config)
{
    const struct json *office = json_get(config->json, "office");
    const char *suite = json_text(office, "suite");
    int err = take_id(config->office, office, "id");
    if (err)
        return err;
    if (suite == NULL)
        suite = "sha256+ed25519";
    if (strlen(suite) >= sizeof(config->suite))
        return -EPROTO;
    strcpy(config->suite, suite);
    err = take_city(config, json_get(config->json, "city"));
    if (!err)
        err = take_courier(config, json_get(config->json, "courier"));
    if (!err)
        err = take_storage(config, json_get(config->json, "storage"));
    if (!err)
        err = take_blobs(config, json_get(json_get(config->json, "storage"), "blobs"));
    if (!err)
        err = take_limits(config, json_get(config->json, "limits"));
    if (!err)
        err = take_update(config, json_get(config->json, "update"));
    const struct json *plugins = json_get(config->json, "plugins");
    for (const struct json *item = json_first(plugins); item && !err;
         item = json_next(item))
        err = take_plugin(config, item);
    return err;
}

int config_open(struct config **out, const void *bytes, size_t length)
{
    struct config *config = mem_new(struct config);
    int err = json_parse(&config->json, bytes, length);
    if (err)
        log_error("configuration: not JSON");
    else
        err = take_all(config);
    if (err) {
        config_close(config);
        return err;
    }
    *out = config;
    return 0;
}

void config_close(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->plugin_count; i++)
        config_free_plugin(&config->plugins[i]);
    json_free(config->json);
    mem_free(config);
}

static bool is_same(const struct json *one, const struct json *other)
{
    struct buffer a = {0}, b = {0};
    if (one != NULL)
        json_print_sorted(&a, one);
    if (other != NULL)
        json_print_sorted(&b, other);
    bool same = strcmp(buffer_text(&a), buffer_text(&b)) == 0;
    buffer_free(&a);
    buffer_free(&b);
    return same;
}

const char *config_needs_restart(const struct config *from, const struct config *to)
{
    if (!is_same(json_get(from->json, "office"), json_get(to->json, "office")))
        return "office";
    if (!is_same(json_get(from->json, "storage"), json_get(to->json, "storage")))
        return "storage";
    if (from->has_city != to->has_city)
        return "city";
    if (from->has_courier != to->has_courier)
        return "courier";
    return strcmp(from->verifier, to->verifier) != 0 ? "city.verifier" : NULL;
}

bool config_moves_city(const struct config *from, const struct config *to)
{
    return !is_same(json_get(from->json, "city"), json_get(to->json, "city"));
}

bool config_moves_courier(const struct config *from, const struct config *to)
{
    return !is_same(json_get(from->json, "courier"), json_get(to->json, "courier"));
}

int config_lane(const struct config_plugin *plugin, const char *type)
{
    for (size_t i = 0; i < plugin->event_count; i++)
        if (strcmp(plugin->events[i].type, type) == 0)
            return plugin->events[i].lane;
    return -1;
}

static void put_member(struct buffer *out, const char *name, const char *text)
{
    json_put_text(out, name);
    buffer_append_text(out, ":");
    json_put_text(out, text);
    buffer_append_text(out, ",");
}

static void put_item(struct buffer *out, const struct json *item)
{
    json_put_text(out, json_name(item));
    buffer_append_text(out, ":");
    json_print(out, item);
    buffer_append_text(out, ",");
}

/* What the caller says, and not the item. */
static bool is_given(const char *name)
{
    return strcmp(name, "office") == 0 || strcmp(name, "folder") == 0 ||
           strcmp(name, "lua") == 0;
}

void config_print_plugin(const struct config_plugin *plugin, const char *office,
                         const char *folder, const char *library, struct buffer *out)
{
    struct buffer all = {0}, sorted = {0};
    struct json *json;
    buffer_append_text(&all, "{");
    if (office != NULL)
        put_member(&all, "office", office);
    put_member(&all, "folder", folder);
    put_member(&all, "lua", library);
    for (const struct json *item = json_first(plugin->json); item; item = json_next(item))
        if (!is_given(json_name(item)))
            put_item(&all, item);
    all.bytes[all.length - 1] = '}';
    ASSERT(json_parse(&json, all.bytes, all.length) == 0);
    json_print_sorted(&sorted, json);
    buffer_append(out, sorted.bytes, sorted.length);
    json_free(json);
    buffer_free(&all);
    buffer_free(&sorted);
}
