/* verdict - see verdict.h. */
#include "cli/play/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/hex.h"
#include "base/json.h"
#include "cli/play/canonical.h"

enum { DATA_SHOWN = 160, URLS_SHOWN = 8, ERRORS_SHOWN = 3 };

/* ---- What counts */

static const struct json *unrecorded_of(const struct verdict_side *side)
{
    return side->player ? json_first(json_get(side->player->end, "unrecorded")) : NULL;
}

static bool asked_devices(const struct verdict *verdict)
{
    return unrecorded_of(&verdict->is) != NULL ||
           unrecorded_of(&verdict->reference) != NULL;
}

static int64_t by_event(const struct spool *spool, const char *type)
{
    const struct spool_type *counted = spool_type(spool, type);
    return counted != NULL ? counted->by_event : 0;
}

static bool counts(void *owner, const char *type)
{
    const struct verdict *verdict = owner;
    return by_event(verdict->is.spool, type) + by_event(verdict->reference.spool, type) >
           0;
}

int verdict_make(struct verdict *verdict, int64_t within_us, int64_t limit)
{
    const struct player *player = verdict->is.player;
    verdict->contrast =
        (struct contrast){.within_us = within_us, .limit = limit, .until_us = INT64_MAX};
    if (verdict->reference.player == NULL && player != NULL) {
        verdict->contrast.until_us = player->last_us;
        if (!verdict->from_the_first)
            verdict->contrast.from_us = player->first_us + within_us;
    }
    if (asked_devices(verdict)) {
        verdict->contrast.passes = counts;
        verdict->contrast.owner = verdict;
    }
    return contrast_run(&verdict->contrast, verdict->reference.spool, verdict->is.spool);
}

void verdict_free(struct verdict *verdict)
{
    contrast_free(&verdict->contrast);
}

static bool has_compared(const struct verdict *verdict, const struct spool *spool)
{
    for (size_t i = 0; i < spool->type_count; i++)
        if (counts((void *)verdict, spool->types[i].type))
            return true;
    return false;
}

bool verdict_is_compared(const struct verdict *verdict)
{
    return verdict->contrast.passes == NULL || has_compared(verdict, verdict->is.spool) ||
           has_compared(verdict, verdict->reference.spool);
}

bool verdict_is_identical(const struct verdict *verdict)
{
    return verdict->contrast.differences == 0;
}

/* ---- For people */

static void print_run(const struct verdict_side *side, struct buffer *out)
{
    char hash[2 * DIGEST_BYTES + 1];
    const struct spool *spool = side->spool;
    if (side->player == NULL) {
        buffer_printf(out, "%s: %" PRId64 " emitted\n", side->name, spool_count(spool));
        return;
    }
    hex_encode(hash, spool->hash.bytes, DIGEST_BYTES);
    buffer_printf(out,
                  "%s: events=%" PRId64 " emitted=%" PRId64 " (alarms=%" PRId64
                  " records=%" PRId64 " telemetry=%" PRId64 ") hash=%s\n",
                  side->name, side->player->events, spool_count(spool),
                  spool->lanes[LANE_ALARM], spool->lanes[LANE_RECORD],
                  spool->lanes[LANE_TELEMETRY], hash);
}

static void print_unrecorded(const struct verdict_side *side, struct buffer *out)
{
    int shown = 0;
    for (const struct json *item = unrecorded_of(side); item && shown++ < URLS_SHOWN;
         item = json_next(item))
        buffer_printf(out,
                      "%s: %" PRId64 " requests to %s were not recorded: what depends on "
                      "them is not compared\n",
                      side->name, json_number(item, "asked", 0), json_text(item, "url"));
}

static void print_errors(const struct verdict_side *side, struct buffer *out)
{
    const struct json *end = side->player ? side->player->end : NULL;
    int64_t raised = json_number(end, "raised", 0);
    int shown = 0;
    if (raised > 0)
        buffer_printf(out, "%s: handlers raised %" PRId64 " errors\n", side->name,
                      raised);
    for (const struct json *item = json_first(json_get(end, "errors"));
         item != NULL && shown++ < ERRORS_SHOWN; item = json_next(item))
        buffer_printf(out, "  %s\n", json_value(item));
}

