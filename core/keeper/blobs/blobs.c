/* blobs - see blobs.h.
 *
 * Invariant: `sum` is what the table says, with the open transaction; when that is undone it is
 * counted anew. */
#include "keeper/blobs/blobs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/base.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/log.h"
#include "base/now.h"
#include "keeper/blobs/adoption.h"
#include "keeper/blobs/chain.h"
#include "keeper/blobs/eraser.h"
#include "keeper/blobs/heirs.h"
#include "keeper/blobs/notes.h"
#include "keeper/self.h"
#include "keeper/space/quota.h"

/* No plugin instance has the empty name. */
static const char OWN[] = "", LOW[] = "blobs-low";

static int admit(void *owner, int class, int64_t bytes, struct buffer *why);
static void dropped(void *owner);

static struct store *store_of(const struct blobs *blobs)
{
    return blobs->journal->store;
}

static bool is_named(void *owner, const struct digest *digest)
{
    return catalog_is_named(store_of(owner), digest);
}

static void tick(struct loop_timer *timer)
{
    struct blobs *blobs = container_of(timer, struct blobs, tick);
    blobs_look(blobs);
    loop_timer_start(blobs->loop, &blobs->tick, BLOBS_TICK_MS);
}

static void read_told(struct blobs *blobs)
{
    struct buffer bytes = {0};
    if (store_get(store_of(blobs), OWN, LOW, &bytes) == 0 &&
        bytes.length == sizeof(blobs->told))
        memcpy(&blobs->told, bytes.bytes, sizeof(blobs->told));
    buffer_free(&bytes);
}

int blobs_open(struct blobs *blobs, struct loop *loop, struct group *group,
               const struct config *config, const char *state)
{
    *blobs = (struct blobs){.loop = loop,
                            .journal = group->journal,
                            .group = group,
                            .tick.fire = tick,
                            .has_old = true, /* whatever a cut has left there */
                            .sends = config->has_courier ? config->sends : 0,
                            .stock = {.quota = config->blobs_quota,
                                      .reserve = config->blobs_reserve,
                                      .journal = config->reserve,
                                      .disk_left = -1}};
    int err = depot_open(&blobs->depot, state);
    blobs->is_shut = err != 0;
    spools_open(&blobs->spools, loop, &blobs->depot);
    blobs->spools.admit = admit;
    blobs->spools.is_named = is_named;
    blobs->spools.dropped = dropped;
    blobs->spools.owner = blobs;
    growth_add(&blobs->growth, 0, now_mono_us());
    read_told(blobs);
    return err;
}

void blobs_close(struct blobs *blobs)
{
    spools_close(&blobs->spools);
    blobs_stop(blobs);
}

int blobs_count(struct blobs *blobs)
{
    int64_t undated;
    int err = catalog_sum(store_of(blobs), &blobs->sum);
    if (!err)
        err = catalog_count_undated(store_of(blobs), &undated);
    if (!err)
        blobs->has_undated = undated > 0;
    blobs->has_heirs = true; /* which the next look finds out */
    return err;
}

void blobs_start(struct blobs *blobs)
{
    blobs_look(blobs);
    loop_timer_start(blobs->loop, &blobs->tick, BLOBS_TICK_MS);
}

void blobs_stop(struct blobs *blobs)
{
    loop_timer_stop(&blobs->tick);
}

void blobs_send(struct blobs *blobs, int sends)
{
    blobs->sends = sends;
    blobs->has_heirs = true;
}

static void dropped(void *owner)
{
    struct blobs *blobs = owner;
    blobs->has_old = true;
}

void blobs_add_up(struct blobs *blobs, const struct catalog_blob *blob, int sign)
{
    struct catalog_sum *sum = &blobs->sum;
    int64_t bytes = cask_bytes(blob->size) * sign;
    if (blob->is_released) {
        sum->released += sign;
        sum->released_bytes += bytes;
        return;
    }
    sum->count[blob->class] += sign;
    sum->bytes[blob->class] += bytes;
    sum->parcels[blob->class] += catalog_is_parcel(blob) ? sign : 0;
    sum->uploaded[blob->class] += blob->uploaded_us != 0 ? sign : 0;
    sum->damaged += blob->is_damaged ? sign : 0;
}

