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

void status_print(struct buffer *out, const struct settings *settings,
                  const struct status *status)
{
    put_who(out, settings, status->online ? "online" : "offline");
    put_member(out, "version", settings->version);
    put_member(out, "verifier", settings->verifier);
    buffer_printf(out, ",\"size\":%lld", (long long)status->size);
    put_member(out, "root", status->root);
    buffer_append_text(out, ",\"synced\":{");
    for (int lane = 0; lane < LANES; lane++)
        buffer_printf(out, "%s\"%s\":%lld", lane == 0 ? "" : ",",
                      talk_lane_name((enum talk_lane)lane),
                      (long long)status->synced[lane]);
    buffer_append_text(out, "}}");
}

void status_print_will(struct buffer *out, const struct settings *settings)
{
    put_who(out, settings, "offline");
    buffer_append_text(out, "}");
}