/* "3 fewer, 1 more" */
static void print_counts(const int64_t numbers[CONTRAST_KINDS], struct buffer *out)
{
    static const char *const WORDS[] = {"fewer", "more", "with other data"};
    const char *comma = "";
    for (size_t kind = 0; kind < CONTRAST_KINDS; kind++) {
        if (numbers[kind] == 0)
            continue;
        buffer_printf(out, "%s%" PRId64 " %s", comma, numbers[kind], WORDS[kind]);
        comma = ", ";
    }
}

static void print_example(const struct contrast_example *example, struct buffer *out)
{
    static const char SIGNS[] = {'-', '+', '~'};
    const struct spool_event *event = &example->event;
    buffer_printf(out, "  %c %s %s %s ", SIGNS[example->kind], event->at, event->type,
                  event->subject);
    if (example->was != NULL)
        canonical_compare(out, event->data, example->was);
    else
        buffer_printf(out, "%.*s%s", DATA_SHOWN, event->data,
                      strlen(event->data) > DATA_SHOWN ? "..." : "");
    buffer_append_text(out, "\n");
}

static void print_differences(const struct contrast *contrast, struct buffer *out)
{
    size_t shown = contrast_example_count(contrast);
    for (size_t i = 0; i < contrast->type_count; i++) {
        const struct contrast_type *type = &contrast->types[i];
        buffer_printf(out, "%s (%s): ", type->type, talk_lane_name(type->lane));
        print_counts(type->counts, out);
        buffer_append_text(out, "\n");
    }
    for (size_t i = 0; i < shown; i++)
        print_example(contrast_example(contrast, i), out);
    if (contrast->differences > (int64_t)shown)
        buffer_printf(out, "  ... and %" PRId64 " more\n",
                      contrast->differences - (int64_t)shown);
}

static void print_uncompared(const struct verdict *verdict, struct buffer *out)
{
    const struct spool *spools[] = {verdict->reference.spool, verdict->is.spool};
    if (verdict->contrast.passes == NULL)
        return;
    for (size_t side = 0; side < countof(spools); side++)
        for (size_t i = 0; i < spools[side]->type_count; i++) {
            const struct spool_type *type = &spools[side]->types[i];
            const struct spool_type *other = spool_type(spools[1 - side], type->type);
            if (counts((void *)verdict, type->type) || (side == 1 && other != NULL))
                continue;
            buffer_printf(out,
                          "not compared: %s (%s): %" PRId64 " here, %" PRId64 " %s\n",
                          type->type, talk_lane_name(type->lane),
                          side == 1       ? type->count
                          : other != NULL ? other->count
                                          : 0,
                          side == 1 ? 0 : type->count, verdict->reference.name);
        }
}

/* Whoever reads only the last line must not take for the same what was not looked at. */
static void print_identical(const struct verdict *verdict, struct buffer *out)
{
    const char *name = verdict->reference.name;
    if (verdict->contrast.passes == NULL)
        buffer_printf(out, "identical to %s\n", name);
    else if (verdict_is_compared(verdict))
        buffer_printf(out,
                      "identical to %s, but for what depends on devices: that was not "
                      "compared\n",
                      name);
    else
        buffer_printf(out, "nothing was compared with %s: all of it depends on devices\n",
                      name);
}

/* "different: alarms 3 fewer; records 1 more" */
static void print_sum(const struct verdict *verdict, struct buffer *out)
{
    static const char *const LANE_WORDS[] = {"alarms", "records", "telemetry"};
    const struct contrast *contrast = &verdict->contrast;
    const char *between = "";
    if (verdict_is_identical(verdict)) {
        print_identical(verdict, out);
        return;
    }
    buffer_printf(out, "different from %s: ", verdict->reference.name);
    for (size_t lane = 0; lane < LANES; lane++) {
        const int64_t *numbers = contrast->lanes[lane];
        if (numbers[0] + numbers[1] + numbers[2] == 0)
            continue;
        buffer_printf(out, "%s%s ", between, LANE_WORDS[lane]);
        print_counts(numbers, out);
        between = "; ";
    }
    buffer_append_text(out, "\n");
}