/* ---- What stays */

struct wish {
    struct blobs *blobs;
    const struct peer *host;
    int64_t first;
    struct buffer *why;
};

static int each_wish(const struct fields *fields, struct wish *wish,
                     int (*each)(struct wish *wish, const struct commit_blob *blob))
{
    struct fields rest = *fields;
    struct field field;
    int err = 0;
    while (!err && fields_next(&rest, &field) > 0) {
        struct commit_blob blob;
        if (field.tag != TAG_BLOB)
            continue;
        err = commit_read_blob(&blob, &field);
        if (!err)
            err = each(wish, &blob);
    }
    return err;
}

bool blobs_is_evidence(const struct catalog_blob *blob)
{
    return blob->class >= CLASS_ORDINARY;
}

/* One that is released must come again. */
int blobs_find(const struct blobs *blobs, const struct digest *digest,
               struct catalog_blob *row)
{
    int err = catalog_get(store_of(blobs), digest, row);
    return !err && row->is_released ? -ENOENT : err;
}

static int check_one(struct wish *wish, const struct commit_blob *blob)
{
    struct catalog_blob row;
    char digits[TALK_DIGEST_HEX + 1];
    if (spools_find(&wish->blobs->spools, wish->host, &blob->digest) != NULL)
        return 0;
    int err = blobs_find(wish->blobs, &blob->digest, &row);
    if (err != -ENOENT)
        return err;
    hex_encode(digits, blob->digest.bytes, DIGEST_BYTES);
    buffer_printf(wish->why,
                  "blob: expected one that this plugin has sealed since it started, or "
                  "that is stored, got %s",
                  digits);
    return -EINVAL;
}

int blobs_check(struct blobs *blobs, const struct peer *host, const struct fields *fields,
                struct buffer *why)
{
    struct wish wish = {.blobs = blobs, .host = host, .why = why};
    return each_wish(fields, &wish, check_one);
}

int64_t blobs_until(struct blobs *blobs, int64_t keep_ms)
{
    struct now_reading now;
    if (keep_ms < 0)
        return -1;
    now_read(&now);
    blobs->has_undated |= now.quality == NOW_UNSET;
    return now.quality == NOW_UNSET ? -1 : now.utc_us + keep_ms * 1000;
}

static void make_row(struct wish *wish, const struct commit_blob *blob,
                     const struct scribe_told *told, struct catalog_blob *row)
{
    *row = (struct catalog_blob){.sha256 = blob->digest,
                                 .sm3 = told->sm3,
                                 .has_sm3 = true,
                                 .size = told->size,
                                 .class = blob->class,
                                 .keep_ms = blob->keep_ms,
                                 .until_us = blobs_until(wish->blobs, blob->keep_ms),
                                 .is_prompt = blob->is_prompt,
                                 .seq = wish->first,
                                 .stored_us = now_utc_us()};
    wish->blobs->added += cask_bytes(told->size);
}

/* One of an unknown class stays for ever, and now it is known what it is. */
void blobs_raise(struct blobs *blobs, struct catalog_blob *row, int class,
                 int64_t keep_ms, bool is_prompt)
{
    int64_t until_us = blobs_until(blobs, keep_ms);
    bool is_unknown = row->class == CATALOG_UNKNOWN;
    bool was_dated = row->until_us >= 0;
    row->class = is_unknown || class > row->class ? class : row->class;
    blobs->has_heirs |= row->seq < 0;
    row->is_prompt &= is_prompt;
    if (row->keep_ms < 0 || keep_ms < 0) {
        row->keep_ms = row->until_us = -1;
        return;
    }
    row->keep_ms = keep_ms > row->keep_ms ? keep_ms : row->keep_ms;
    if (!was_dated || until_us < 0) /* both will be dated together */
        row->until_us = -1;
    else if (until_us > row->until_us)
        row->until_us = until_us;
}

