/* report - see report.h. */
#include "keeper/control/report.h"

#include <inttypes.h>

#include "base/now.h"
#include "keeper/keeper.h"

/* What children say of themselves is left out where the report would not fit its frame. */
enum { HEALTH_UNTIL = FRAME_MAX / 2 };

static void print_lanes(const struct journal *journal, struct buffer *out)
{
    buffer_append_text(out, ",\"lanes\":{");
    for (int lane = 0; lane < LANES; lane++)
        buffer_printf(out, "%s\"%s\":{\"last\":%" PRId64 ",\"synced\":%" PRId64 "}",
                      lane ? "," : "", talk_lane_name((enum talk_lane)lane),
                      journal->lane_last[lane], journal->marks[lane]);
    buffer_append_text(out, "}");
}

/* Which version runs, and whether another is installed than was accepted. */
static void print_version(const struct accepted *accepted, const struct child *child,
                          struct buffer *out)
{
    const struct mark *mark = accepted_mark_of(accepted, child->plugin->instance);
    buffer_printf(out, ",\"version\":\"%s\"", child->version->id);
    if (mark != NULL)
        buffer_printf(out, ",\"update\":\"%s\"",
                      mark->on_trial ? "on trial" : "returned");
}

static void print_child(const struct accepted *accepted, const struct child *child,
                        struct buffer *out)
{
    int64_t up_s = child->pid > 0 ? (now_mono_us() - child->started_us) / 1000000 : 0;
    buffer_append_text(out, "{\"name\":");
    json_put_text(out, child->peer.name);
    if (child->plugin != NULL) {
        buffer_append_text(out, ",\"plugin\":");
        json_put_text(out, child->plugin->plugin);
        print_version(accepted, child, out);
    }
    buffer_printf(out,
                  ",\"state\":\"%s\",\"pid\":%d,\"up_s\":%" PRId64
                  ",\"starts\":%d,\"deaths\":%d",
                  supervisor_state(child), (int)child->pid, up_s, child->starts,
                  child->restart.count);
    if (child->peer.held_ms > 0)
        buffer_printf(out, ",\"held_ms\":%" PRId64, child->peer.held_ms);
    if (child->last_exit[0] != '\0')
        buffer_printf(out, ",\"last_exit\":\"%s\"", child->last_exit);
    if (child->peer.health != NULL && out->length < HEALTH_UNTIL) {
        buffer_append_text(out, ",\"health\":");
        json_print(out, child->peer.health);
    }
    buffer_append_text(out, "}");
}

void report_print(struct keeper *keeper, struct buffer *out)
{
    const struct journal *journal = keeper->journal;
    buffer_printf(out,
                  "{\"office\":\"%s\",\"log\":\"%s\",\"suite\":\"%s\",\"version\":\"%s\","
                  "\"boot\":\"%s\",\"clock\":\"%s\",\"up_s\":%" PRId64
                  ",\"events\":%" PRId64 ",\"commits\":%" PRId64 ",\"sealed\":%" PRIu64
                  ",\"checkpoint\":%" PRIu64 ",\"receipts_refused\":%" PRId64,
                  journal->log.office, journal->log.log, journal->log.suite,
                  OUTPOST_VERSION, now_boot(), now_quality_name(now_quality()),
                  (now_mono_us() - keeper->started_us) / 1000000, journal->size,
                  keeper->group.commits, journal->sealed.size, keeper->upkeep.size,
                  keeper->link.refused);
    buffer_append_text(out, ",\"stalled\":");
    json_put_text(out, keeper->link.stall);
    print_lanes(journal, out);
    buffer_append_text(out, ",\"salvage\":");
    salvage_print(&keeper->salvage, out);
    buffer_append_text(out, ",\"scrub\":");
    scrub_print(&keeper->scrub, out);
    if (opening_key_waits(keeper->journal))
        buffer_append_text(out, ",\"key\":\"waits\"");
    buffer_append_text(out, ",\"storage\":");
    storage_print(&keeper->storage, out);
    buffer_append_text(out, ",\"blobs\":");
    blobs_print(&keeper->blobs, out);
    buffer_append_text(out, ",\"reload\":");
    reload_print(&keeper->reload, out);
    buffer_append_text(out, ",\"children\":[");
    const char *between = "";
    for (size_t i = 0; i < keeper->supervisor.count; i++) {
        if (keeper->supervisor.child[i].supervisor == NULL)
            continue;
        buffer_append_text(out, between);
        print_child(&keeper->reload.accepted, &keeper->supervisor.child[i], out);
        between = ",";
    }
    buffer_append_text(out, "]}");
}
