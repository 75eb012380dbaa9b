/* round - see round.h.
 *
 * Invariant: `at` is the parcel of the one question or request that is open, or NULL while none is
 * but a list's; then `next` runs. */
#include "courier/round.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/now.h"
#include "base/random.h"
#include "courier/aside.h"
#include "courier/keeperline.h"
#include "courier/parcel.h"
#include "courier/settings.h"
#include "courier/web.h"

enum { WAIT_LEAST_MS = 100, PATIENCE = 3 };

struct round {
    struct loop *loop;
    struct keeperline *keeper;
    struct web *web;
    struct settings settings;
    struct parcel *parcels; /* those of the newest list, in its order */
    size_t count;
    struct parcel *at;
    struct buffer receipt; /* of `at`, while its deed is TELL */
    struct buffer text;
    struct loop_timer next, tick;
    int64_t listed_ms; /* when the list came; 0 it is wanted */
    int64_t held_ms;   /* the server is left alone until then, */
    unsigned halts;    /* after so many halts that nothing has come between */
    int64_t rate;      /* that the hour allowed when `at` was begun */
    bool is_listing, is_started, is_over;
    int verdict;
    char told[TUS_WHY_ROOM]; /* about the server, the last that was logged */
};

static void advance(struct round *round);

static int64_t mono_ms(void)
{
    return now_mono_us() / 1000;
}

static void end(struct round *round, int verdict)
{
    round->verdict = verdict;
    round->is_over = true;
    web_stop(round->web);
    loop_stop(round->loop);
}

/* The office's own clock, on the wall. */
static int64_t rate_now(const struct round *round)
{
    time_t now = (time_t)(now_utc_us() / 1000000);
    struct tm day;
    if (now_quality() == NOW_UNSET)
        return hours_slowest(&round->settings.hours);
    localtime_r(&now, &day);
    return hours_rate(&round->settings.hours, day.tm_hour * 60 + day.tm_min);
}

/* ---- What came of a deed */

/* Full jitter; but who is refused does not come again at once, and who was told when, not before. */
static int64_t wait_of(const struct tus *tus, int64_t wait_ms)
{
    int64_t least = wait_ms < TUS_REFUSED_MS ? WAIT_LEAST_MS : wait_ms / 2;
    int64_t wait =
        wait_ms <= least ? least : least + random_below((uint32_t)(wait_ms - least));
    return wait > tus->least_ms ? wait : tus->least_ms;
}

/* How long the server is left alone: as long as all files together have been failing, not this one,
 * which may be the only one that does. */
static int64_t hold(struct round *round, const struct tus *tus)
{
    int64_t bound_ms = tus_wait_ms(++round->halts);
    return wait_of(tus, tus->wait_ms < TUS_REFUSED_MS ? bound_ms : tus->wait_ms);
}

static void tell_trouble(struct round *round, struct parcel *parcel,
                         enum tus_verdict verdict, int64_t wait_ms)
{
    const char *why = parcel->tus.why;
    char *told = verdict == TUS_HALT ? round->told : parcel->told;
    if (why[0] == '\0' || strcmp(told, why) == 0)
        return;
    snprintf(told, TUS_WHY_ROOM, "%s", why);
    log_warn("file %.16s: %s; next try in %" PRId64 " s", parcel->sha256, why,
             (wait_ms + 999) / 1000);
}

/* A file that has failed again and again lets others go first when the server is asked again. */
static int64_t wait_after(struct round *round, const struct tus *tus,
                          enum tus_verdict verdict)
{
    int64_t wait_ms = 0;
    if (verdict == TUS_HALT) {
        wait_ms = hold(round, tus);
        round->held_ms = mono_ms() + wait_ms;
    }
    if (verdict == TUS_REST || (verdict == TUS_HALT && tus->failures >= PATIENCE))
        wait_ms += wait_of(tus, tus->wait_ms);
    return wait_ms;
}

static void consider_leaving(struct parcel *parcel)
{
    struct tus *tus = &parcel->tus;
    parcel->leave_ms = aside_ms(tus);
    if (parcel->leave_ms > 0 && tus->why[0] == '\0')
        snprintf(tus->why, sizeof(tus->why), "the city gives no receipt for it");
}

