/* challenge - see challenge.h.
 *
 * A head may have several of them, and a line of it too:
 *
 *   WWW-Authenticate: Basic realm="a, b", Digest realm="c", nonce="d", qop="auth, auth-int"
 *
 * A word that other words follow begins the next one; one alone is none, or a list without its quotes
 * (qop=auth,auth-int). What stands in quotes is taken as it stands there,
 * backslashes too, in the sums and in the answer. */
#include "host/web/challenge.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "base/hex.h"

enum { HEX_ROOM = 2 * DIGEST_BYTES_MAX + 1 };

static const struct {
    const char *name;
    enum digest_kind kind;
    int strength;
} ALGORITHMS[] = {
    {"MD5", DIGEST_MD5, 1},
    {"SHA-256", DIGEST_SHA256, 2},
    {"SHA-512-256", DIGEST_SHA512_256, 3},
};

/* ---- Words */

struct word {
    const char *at;
    size_t length;
};

static bool is_word(const struct word *word, const char *text)
{
    return word->length == strlen(text) && strncasecmp(word->at, text, word->length) == 0;
}

static struct word token(const char **at)
{
    struct word word = {*at, strcspn(*at, " \t,;=\"")};
    *at += word.length;
    return word;
}

/* In quotes, up to the next that no backslash covers, or to the end. */
static struct word quoted(const char **at)
{
    const char *end = ++*at;
    while (*end != '\0' && *end != '"')
        end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    struct word word = {*at, (size_t)(end - *at)};
    *at = *end == '"' ? end + 1 : end;
    return word;
}

/* What is too long, or would end a line of the answer, is refused. */
static bool copy(char *to, size_t room, const struct word *word)
{
    if (word->length >= room)
        return false;
    for (size_t i = 0; i < word->length; i++)
        if ((unsigned char)word->at[i] < ' ')
            return false;
    memcpy(to, word->at, word->length);
    to[word->length] = '\0';
    return true;
}

/* ---- Reading */

static bool read_algorithm(struct challenge *one, const struct word *value)
{
    struct word name = *value;
    one->session =
        name.length > 5 && strncasecmp(name.at + name.length - 5, "-sess", 5) == 0;
    name.length -= one->session ? 5 : 0;
    one->strength = 0;
    for (size_t i = 0; i < countof(ALGORITHMS); i++)
        if (is_word(&name, ALGORITHMS[i].name)) {
            one->kind = ALGORITHMS[i].kind;
            one->strength = ALGORITHMS[i].strength;
        }
    return copy(one->algorithm, sizeof(one->algorithm), value) && one->strength > 0;
}

/* "auth" where it is offered, else "auth-int". */
static enum challenge_guard guard_of(const struct word *value)
{
    enum challenge_guard guard = CHALLENGE_BARE;
    const char *at = value->at, *end = value->at + value->length;
    while (at < end) {
        struct word one = {at, strcspn(at, " \t,\"")};
        if (is_word(&one, "auth"))
            return CHALLENGE_AUTH;
        if (is_word(&one, "auth-int"))
            guard = CHALLENGE_BODY;
        at += one.length + 1;
    }
    return guard;
}

/* False when it cannot be answered. */
static bool take(struct challenge *one, const struct word *name, const struct word *value)
{
    if (is_word(name, "realm"))
        return copy(one->realm, sizeof(one->realm), value);
    if (is_word(name, "nonce"))
        return copy(one->nonce, sizeof(one->nonce), value);
    if (is_word(name, "algorithm"))
        return read_algorithm(one, value);
    if (is_word(name, "opaque")) {
        one->has_opaque = true;
        return copy(one->opaque, sizeof(one->opaque), value);
    }
    if (is_word(name, "qop"))
        one->guard = guard_of(value);
    else if (is_word(name, "stale"))
        one->stale = is_word(value, "true");
    else if (is_word(name, "userhash"))
        one->hides_user = is_word(value, "true");
    return true;
}

/* What a line is read into: the best until now, and the one that is being read. */
struct reading {
    struct challenge *best;
    struct challenge one;
    const char *scheme; /* that is looked for, or NULL */
    bool is_digest;
    bool is_found; /* the scheme */
};

static void end_one(struct reading *reading)
{
    if (reading->best != NULL && reading->is_digest && reading->one.nonce[0] != '\0' &&
        reading->one.strength > reading->best->strength)
        *reading->best = reading->one;
    reading->is_digest = false;
}

static void begin_one(struct reading *reading, const struct word *scheme, bool is_alone)
{
    if (reading->scheme != NULL && is_word(scheme, reading->scheme))
        reading->is_found = true;
    if (is_alone)
        return;
    end_one(reading);
    reading->is_digest = is_word(scheme, "Digest");
    reading->one = (struct challenge){.kind = DIGEST_MD5, .strength = 1};
}

