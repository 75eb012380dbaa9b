/* status - see status.h. */
#include "uplink/status.h"

#include "base/json.h"

static void put_member(struct buffer *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buffer_printf(out, ",\"%s\":", name);
    json_put_text(out, value);
}

static void put_who(struct buffer *out, const struct settings *settings,
                    const char *state)
{
    buffer_printf(out, "{\"state\":\"%s\"", state);
    put_member(out, "office", settings->office);
    put_member(out, "boot", settings->boot);
    put_member(out, "log", settings->log);
}

static void put_synced(struct buffer *out, const struct status *status)
{
    buffer_append_text(out, ",\"synced\":{");
    for (int lane = 0; lane < LANES; lane++)
        buffer_printf(out, "%s\"%s\":%lld", lane == 0 ? "" : ",",
                      talk_lane_name((enum talk_lane)lane),
                      (long long)status->synced[lane]);
    buffer_append_text(out, "}");
}

void status_print(struct buffer *out, const struct settings *settings,
                  const struct status *status)
{
    put_who(out, settings, status->online ? "online" : "offline");
    put_member(out, "version", settings->version);
    put_member(out, "verifier", settings->verifier);
    buffer_printf(out, ",\"size\":%lld", (long long)status->size);
    put_member(out, "root", status->root);
    put_synced(out, status);
    buffer_append_text(out, "}");
}

void status_print_health(struct buffer *out, const struct settings *settings,
                         const struct status *status, uint64_t sent,
                         const char *last_error)
{
    char broker[BROKER_TEXT_ROOM];
    broker_print(&settings->broker, broker);
    buffer_printf(out, "{\"connected\":%s", status->online ? "true" : "false");
    put_member(out, "broker", broker);
    if (settings->bandwidth > 0)
        buffer_printf(out, ",\"bandwidth\":%lld", (long long)settings->bandwidth);
    buffer_printf(out, ",\"sent\":%llu", (unsigned long long)sent);
    put_synced(out, status);
    put_member(out, "last_error", last_error);
    buffer_append_text(out, "}");
}

void status_print_will(struct buffer *out, const struct settings *settings)
{
    put_who(out, settings, "offline");
    buffer_append_text(out, "}");
}