static int apply_one(struct wish *wish, const struct commit_blob *blob)
{
    struct blobs *blobs = wish->blobs;
    struct catalog_blob row;
    const struct scribe_told *told =
        spools_find(&blobs->spools, wish->host, &blob->digest);
    int err = catalog_get(store_of(blobs), &blob->digest, &row);
    if (err && err != -ENOENT)
        return err;
    if (!err)
        blobs_add_up(blobs, &row, -1);
    if (err || row.is_released)
        make_row(wish, blob, told, &row);
    else
        blobs_raise(blobs, &row, blob->class, blob->keep_ms, blob->is_prompt);
    if (row.seq < 0)
        row.seq = wish->first;
    if (told != NULL) {
        row.is_damaged = false;
        row.size = told->size; /* one that was adopted cut has another */
        row.sm3 = told->sm3;
        row.has_sm3 = true;
        spools_take(&blobs->spools, wish->host, &blob->digest);
    }
    blobs_add_up(blobs, &row, 1);
    return catalog_put(store_of(blobs), &row);
}

int blobs_apply(struct blobs *blobs, const struct peer *host, const struct fields *fields,
                int64_t first)
{
    struct wish wish = {.blobs = blobs, .host = host, .first = first};
    return each_wish(fields, &wish, apply_one);
}

void blobs_committed(struct blobs *blobs, int err)
{
    spools_committed(&blobs->spools, err);
    if (!err && blobs->added > 0)
        growth_add(&blobs->growth, blobs->added, now_mono_us());
    blobs->added = 0;
    if (err && blobs_count(blobs) != 0)
        log_warn("blobs: the table cannot be counted");
}

/* ---- What goes */

void blobs_print_name(struct buffer *out, const struct catalog_blob *blob)
{
    char digits[TALK_DIGEST_HEX + 1];
    hex_encode(digits, blob->sha256.bytes, DIGEST_BYTES);
    buffer_printf(out, "\"sha256\":\"%s\",\"size\":%" PRId64 ",\"class\":\"%s\"", digits,
                  blob->size, catalog_class_name(blob->class));
}

int blobs_change(struct blobs *blobs, const struct catalog_blob *from,
                 const struct catalog_blob *to, const char *type, const char *more)
{
    struct buffer data = {0};
    buffer_append_text(&data, "{");
    blobs_print_name(&data, to);
    buffer_printf(&data, ",%s", more);
    int err = chain_add(blobs->group, to, &data);
    buffer_append_text(&data, "}");
    if (!err)
        err = self_record(blobs->group, type, buffer_text(&data));
    buffer_free(&data);
    if (err)
        return err;
    blobs_add_up(blobs, from, -1);
    blobs_add_up(blobs, to, 1);
    err = catalog_put(store_of(blobs), to);
    if (err)
        group_fail(blobs->group, err);
    return err;
}

static int change(struct blobs *blobs, const struct catalog_blob *from,
                  const struct catalog_blob *to, const char *type, const char *reason)
{
    char more[64];
    snprintf(more, sizeof(more), "\"reason\":\"%s\"", reason);
    return blobs_change(blobs, from, to, type, more);
}

static int release(struct blobs *blobs, const struct catalog_blob *blob,
                   const char *reason)
{
    struct catalog_blob row = *blob;
    row.is_released = true;
    return change(blobs, blob, &row, "blob.released", reason);
}

/* A statement that is being read is in the way of a transaction that is undone: first they are
 * listed. */
struct list {
    int count;
    struct catalog_blob blob[BLOBS_RELEASE_MAX];
};

static int put_in_list(void *owner, const struct catalog_blob *blob)
{
    struct list *list = owner;
    list->blob[list->count++] = *blob;
    return 0;
}

static void release_prompt(struct blobs *blobs, int64_t now_us)
{
    static struct list list;
    list.count = 0;
    int err = catalog_each_prompt(store_of(blobs), now_us, BLOBS_RELEASE_MAX,
                                  blobs->sends, put_in_list, &list);
    for (int i = 0; i < list.count && !err; i++)
        err = release(blobs, &list.blob[i], "retention");
}