void verdict_print(const struct verdict *verdict, struct buffer *out)
{
    const struct verdict_side *sides[] = {&verdict->is, &verdict->reference};
    print_run(&verdict->is, out);
    print_run(&verdict->reference, out);
    if (verdict->erased > 0)
        buffer_printf(out, "%" PRIu64 " events are erased and were not played\n",
                      verdict->erased);
    for (size_t i = 0; i < countof(sides); i++) {
        print_errors(sides[i], out);
        print_unrecorded(sides[i], out);
    }
    print_uncompared(verdict, out);
    if (verdict->contrast.passed_over > 0)
        buffer_printf(out,
                      "not compared: %" PRId64
                      " recorded in the first %g s of the slice or behind its last "
                      "event, which may come of what lies outside of it\n",
                      verdict->contrast.passed_over,
                      (double)verdict->contrast.within_us / 1e6);
    print_differences(&verdict->contrast, out);
    print_sum(verdict, out);
}

/* ---- As JSON */

static void put_side(const struct verdict_side *side, struct buffer *out)
{
    char hash[2 * DIGEST_BYTES + 1];
    const struct spool *spool = side->spool;
    hex_encode(hash, spool->hash.bytes, DIGEST_BYTES);
    buffer_append_text(out, "{\"name\":");
    json_put_text(out, side->name);
    buffer_printf(out,
                  ",\"emitted\":{\"alarm\":%" PRId64 ",\"record\":%" PRId64
                  ",\"telemetry\":%" PRId64 "},\"hash\":\"%s\"",
                  spool->lanes[LANE_ALARM], spool->lanes[LANE_RECORD],
                  spool->lanes[LANE_TELEMETRY], hash);
    if (side->player != NULL) {
        static const char *const NAMES[] = {"raised", "restarts", "errors", "unrecorded"};
        buffer_printf(out, ",\"events\":%" PRId64, side->player->events);
        for (size_t i = 0; i < countof(NAMES); i++) {
            buffer_printf(out, ",\"%s\":", NAMES[i]);
            canonical_print(out, json_get(side->player->end, NAMES[i]));
        }
    }
    buffer_append_text(out, "}");
}

static void put_kinds(const int64_t numbers[CONTRAST_KINDS], struct buffer *out)
{
    for (int kind = 0; kind < CONTRAST_KINDS; kind++)
        buffer_printf(out, ",\"%s\":%" PRId64,
                      contrast_kind_name((enum contrast_kind)kind), numbers[kind]);
}

static void put_example(const struct contrast_example *example, struct buffer *out)
{
    const struct spool_event *event = &example->event;
    buffer_printf(out,
                  "{\"kind\":\"%s\",\"at\":\"%s\",\"type\":\"%s\",\"subject\":\"%s\","
                  "\"data\":%s",
                  contrast_kind_name(example->kind), event->at, event->type,
                  event->subject, event->data);
    if (example->was != NULL)
        buffer_printf(out, ",\"was\":%s", example->was);
    buffer_append_text(out, "}");
}

void verdict_print_json(const struct verdict *verdict, struct buffer *out)
{
    const struct contrast *contrast = &verdict->contrast;
    buffer_append_text(out, "{\"replay\":");
    put_side(&verdict->is, out);
    buffer_append_text(out, ",\"reference\":");
    put_side(&verdict->reference, out);
    bool is_compared = verdict_is_compared(verdict);
    buffer_printf(out,
                  ",\"compared\":%s,\"identical\":%s,\"passed_over\":%" PRId64
                  ",\"erased\":%" PRIu64 ",\"differences\":[",
                  is_compared ? "true" : "false",
                  is_compared && verdict_is_identical(verdict) ? "true" : "false",
                  contrast->passed_over, verdict->erased);
    for (size_t i = 0; i < contrast->type_count; i++) {
        const struct contrast_type *type = &contrast->types[i];
        buffer_printf(out, "%s{\"type\":\"%s\",\"lane\":\"%s\"", i > 0 ? "," : "",
                      type->type, talk_lane_name(type->lane));
        put_kinds(type->counts, out);
        buffer_append_text(out, "}");
    }
    buffer_append_text(out, "],\"examples\":[");
    for (size_t i = 0; i < contrast_example_count(contrast); i++) {
        buffer_append_text(out, i > 0 ? "," : "");
        put_example(contrast_example(contrast, i), out);
    }
    buffer_append_text(out, "]}");
}