static void read_line(struct reading *reading, const char *at)
{
    while (*(at += strspn(at, " \t,;")) != '\0') {
        struct word name = token(&at), value;
        const char *behind = at + strspn(at, " \t");
        if (*behind != '=') {
            begin_one(reading, &name, strchr(",;", *behind) != NULL);
            at += name.length == 0; /* what is no word */
            continue;
        }
        at = behind + 1;
        at += strspn(at, " \t");
        value = *at == '"' ? quoted(&at) : token(&at);
        if (!take(&reading->one, &name, &value))
            reading->is_digest = false;
    }
    end_one(reading);
}

static void read_head(struct reading *reading, const struct headers *headers)
{
    const char *name, *value;
    size_t at = 0;
    while (headers_next(headers, &at, &name, &value))
        if (strcmp(name, "www-authenticate") == 0)
            read_line(reading, value);
}

bool challenge_read(struct challenge *challenge, const struct headers *headers)
{
    struct reading reading = {.best = challenge};
    *challenge = (struct challenge){.strength = 0};
    read_head(&reading, headers);
    return challenge->strength > 0;
}

bool challenge_names(const struct headers *headers, const char *scheme)
{
    struct reading reading = {.scheme = scheme};
    read_head(&reading, headers);
    return reading.is_found;
}

/* ---- Answering */

static void sum(char out[HEX_ROOM], enum digest_kind kind, const void *bytes,
                size_t length)
{
    unsigned char digest[DIGEST_BYTES_MAX];
    hex_encode(out, digest, digest_take(digest, kind, bytes, length));
}

/* Of texts with colons between them; NULL ends them. */
static void sum_of(char out[HEX_ROOM], enum digest_kind kind, const char *const *texts)
{
    struct buffer all = {0};
    for (size_t i = 0; texts[i] != NULL; i++)
        buffer_printf(&all, i > 0 ? ":%s" : "%s", texts[i]);
    sum(out, kind, all.bytes, all.length);
    buffer_free(&all);
}

#define SUM(out, kind, ...) sum_of(out, kind, (const char *const[]){__VA_ARGS__, NULL})

static const char *const GUARDS[] = {
    [CHALLENGE_BARE] = NULL, [CHALLENGE_AUTH] = "auth", [CHALLENGE_BODY] = "auth-int"};
static const char COUNT[] = "00000001"; /* each request has a nonce of its own */

static void response(char out[HEX_ROOM], const struct challenge *asked,
                     const struct challenge_login *login)
{
    char who[HEX_ROOM], what[HEX_ROOM], body[HEX_ROOM];
    SUM(who, asked->kind, login->user, asked->realm, login->password);
    if (asked->session)
        SUM(who, asked->kind, who, asked->nonce, login->cnonce);
    if (asked->guard == CHALLENGE_BODY) {
        sum(body, asked->kind, login->body != NULL ? login->body : "",
            login->body_length);
        SUM(what, asked->kind, login->method, login->target, body);
    } else {
        SUM(what, asked->kind, login->method, login->target);
    }
    if (asked->guard == CHALLENGE_BARE)
        SUM(out, asked->kind, who, asked->nonce, what);
    else
        SUM(out, asked->kind, who, asked->nonce, COUNT, login->cnonce,
            GUARDS[asked->guard], what);
}

static void append_escaped(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buffer_append(out, "\\", 1);
        buffer_append(out, text, 1);
    }
}

static void append_user(struct buffer *out, const struct challenge *asked,
                        const char *user)
{
    char hidden[HEX_ROOM];
    buffer_append_text(out, "Digest username=\"");
    if (asked->hides_user) {
        SUM(hidden, asked->kind, user, asked->realm);
        buffer_append_text(out, hidden);
    } else {
        append_escaped(out, user);
    }
    buffer_append_text(out, "\"");
}

void challenge_answer(struct buffer *out, const struct challenge *asked,
                      const struct challenge_login *login)
{
    char digits[HEX_ROOM];
    response(digits, asked, login);
    append_user(out, asked, login->user);
    buffer_printf(out, ", realm=\"%s\", nonce=\"%s\", uri=\"%s\"", asked->realm,
                  asked->nonce, login->target);
    if (asked->guard != CHALLENGE_BARE || asked->session)
        buffer_printf(out, ", cnonce=\"%s\"", login->cnonce);
    if (asked->guard != CHALLENGE_BARE)
        buffer_printf(out, ", nc=%s, qop=%s", COUNT, GUARDS[asked->guard]);
    buffer_printf(out, ", response=\"%s\"", digits);
    if (asked->has_opaque)
        buffer_printf(out, ", opaque=\"%s\"", asked->opaque);
    if (asked->algorithm[0] != '\0')
        buffer_printf(out, ", algorithm=%s", asked->algorithm);
    if (asked->hides_user)
        buffer_append_text(out, ", userhash=true");
}