/* The weakest class first, of each the oldest. */
static void release_for(struct blobs *blobs, int64_t bytes, int64_t now_us)
{
    static struct list list;
    int err = 0, most = BLOBS_RELEASE_MAX;
    for (int class = 0; class < CLASS_CASE && bytes > 0 && !err; class ++) {
        list.count = 0;
        err = catalog_each_due(store_of(blobs), now_us, most, class, blobs->sends,
                               put_in_list, &list);
        for (int i = 0; i < list.count && bytes > 0 && !err; i++) {
            err = release(blobs, &list.blob[i], "room");
            bytes -= cask_bytes(list.blob[i].size);
            most--;
        }
    }
}

static void measure(struct blobs *blobs)
{
    struct statvfs disk;
    blobs->stock.bytes = 0;
    for (int class = 0; class < CATALOG_CLASSES; class ++)
        blobs->stock.bytes += blobs->sum.bytes[class];
    blobs->stock.promised = spools_promised(&blobs->spools);
    blobs->stock.arrived = spools_arrived(&blobs->spools);
    blobs->stock.leaving = blobs->sum.released_bytes;
    if (statvfs(blobs->depot.folder, &disk) == 0)
        blobs->stock.disk_left = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
}

/* ---- What is said of room */

static int64_t days_left(const struct blobs *blobs)
{
    return quota_days(stock_room(&blobs->stock, CLASS_ORDINARY),
                      growth_per_day(&blobs->growth, now_mono_us()));
}

static void tell_full(struct blobs *blobs, int class, int64_t bytes)
{
    char data[96];
    if (!refusal_note(&blobs->refusal, class, bytes, now_mono_us()))
        return;
    log_warn("blobs: the %s is full: no room for class %s",
             stock_is_disk(&blobs->stock, class) ? "disk" : "quota",
             catalog_class_name(class));
    snprintf(data, sizeof(data), "{\"of\":\"blobs\",\"refused\":\"%s\"}",
             catalog_class_name(class));
    self_record(blobs->group, "storage.full", data);
}

static void tell_back(struct blobs *blobs)
{
    if (refusal_is_over(&blobs->refusal, &blobs->stock, now_mono_us()) &&
        self_record(blobs->group, "storage.back", "{\"of\":\"blobs\"}") == 0)
        blobs->refusal = (struct refusal){.full = 0};
}

static void tell_low(struct blobs *blobs)
{
    char data[160], days[64] = "";
    int percent = stock_percent(&blobs->stock), before = blobs->told;
    int64_t left = days_left(blobs);
    blobs->told = quota_level(percent, before);
    if (blobs->told != before && group_enter(blobs->group) == 0 &&
        store_put(store_of(blobs), OWN, LOW, &blobs->told, sizeof(blobs->told)) == 0)
        group_ask(blobs->group, 1, false);
    if (blobs->told <= before)
        return;
    if (left >= 0)
        snprintf(days, sizeof(days), ",\"days_left\":%" PRId64, left);
    snprintf(data, sizeof(data), "{\"of\":\"blobs\",\"percent\":%d%s}",
             percent < 100 ? percent : 100, days);
    log_warn("blobs: the quota is %d %% full", percent);
    self_record(blobs->group, "storage.low", data);
}

static int admit(void *owner, int class, int64_t bytes, struct buffer *why)
{
    struct blobs *blobs = owner;
    if (blobs->is_shut) {
        buffer_append_text(why, "the folder blobs/ or its key cannot be opened");
        return -EIO;
    }
    measure(blobs);
    int64_t lacks = bytes - stock_room_soon(&blobs->stock, class);
    if (lacks > 0 && now_quality() != NOW_UNSET) {
        release_for(blobs, lacks, now_utc_us());
        measure(blobs);
    }
    if (stock_room(&blobs->stock, class) >= bytes) {
        refusal_taken(&blobs->refusal, class, bytes);
        return 0;
    }
    if (stock_room_soon(&blobs->stock, class) < bytes)
        tell_full(blobs, class, bytes); /* else it waits for an errand only */
    buffer_printf(why, "no room for %" PRId64 " bytes of class %s", bytes,
                  catalog_class_name(class));
    return -ENOSPC;
}

