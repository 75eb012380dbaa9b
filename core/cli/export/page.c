/* page - see page.h.
 *
 * Who reads it is in China: each time is shown as clocks there show it. The events beside the page
 * have it in UTC. */
#include "cli/export/page.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/json.h"
#include "base/now.h"
#include "cli/office/place.h"

enum { TEMPLATE_MAX = 256 * 1024, WORD_MAX = 96, SECONDS_END = 19 };

static const int64_t BEIJING_US = INT64_C(8) * 3600 * 1000 * 1000;

/* As text and as the value of an attribute. */
static void put_escaped(struct buffer *out, const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        switch (*text) {
        case '&':
            buffer_append_text(out, "&amp;");
            break;
        case '<':
            buffer_append_text(out, "&lt;");
            break;
        case '>':
            buffer_append_text(out, "&gt;");
            break;
        case '"':
            buffer_append_text(out, "&quot;");
            break;
        case '\'':
            buffer_append_text(out, "&#39;");
            break;
        default:
            buffer_append(out, text, 1);
        }
    }
}

/* A time of the journal, to the second; any other text as it is. */
static void put_moment(struct buffer *out, const char *text)
{
    char shown[NOW_TEXT_ROOM];
    int64_t utc_us;
    if (text == NULL || now_parse(&utc_us, text) != 0) {
        put_escaped(out, text);
        return;
    }
    now_format(shown, utc_us + BEIJING_US);
    shown[10] = ' ';
    buffer_append(out, shown, SECONDS_END);
}

/* A number, a list ... as JSON. */
static void put_value(struct buffer *out, const struct json *item)
{
    struct buffer text = {0};
    if (json_value(item) == NULL)
        json_print(&text, item);
    put_moment(out, json_value(item) != NULL ? json_value(item) : buffer_text(&text));
    buffer_free(&text);
}

/* `label` is the template's own: a word for people, or nothing. */
static void put_name(struct buffer *out, const char *label, size_t length,
                     const char *name)
{
    buffer_append(out, label, length);
    buffer_append_text(out, length > 0 ? " <code>" : "<code>");
    put_escaped(out, name);
    buffer_append_text(out, "</code>");
}

static void put_member(struct buffer *out, const char *label, size_t length,
                       const struct json *item)
{
    buffer_append_text(out, "<tr><th>");
    put_name(out, label, length, json_name(item));
    buffer_append_text(out, "</th><td>");
    put_value(out, item);
    buffer_append_text(out, "</td></tr>\n");
}

/* ---- The words of the template */

struct filling {
    const struct page_facts *facts;
    const struct json *last; /* the newest event of an export */
    const struct json *data; /* what the first event tells of the file */
    const char *text;        /* the template */
    size_t length;
};

/* "KIND name LABEL": the template's label for what is called so. NULL: it has none. */
static const char RECORDED[] = "RECORDED ", EVENT[] = "EVENT ";

static const char *label_of(const struct filling *filling, const char *kind,
                            const char *name, size_t *length)
{
    const char *end = filling->text + filling->length;
    struct buffer word = {0};
    buffer_printf(&word, "@%s%s ", kind, name);
    const char *at = memmem(filling->text, filling->length, word.bytes, word.length);
    const char *label = at != NULL ? at + word.length : end;
    const char *stop = memchr(label, '@', (size_t)(end - label));
    *length = stop != NULL ? (size_t)(stop - label) : 0;
    buffer_free(&word);
    return stop != NULL ? label : NULL;
}

static const char *who_of(const struct json *data)
{
    return json_text(json_get(data, "who"), "name");
}

static void put_type(struct buffer *out, const struct filling *filling, const char *type)
{
    size_t length = 0;
    const char *label = type != NULL ? label_of(filling, EVENT, type, &length) : NULL;
    put_name(out, label != NULL ? label : "", length, type);
}