static void settle(struct round *round, enum tus_verdict verdict)
{
    struct parcel *parcel = round->at;
    int64_t wait_ms = wait_after(round, &parcel->tus, verdict);
    parcel->due_ms = mono_ms() + wait_ms;
    if (verdict != TUS_HALT)
        round->told[0] = '\0'; /* the server answers */
    if (verdict != TUS_GO)
        consider_leaving(parcel);
    tell_trouble(round, parcel, verdict, parcel->leave_ms ? parcel->leave_ms : wait_ms);
    if (parcel->tus.deed == TUS_DONE) {
        log_info("file %.16s: the city has it, %" PRId64 " bytes", parcel->sha256,
                 parcel->size);
        round->listed_ms = 0;
    }
    round->at = NULL;
    advance(round);
}

static void web_ended(void *owner, const struct web_answer *answer)
{
    static const enum tus_fault FAULTS[] = {[WEB_GOOD] = TUS_GOOD,
                                            [WEB_CUT] = TUS_CUT,
                                            [WEB_TRUST] = TUS_TRUST,
                                            [WEB_SHORT] = TUS_SHORT};
    struct round *round = owner;
    struct tus *tus = &round->at->tus;
    struct tus_answer said = {.fault = FAULTS[answer->fault],
                              .status = answer->status,
                              .offset = answer->offset,
                              .length = answer->length,
                              .retry_s = answer->retry_s,
                              .is_tus = answer->is_tus,
                              .location = answer->location,
                              .said = answer->why};
    bool is_receipt = tus->deed == TUS_FETCH, is_question = tus->deed == TUS_ASK;
    enum tus_verdict verdict = tus_answer(tus, &said);
    if (verdict == TUS_GO && !is_question) /* one that answers may still take nothing */
        round->halts = 0;
    if (is_receipt && tus->deed == TUS_TELL) {
        buffer_clear(&round->receipt);
        buffer_append(&round->receipt, answer->body, answer->body_length);
    }
    settle(round, verdict);
}

/* ---- Deeds */

static void request(struct round *round, const char *method, const char *url,
                    const char *const *headers)
{
    struct web_wish wish = {.method = method, .url = url, .headers = headers, .body = -1};
    web_start(round->web, &wish);
}

static void create(struct round *round)
{
    char length[48];
    snprintf(length, sizeof(length), "Upload-Length: %" PRId64, round->at->size);
    buffer_clear(&round->text);
    parcel_print_metadata(round->at, &round->settings, &round->text);
    const char *const headers[] = {"Tus-Resumable: 1.0.0", length,
                                   "Content-Type:", buffer_text(&round->text), NULL};
    request(round, "POST", round->settings.url, headers);
}

static void note(struct round *round)
{
    buffer_clear(&round->text);
    parcel_print_note(round->at, &round->text);
    keeperline_note(round->keeper, round->at->sha256, &round->text);
}

static void set_aside(struct round *round)
{
    buffer_clear(&round->text);
    parcel_print_note(round->at, &round->text);
    keeperline_set_aside(round->keeper, round->at->sha256, &round->text,
                         round->at->leave_ms, round->at->tus.why);
}

static void ask(struct round *round)
{
    static const char *const HEADERS[] = {"Tus-Resumable: 1.0.0", NULL};
    request(round, "HEAD", round->at->tus.url, HEADERS);
}

static void draw(struct round *round)
{
    keeperline_draw(round->keeper, round->at->sha256, round->at->tus.offset);
}

static void fetch(struct round *round)
{
    static const char *const HEADERS[] = {NULL};
    buffer_clear(&round->text);
    parcel_print_receipt_url(round->at, &round->settings, &round->text);
    request(round, "GET", buffer_text(&round->text), HEADERS);
}

static void tell(struct round *round)
{
    keeperline_handover(round->keeper, &round->receipt);
}

static void (*const DEEDS[])(struct round *round) = {
    [TUS_CREATE] = create, [TUS_NOTE] = note,   [TUS_ASK] = ask,
    [TUS_SEND] = draw,     [TUS_FETCH] = fetch, [TUS_TELL] = tell,
};

static void drawn(void *owner, int pipe, int err, const char *text)
{
    struct round *round = owner;
    const struct tus *tus = &round->at->tus;
    char offset[48];
    if (err) {
        struct tus_answer answer = {.fault = TUS_SHORT, .said = text};
        settle(round, tus_answer(&round->at->tus, &answer));
        return;
    }
    snprintf(offset, sizeof(offset), "Upload-Offset: %" PRId64, tus->offset);
    const char *const headers[] = {"Tus-Resumable: 1.0.0", offset,
                                   "Content-Type: application/offset+octet-stream", NULL};
    struct web_wish wish = {.method = "PATCH",
                            .url = tus->url,
                            .headers = headers,
                            .body = pipe,
                            .length = tus->size - tus->offset,
                            .rate = round->rate};
    web_start(round->web, &wish);
}

