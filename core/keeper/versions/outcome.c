/* outcome - see outcome.h. */
#include "keeper/versions/outcome.h"

#include "base/now.h"

static void print_change(const struct change *change, struct buffer *out)
{
    buffer_append_text(out, "{\"instance\":");
    json_put_text(out, change->instance);
    buffer_printf(out, ",\"state\":\"%s\"", change_state_name(change));
    if (change->why[0] != '\0') {
        buffer_append_text(out, ",\"why\":");
        json_put_text(out, change->why);
    }
    buffer_append_text(out, "}");
}

static void name_it(struct outcome *outcome, const struct change *change)
{
    if (outcome->returned > OUTCOME_RETURNED_MAX)
        return;
    buffer_append_text(&outcome->named, outcome->named.length > 0 ? "," : "");
    print_change(change, &outcome->named);
}

void outcome_take(struct outcome *outcome, const struct change *changes, size_t count,
                  const char *why)
{
    outcome_free(outcome);
    outcome->ended_us = now_utc_us();
    buffer_append_text(&outcome->why, why);
    for (size_t i = 0; i < count; i++) {
        outcome->accepted += changes[i].state == CHANGE_ACCEPTED;
        outcome->removed += changes[i].state == CHANGE_REMOVED;
        outcome->returned += changes[i].state == CHANGE_RETURNED;
        if (changes[i].state == CHANGE_RETURNED)
            name_it(outcome, &changes[i]);
    }
}

void outcome_free(struct outcome *outcome)
{
    buffer_free(&outcome->why);
    buffer_free(&outcome->named);
    *outcome = (struct outcome){.ended_us = 0};
}

void outcome_print(const struct outcome *outcome, struct buffer *out)
{
    char ended[NOW_TEXT_ROOM];
    if (outcome->ended_us == 0) {
        buffer_append_text(out, "null");
        return;
    }
    now_format(ended, outcome->ended_us);
    buffer_printf(out,
                  "{\"ended\":\"%s\",\"accepted\":%zu,\"removed\":%zu,\"returned\":%zu,"
                  "\"why\":",
                  ended, outcome->accepted, outcome->removed, outcome->returned);
    json_put_bytes(out, outcome->why.bytes, outcome->why.length);
    buffer_append_text(out, ",\"changes\":[");
    buffer_append(out, outcome->named.bytes, outcome->named.length);
    buffer_append_text(out, "]}");
}

void outcome_print_changes(const struct change *changes, size_t count, struct buffer *out)
{
    const char *between = "";
    for (size_t i = 0; i < count; i++) {
        if (change_is_over(&changes[i]))
            continue;
        buffer_append_text(out, between);
        print_change(&changes[i], out);
        between = ",";
    }
}
