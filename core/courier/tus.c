/* tus - see tus.h.
 *
 * Invariant: SEND follows only an answer that said where to go on (201: at 0), and every other
 * end of it goes through ASK. */
#include "courier/tus.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

static int64_t doubled(unsigned times, int64_t first_ms, int64_t most_ms)
{
    int64_t ms = first_ms;
    while (times-- > 0 && ms < most_ms)
        ms *= 2;
    return ms < most_ms ? ms : most_ms;
}

int64_t tus_wait_ms(unsigned failures)
{
    return doubled(failures > 0 ? failures - 1 : 0, TUS_FIRST_MS, TUS_AGAIN_MOST_MS);
}

static enum tus_verdict go(struct tus *tus, enum tus_deed deed)
{
    tus->deed = deed;
    tus->wait_ms = tus->least_ms = 0;
    tus->is_refused = false;
    tus->why[0] = '\0';
    return TUS_GO;
}

/* The same again, later and later. */
static enum tus_verdict again(struct tus *tus, enum tus_verdict verdict, const char *why)
{
    tus->wait_ms = tus_wait_ms(++tus->failures);
    tus->least_ms = 0;
    tus->is_refused = false;
    snprintf(tus->why, sizeof(tus->why), "%s", why);
    return verdict;
}

/* Trying again would not help: once in a long while. */
static enum tus_verdict refused(struct tus *tus, enum tus_verdict verdict,
                                const char *why)
{
    tus->failures++;
    tus->wait_ms = TUS_REFUSED_MS;
    tus->least_ms = 0;
    tus->is_refused = verdict == TUS_REST;
    snprintf(tus->why, sizeof(tus->why), "%s", why);
    return verdict;
}

static bool is_unknown(int status)
{
    return status == 404 || status == 410;
}

/* What is no answer to this request, but about the server or us. */
static enum tus_verdict judge(struct tus *tus, const struct tus_answer *answer)
{
    char why[TUS_WHY_ROOM];
    if (answer->fault != TUS_GOOD) {
        snprintf(why, sizeof(why), "%s",
                 answer->said != NULL ? answer->said : "no connection");
        if (answer->fault == TUS_CUT)
            return again(tus, TUS_HALT, why);
        return refused(tus, answer->fault == TUS_TRUST ? TUS_HALT : TUS_REST, why);
    }
    snprintf(why, sizeof(why), "the server answers %d", answer->status);
    switch (answer->status) {
    case 409: /* not where the file ends: asked again, so is the answer to 460 */
    case 423: /* somebody else writes: an earlier request of ours that is not over there */
    case 460:
        return again(tus, TUS_REST, why);
    case 408:
    case 425:
    case 429:
        return again(tus, TUS_HALT, why);
    case 401:
    case 403:
        return refused(tus, TUS_HALT, why);
    default:
        return answer->status >= 500 ? again(tus, TUS_HALT, why)
                                     : refused(tus, TUS_REST, why);
    }
}

static enum tus_verdict fail(struct tus *tus, const struct tus_answer *answer)
{
    enum tus_verdict verdict = judge(tus, answer);
    int64_t retry_ms = answer->retry_s < TUS_RETRY_MOST_MS / 1000 ? answer->retry_s * 1000
                                                                  : TUS_RETRY_MOST_MS;
    if (answer->fault == TUS_GOOD && !tus->is_refused && retry_ms > 0)
        tus->least_ms = retry_ms;
    return verdict;
}

/* ---- The upload */

static enum tus_verdict lose(struct tus *tus)
{
    tus->is_lost = true;
    tus->looks = 0;
    return go(tus, TUS_FETCH);
}

/* 404, 410: a proxy whose server is away says so too, and all bytes would go again. */
static enum tus_verdict miss(struct tus *tus, const struct tus_answer *answer)
{
    char why[TUS_WHY_ROOM];
    tus->deed = TUS_ASK;
    if (answer->is_tus || tus->failures >= TUS_DOUBTS)
        return lose(tus);
    snprintf(why, sizeof(why), "%d comes from no tus server", answer->status);
    return again(tus, TUS_REST, why);
}

static enum tus_verdict be_sent(struct tus *tus)
{
    bool was_sent = tus->is_sent;
    tus->is_sent = true;
    return go(tus, was_sent ? TUS_FETCH : TUS_NOTE);
}

static enum tus_verdict created(struct tus *tus, const struct tus_answer *answer)
{
    if (answer->fault != TUS_GOOD || answer->status != 201)
        return fail(tus, answer);
    if (answer->location == NULL || strlen(answer->location) > TUS_URL_MAX)
        return refused(tus, TUS_REST,
                       "the server gave the upload no place of its own on it");
    strcpy(tus->url, answer->location);
    tus->offset = tus->best = 0;
    return go(tus, TUS_NOTE);
}