void blobs_look(struct blobs *blobs)
{
    struct now_reading now;
    if (blobs->is_shut)
        return;
    adoption_settle(blobs);
    now_read(&now);
    measure(blobs);
    if (now.quality != NOW_UNSET && blobs->has_undated &&
        group_enter(blobs->group) == 0) {
        blobs->has_undated = catalog_date(store_of(blobs), now.utc_us) != 0;
        group_ask(blobs->group, 1, false);
    }
    heirs_look(blobs);
    if (now.quality != NOW_UNSET) {
        release_prompt(blobs, now.utc_us);
        release_for(blobs, stock_excess(&blobs->stock), now.utc_us);
        measure(blobs);
    }
    tell_low(blobs);
    tell_back(blobs);
    blobs->has_old |=
        blobs->left > 0 && now_mono_us() - blobs->left_us >= BLOBS_LEFT_MS * 1000LL;
    if (eraser_wants(blobs) && blobs->wanted != NULL)
        blobs->wanted(blobs->owner);
}

void blobs_damaged(struct blobs *blobs, const struct digest *digest, const char *reason)
{
    struct catalog_blob row, after;
    bool is_on_its_way = blobs->spools.is_stuck && !depot_has(&blobs->depot, digest);
    if (catalog_get(store_of(blobs), digest, &row) != 0 || row.is_released ||
        row.is_damaged || is_on_its_way)
        return;
    after = row;
    after.is_damaged = true;
    change(blobs, &row, &after, "blob.damaged", reason);
}

/* ---- What is told of them */

/* What waits is of a class that goes to the city. */
static void print_classes(const struct blobs *blobs, struct buffer *out)
{
    const struct catalog_sum *sum = &blobs->sum;
    buffer_append_text(out, ",\"classes\":{");
    for (int class = 0; class < CATALOG_CLASSES; class ++) {
        bool goes = blobs->sends >> class & 1;
        buffer_printf(out,
                      "%s\"%s\":{\"count\":%" PRId64 ",\"bytes\":%" PRId64
                      ",\"waiting\":%" PRId64 ",\"uploaded\":%" PRId64 "}",
                      class ? "," : "", catalog_class_name(class), sum->count[class],
                      sum->bytes[class], goes ? sum->parcels[class] : 0,
                      sum->uploaded[class]);
    }
    buffer_append_text(out, "}");
}

/* Files that do not go for a while, because they came to nothing: the reason of one. */
static void print_aside(const struct blobs *blobs, struct buffer *out)
{
    struct buffer why = {0};
    int64_t count = 0;
    if (blobs->sends != 0 && notes_count_aside(store_of(blobs), &count, &why) == 0 &&
        count > 0) {
        buffer_printf(out, ",\"aside\":{\"count\":%" PRId64 ",\"why\":", count);
        json_put_bytes(out, why.bytes, why.length);
        buffer_append_text(out, "}");
    }
    buffer_free(&why);
}

void blobs_print(struct blobs *blobs, struct buffer *out)
{
    int64_t count = 0;
    measure(blobs);
    for (int class = 0; class < CATALOG_CLASSES; class ++)
        count += blobs->sum.count[class];
    buffer_printf(out,
                  "{\"count\":%" PRId64 ",\"bytes\":%" PRId64 ",\"quota\":%" PRId64
                  ",\"reserve\":%" PRId64 ",\"percent\":%d,\"days_left\":%" PRId64
                  ",\"open\":%d,\"releasing\":%" PRId64 ",\"unerased\":%" PRId64
                  ",\"damaged\":%" PRId64 ",\"full\":\"%s\"",
                  count, blobs->stock.bytes, blobs->stock.quota, blobs->stock.reserve,
                  stock_percent(&blobs->stock), days_left(blobs),
                  spools_count(&blobs->spools), blobs->sum.released, blobs->left,
                  blobs->sum.damaged,
                  blobs->refusal.full ? catalog_class_name(blobs->refusal.full - 1) : "");
    print_classes(blobs, out);
    print_aside(blobs, out);
    buffer_append_text(out, "}");
}
