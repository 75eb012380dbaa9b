/* self - see self.h. */
#include "keeper/self.h"

#include <string.h>

#include "base/base.h"
#include "base/log.h"

static const struct {
    const char *type;
    enum talk_lane lane;
} TYPES[] = {
    {"box.started", LANE_RECORD},       {"box.stopped", LANE_RECORD},
    {"plugin.restarted", LANE_RECORD},  {"plugin.quarantined", LANE_ALARM},
    {"journal.damaged", LANE_ALARM},    {"journal.contradicted", LANE_ALARM},
    {"journal.thinned", LANE_RECORD},   {"gap.recorded", LANE_RECORD},
    {"storage.low", LANE_ALARM},        {"storage.full", LANE_ALARM},
    {"storage.back", LANE_RECORD},      {"clock.jumped", LANE_RECORD},
    {"clock.corrected", LANE_RECORD},   {"sync.stalled", LANE_ALARM},
    {"config.refused", LANE_ALARM},     {"sync.resumed", LANE_RECORD},
    {"plugin.updated", LANE_RECORD},    {"plugin.returned", LANE_ALARM},
    {"action.performed", LANE_RECORD},  {"blob.released", LANE_RECORD},
    {"blob.adopted", LANE_RECORD},      {"blob.damaged", LANE_ALARM},
    {"blob.viewed", LANE_RECORD},       {"evidence.uploaded", LANE_RECORD},
    {"capture.recorded", LANE_RECORD},  {"evidence.viewed", LANE_RECORD},
    {"evidence.marked", LANE_RECORD},   {"evidence.exported", LANE_RECORD},
    {"evidence.released", LANE_RECORD}, {"evidence.adopted", LANE_RECORD},
};

static enum talk_lane lane_of(const char *type)
{
    for (size_t i = 0; i < countof(TYPES); i++)
        if (strcmp(TYPES[i].type, type) == 0)
            return TYPES[i].lane;
    base_abort("a type of the keeper's own", __FILE__, __LINE__);
}

int self_record(struct group *group, const char *type, const char *data)
{
    struct event_draft draft = {.source = "keeper/keeper",
                                .type = type,
                                .lane = lane_of(type),
                                .data = data,
                                .data_length = strlen(data)};
    int64_t seq;
    int err = group_enter(group);
    if (!err) {
        err = journal_append(group->journal, &draft, &seq);
        if (err)
            group_fail(group, err);
    }
    if (err) {
        log_error("%s cannot be recorded: %s", type, strerror(-err));
        return err;
    }
    group->has_alarm |= draft.lane == LANE_ALARM;
    group_ask(group, 1, draft.lane == LANE_ALARM);
    return 0;
}