static void put_row(struct buffer *out, const struct filling *filling,
                    const struct history_event *event)
{
    struct json *json = NULL;
    if (json_parse(&json, history_body(filling->facts->history, event), event->length) !=
        0)
        return;
    const struct json *data = json_get(json, "data");
    buffer_printf(out, "<tr><td><a href=\"events/%" PRIu64 ".json\">%" PRIu64 "</a></td>",
                  event->seq, event->seq);
    buffer_append_text(out, "<td>");
    put_moment(out, json_text(json, "time"));
    buffer_append_text(out, "</td><td>");
    put_type(out, filling, json_text(json, "type"));
    buffer_append_text(out, "</td><td>");
    put_escaped(out, who_of(data));
    buffer_append_text(out, "</td><td>");
    put_escaped(out, json_text(data, "reason"));
    buffer_append_text(out, "</td></tr>\n");
    json_free(json);
}

static void put_history(struct buffer *out, const struct filling *filling)
{
    const struct history *history = filling->facts->history;
    for (size_t i = 0; i < history_count(history); i++)
        put_row(out, filling, history_at(history, i));
}

/* One member, where there is such a one. */
static void put_one_recorded(struct buffer *out, const char *label, size_t length,
                             const char *name, const struct filling *filling)
{
    const struct json *item = json_get(filling->data, name);
    if (item != NULL)
        put_member(out, label, length, item);
}

/* The head of the row that explains a kind of events. */
static void put_one_event(struct buffer *out, const char *label, size_t length,
                          const char *name, const struct filling *filling)
{
    (void)filling;
    buffer_append_text(out, "<tr><th>");
    put_name(out, label, length, name);
    buffer_append_text(out, "</th>");
}

static const struct {
    const char *kind;
    void (*put)(struct buffer *out, const char *label, size_t length, const char *name,
                const struct filling *filling);
} LABELLED[] = {{RECORDED, put_one_recorded}, {EVENT, put_one_event}};

/* -ENOENT when it is another word. */
static int put_labelled(struct buffer *out, const char *word, size_t length,
                        const struct filling *filling)
{
    char name[WORD_MAX + 1] = "";
    for (size_t i = 0; i < countof(LABELLED); i++) {
        size_t start = strlen(LABELLED[i].kind);
        if (length <= start || memcmp(word, LABELLED[i].kind, start) != 0)
            continue;
        const char *label = memchr(word + start, ' ', length - start);
        if (label == NULL || label == word + start)
            return -EPROTO;
        memcpy(name, word + start, (size_t)(label - word) - start);
        LABELLED[i].put(out, label + 1, length - (size_t)(label + 1 - word), name,
                        filling);
        return 0;
    }
    return -ENOENT;
}

/* All other members, whatever the plugin has said, as it called them. */
static void put_recorded(struct buffer *out, const struct filling *filling)
{
    for (const struct json *item = json_first(filling->data); item != NULL;
         item = json_next(item)) {
        size_t length;
        if (label_of(filling, RECORDED, json_name(item), &length) == NULL)
            put_member(out, "", 0, item);
    }
}

static void put_unread(struct buffer *out, const struct filling *filling)
{
    uint64_t unread = filling->facts->history->unread;
    if (unread > 0)
        buffer_printf(out,
                      "<p>&#26377; %" PRIu64 " &#20010;&#20107;&#20214;"
                      "&#26080;&#27861;&#35835;&#20986;&#12290;</p>\n",
                      unread);
}

static void put_file(struct buffer *out, const struct filling *filling)
{
    put_escaped(out, filling->facts->name);
}

static void put_size(struct buffer *out, const struct filling *filling)
{
    buffer_printf(out, "%" PRId64,
                  json_number(json_get(filling->last, "data"), "size", 0));
}

static void put_sha256(struct buffer *out, const struct filling *filling)
{
    put_escaped(out, filling->facts->sha256);
}

static void put_sm3(struct buffer *out, const struct filling *filling)
{
    put_escaped(out, filling->facts->sm3);
}

static void put_office(struct buffer *out, const struct filling *filling)
{
    put_escaped(out, filling->facts->office);
}