/* Another file has its place until the keeper names it again. */
static void leave(struct round *round)
{
    round->at->tus.deed = TUS_DONE;
    round->listed_ms = 0;
    round->at = NULL;
    advance(round);
}

static void done(void *owner, int err, const char *text)
{
    struct round *round = owner;
    struct tus *tus = &round->at->tus;
    if (err)
        log_warn("file %.16s: the keeper refuses: %s (%s)", round->at->sha256, text,
                 strerror(-err));
    if (round->at->leave_ms > 0 || (tus->deed == TUS_NOTE && err == -ENOENT))
        leave(round); /* set aside; or the keeper has it no more */
    else if (tus->deed == TUS_TELL)
        settle(round, tus_told(tus, err));
    else if (err == 0)
        settle(round, tus_noted(tus));
    else
        end(round, 1); /* it cannot be made durable: started anew, later and later */
}

/* ---- What is next */

static struct parcel *find(struct round *round, const char *sha256)
{
    for (size_t i = 0; i < round->count; i++)
        if (strcmp(round->parcels[i].sha256, sha256) == 0)
            return &round->parcels[i];
    return NULL;
}

/* What is known of those that were listed before stays known. */
static void listed(void *owner, const struct fields *entries)
{
    struct round *round = owner;
    struct fields rest = *entries;
    struct field field;
    size_t count = 0;
    struct parcel *parcels = mem_zeroed(TALK_PARCELS_MAX * sizeof(*parcels));
    while (count < TALK_PARCELS_MAX && fields_next(&rest, &field) > 0) {
        if (field.tag != TAG_ENTRY || parcel_read(&parcels[count], &field) != 0)
            continue;
        const struct parcel *known = find(round, parcels[count].sha256);
        struct tus *tus = &parcels[count].tus;
        if (known != NULL && known->tus.deed != TUS_DONE)
            parcels[count] = *known;
        else if (!web_is_same_server(round->settings.url, tus->url))
            tus_move(tus);
        count++;
    }
    mem_free(round->parcels);
    round->parcels = parcels;
    round->count = count;
    round->is_listing = false;
    round->listed_ms = mono_ms();
    advance(round);
}

/* Needs the keeper only. */
static bool is_local(const struct parcel *parcel)
{
    return parcel->leave_ms > 0 || parcel->tus.deed == TUS_TELL ||
           parcel->tus.deed == TUS_NOTE;
}

/* Receipts first: they are small, and with each one less is in the balance. */
static struct parcel *choose(struct round *round, int64_t now_ms, int64_t *soonest_ms)
{
    struct parcel *first = NULL;
    for (size_t i = 0; i < round->count; i++) {
        struct parcel *parcel = &round->parcels[i];
        if (parcel->tus.deed == TUS_DONE)
            continue;
        if (parcel->due_ms > now_ms && parcel->leave_ms == 0) {
            if (parcel->due_ms < *soonest_ms)
                *soonest_ms = parcel->due_ms;
        } else if (is_local(parcel)) {
            return parcel;
        } else if (first == NULL || (parcel->tus.is_sent && !first->tus.is_sent)) {
            first = parcel;
        }
    }
    return first;
}

static void sleep_until(struct round *round, int64_t ms)
{
    int64_t now_ms = mono_ms();
    loop_timer_start(round->loop, &round->next, ms > now_ms ? ms - now_ms : 0);
}

static void advance(struct round *round)
{
    int64_t now_ms = mono_ms();
    int64_t soonest_ms = now_ms + ROUND_LIST_MS, rate = rate_now(round);
    if (round->is_over || !round->is_started || round->is_listing || round->at != NULL)
        return;
    struct parcel *parcel = choose(round, now_ms, &soonest_ms);
    bool needs_line = parcel == NULL || !is_local(parcel);
    if (needs_line &&
        (round->listed_ms == 0 || now_ms - round->listed_ms >= ROUND_LIST_MS)) {
        round->is_listing = true;
        keeperline_list(round->keeper);
    } else if (needs_line && rate == HOURS_CLOSED) {
        sleep_until(round, now_ms + ROUND_TICK_MS);
    } else if (needs_line && round->held_ms > now_ms) {
        sleep_until(round, round->held_ms < soonest_ms ? round->held_ms : soonest_ms);
    } else if (parcel == NULL) {
        sleep_until(round, soonest_ms);
    } else {
        loop_timer_stop(&round->next);
        round->at = parcel;
        round->rate =
            rate; /* one look at the hour: it may end before the file is drawn */
        if (parcel->leave_ms > 0)
            set_aside(round);
        else
            DEEDS[parcel->tus.deed](round);
    }
}