/* Only more bytes than ever before are progress: a server that answers HEAD may still take none. */
static enum tus_verdict go_on(struct tus *tus, int64_t offset)
{
    if (offset > tus->best)
        tus->failures = 0;
    tus->has_moved |= tus->deed == TUS_SEND;
    tus->best = offset > tus->best ? offset : tus->best;
    tus->offset = offset;
    if (offset == tus->size)
        return be_sent(tus);
    tus->is_sent = false;
    return go(tus, TUS_SEND);
}

static enum tus_verdict asked(struct tus *tus, const struct tus_answer *answer)
{
    if (answer->fault != TUS_GOOD)
        return fail(tus, answer);
    if (is_unknown(answer->status))
        return miss(tus, answer);
    if (answer->status / 100 != 2)
        return fail(tus, answer);
    if (answer->offset < 0) /* as the page of a proxy */
        return again(tus, TUS_REST, "the server does not say how much it has");
    if (answer->offset > tus->size ||
        (answer->length >= 0 && answer->length != tus->size))
        return lose(tus); /* that is another file's */
    return go_on(tus, answer->offset);
}

static enum tus_verdict sent(struct tus *tus, const struct tus_answer *answer)
{
    if (answer->fault == TUS_GOOD && answer->status / 100 == 2 &&
        answer->offset > tus->offset && answer->offset <= tus->size)
        return go_on(tus, answer->offset);
    tus->deed = TUS_ASK;
    if (answer->fault == TUS_GOOD && is_unknown(answer->status))
        return miss(tus, answer);
    if (answer->fault == TUS_GOOD && answer->status / 100 == 2)
        return again(tus, TUS_REST, "the server has not taken what it was sent");
    return fail(tus, answer);
}

/* ---- The receipt */

static enum tus_verdict begin_anew(struct tus *tus)
{
    tus->url[0] = '\0';
    tus->is_sent = tus->is_lost = false;
    tus->looks = 0;
    go(tus, TUS_CREATE);
    tus->wait_ms = doubled(tus->anew++, TUS_FIRST_MS, TUS_ANEW_MOST_MS);
    snprintf(tus->why, sizeof(tus->why),
             "the server has neither the upload nor a receipt; uploaded anew");
    return TUS_REST;
}

static enum tus_verdict look_again(struct tus *tus)
{
    unsigned most = tus->is_lost ? TUS_LAST_LOOKS : TUS_LOOKS;
    tus->wait_ms = doubled(tus->looks++, TUS_FIRST_MS, TUS_LOOK_MOST_MS);
    if (tus->looks % most != 0)
        return TUS_REST;
    if (tus->is_lost)
        return begin_anew(tus);
    tus->deed = TUS_ASK; /* it may have been refused there */
    return TUS_REST;
}

static enum tus_verdict fetched(struct tus *tus, const struct tus_answer *answer)
{
    if (answer->fault != TUS_GOOD ||
        (answer->status != 200 && !is_unknown(answer->status)))
        return fail(tus, answer);
    if (answer->status == 200)
        return go(tus, TUS_TELL);
    tus->failures = 0;
    tus->why[0] = '\0';
    return look_again(tus);
}

enum tus_verdict tus_told(struct tus *tus, int err)
{
    ASSERT(tus->deed == TUS_TELL);
    if (err == 0)
        return go(tus, TUS_DONE);
    /* That of another log may lie there, or a proxy's page: whether this upload is there tells only the
     * server. */
    tus->deed = tus->is_lost ? TUS_FETCH : TUS_ASK;
    if (tus->is_lost && ++tus->looks >= TUS_LAST_LOOKS)
        return begin_anew(tus);
    return again(tus, TUS_REST, "the keeper does not accept the city's receipt");
}

/* ---- All of it */

void tus_begin(struct tus *tus, int64_t size, const char *url, bool is_sent)
{
    ASSERT(strlen(url) <= TUS_URL_MAX);
    *tus = (struct tus){.size = size, .is_sent = is_sent, .deed = TUS_ASK};
    strcpy(tus->url, url);
    if (url[0] == '\0')
        tus->deed = TUS_CREATE;
    else if (is_sent)
        tus->deed = TUS_FETCH;
}

enum tus_verdict tus_answer(struct tus *tus, const struct tus_answer *answer)
{
    switch (tus->deed) {
    case TUS_CREATE:
        return created(tus, answer);
    case TUS_ASK:
        return asked(tus, answer);
    case TUS_SEND:
        return sent(tus, answer);
    default:
        ASSERT(tus->deed == TUS_FETCH);
        return fetched(tus, answer);
    }
}

enum tus_verdict tus_noted(struct tus *tus)
{
    ASSERT(tus->deed == TUS_NOTE);
    if (tus->is_sent)
        return go(tus, TUS_FETCH);
    return go_on(tus, tus->offset);
}

void tus_move(struct tus *tus)
{
    if (tus->url[0] != '\0')
        lose(tus);
}

void tus_interrupt(struct tus *tus)
{
    if (tus->deed == TUS_SEND)
        tus->deed = TUS_ASK;
}