static void put_log(struct buffer *out, const struct filling *filling)
{
    put_escaped(out, filling->facts->log);
}

static void put_who(struct buffer *out, const struct filling *filling)
{
    put_escaped(out, who_of(json_get(filling->last, "data")));
}

static void put_time(struct buffer *out, const struct filling *filling)
{
    put_moment(out, json_text(filling->last, "time"));
}

static void put_reason(struct buffer *out, const struct filling *filling)
{
    put_escaped(out, json_text(json_get(filling->last, "data"), "reason"));
}

static void put_key(struct buffer *out, const struct filling *filling)
{
    put_escaped(out, filling->facts->key);
}

static const struct {
    const char *word;
    void (*put)(struct buffer *out, const struct filling *filling);
} WORDS[] = {
    {"FILE", put_file},       {"SIZE", put_size},         {"SHA256", put_sha256},
    {"SM3", put_sm3},         {"OFFICE", put_office},     {"LOG", put_log},
    {"WHO", put_who},         {"TIME", put_time},         {"REASON", put_reason},
    {"HISTORY", put_history}, {"RECORDED", put_recorded}, {"UNREAD", put_unread},
    {"KEY", put_key},
};

static int put_word(struct buffer *out, const char *word, size_t length,
                    const struct filling *filling)
{
    int err = put_labelled(out, word, length, filling);
    if (err != -ENOENT)
        return err;
    for (size_t i = 0; i < countof(WORDS); i++) {
        if (strlen(WORDS[i].word) != length || memcmp(WORDS[i].word, word, length) != 0)
            continue;
        WORDS[i].put(out, filling);
        return 0;
    }
    return -EPROTO;
}

static int fill(struct buffer *out, const char *text, size_t length,
                const struct filling *filling)
{
    const char *end = text + length;
    int err = 0;
    while (!err) {
        const char *at = memchr(text, '@', (size_t)(end - text));
        buffer_append(out, text, (size_t)((at != NULL ? at : end) - text));
        if (at == NULL)
            return 0;
        const char *stop = memchr(at + 1, '@', (size_t)(end - at - 1));
        if (stop == NULL || stop - at > WORD_MAX)
            return -EPROTO;
        err = put_word(out, at + 1, (size_t)(stop - at - 1), filling);
        text = stop + 1;
    }
    return err;
}

/* The newest event that the file was taken out for an export; NULL: there is none. */
static struct json *find_export(const struct history *history)
{
    for (size_t i = history_count(history); i-- > 0;) {
        const struct history_event *event = history_at(history, i);
        struct json *json = NULL;
        if (json_parse(&json, history_body(history, event), event->length) != 0)
            continue;
        const char *purpose = json_text(json_get(json, "data"), "purpose");
        if (purpose != NULL && strcmp(purpose, "export") == 0)
            return json;
        json_free(json);
    }
    return NULL;
}

/* The event that brought the file here; NULL: there is none that can be read. */
static struct json *find_first(const struct history *history)
{
    struct json *json = NULL;
    if (history_count(history) == 0)
        return NULL;
    const struct history_event *event = history_at(history, 0);
    return json_parse(&json, history_body(history, event), event->length) == 0 ? json
                                                                               : NULL;
}

int page_fill(struct buffer *out, const char *text, size_t length,
              const struct page_facts *facts)
{
    struct json *last = find_export(facts->history), *first = find_first(facts->history);
    struct filling filling = {.facts = facts,
                              .last = last,
                              .data = json_get(first, "data"),
                              .text = text,
                              .length = length};
    int err = fill(out, text, length, &filling);
    json_free(last);
    json_free(first);
    return err;
}

int page_print(struct buffer *out, const struct page_facts *facts)
{
    char path[PLACE_MAX];
    struct buffer text = {0};
    int err = place_beside(path, "../share/outpost/etc/evidence/page.html");
    if (!err)
        err = file_read(&text, path, TEMPLATE_MAX);
    if (!err)
        err = page_fill(out, text.bytes, text.length, facts);
    buffer_free(&text);
    return err;
}