static void wait_over(struct loop_timer *timer)
{
    advance(container_of(timer, struct round, next));
}

/* ---- The keeper */

static void say_health(struct round *round)
{
    struct buffer json = {0};
    size_t sent = 0, anew = 0;
    const struct parcel *at = round->at;
    bool uploads = at != NULL && at->tus.deed == TUS_SEND;
    for (size_t i = 0; i < round->count; i++) {
        sent += round->parcels[i].tus.is_sent;
        anew += round->parcels[i].tus.anew > 0;
    }
    buffer_printf(&json, "{\"state\":\"%s\",\"waiting\":%zu,\"without_receipt\":%zu",
                  uploads                           ? "uploading"
                  : rate_now(round) == HOURS_CLOSED ? "closed"
                  : round->held_ms > mono_ms()      ? "trouble"
                                                    : "idle",
                  round->count - sent, sent);
    if (uploads)
        buffer_printf(&json, ",\"sha256\":\"%s\",\"sent\":%" PRId64 ",\"size\":%" PRId64,
                      at->sha256, at->tus.offset + web_sent(round->web), at->size);
    if (anew > 0)
        buffer_printf(&json, ",\"anew\":%zu", anew);
    if (round->told[0] != '\0') {
        buffer_append_text(&json, ",\"trouble\":");
        json_put_text(&json, round->told);
    }
    buffer_append_text(&json, "}");
    keeperline_health(round->keeper, buffer_text(&json));
    buffer_free(&json);
}

/* Another hour, another rate: what is under way is cut there, and goes on from what has arrived. */
static void look_at_hour(struct round *round)
{
    if (round->at == NULL || round->at->tus.deed != TUS_SEND ||
        !web_is_busy(round->web) || rate_now(round) == round->rate)
        return;
    web_stop(round->web);
    tus_interrupt(&round->at->tus);
    settle(round, TUS_GO);
}

static void tick(struct loop_timer *timer)
{
    struct round *round = container_of(timer, struct round, tick);
    loop_timer_start(round->loop, timer, ROUND_TICK_MS);
    look_at_hour(round);
    say_health(round);
}

static void start(void *owner, const void *config, size_t length)
{
    struct round *round = owner;
    char why[SETTINGS_WHY_ROOM];
    if (round->is_started || settings_read(&round->settings, config, length, why) != 0) {
        log_error("START: %s; ending", round->is_started ? "came twice" : why);
        end(round, 1);
        return;
    }
    now_lift_floor(round->settings.floor_us);
    if (round->settings.timezone != NULL)
        setenv("TZ", round->settings.timezone, 1);
    tzset();
    const struct web_trust trust = {round->settings.ca, round->settings.cert,
                                    round->settings.key};
    if (web_open(&round->web, round->loop, &trust, web_ended, round) != 0) {
        log_error("libcurl cannot be used; ending");
        end(round, 1);
        return;
    }
    round->is_started = true;
    loop_timer_start(round->loop, &round->tick, 0);
    advance(round);
}

static void stop(void *owner)
{
    end(owner, 0);
}

static void closed(void *owner)
{
    end(owner, 1);
}

static const struct keeperline_calls CALLS = {.start = start,
                                              .listed = listed,
                                              .done = done,
                                              .drawn = drawn,
                                              .stop = stop,
                                              .closed = closed};

/* ---- Life */

int round_open(struct round **out, struct loop *loop, int fd)
{
    struct round *round = mem_new(struct round);
    round->loop = loop;
    round->next.fire = wait_over;
    round->tick.fire = tick;
    *out = round;
    return keeperline_open(&round->keeper, loop, fd, &CALLS, round);
}

void round_close(struct round *round)
{
    if (round == NULL)
        return;
    loop_timer_stop(&round->next);
    loop_timer_stop(&round->tick);
    web_close(round->web);
    keeperline_close(round->keeper);
    settings_free(&round->settings);
    buffer_free(&round->receipt);
    buffer_free(&round->text);
    mem_free(round->parcels);
    mem_free(round);
}

int round_verdict(const struct round *round)
{
    return round->verdict;
}
