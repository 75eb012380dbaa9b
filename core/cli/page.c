/* page - see page.h. */
#include "cli/page.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/place.h"

enum { TEMPLATE_MAX = 256 * 1024, WORD_MAX = 96 };

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

static const char *who_of(const struct json *data)
{
    return json_text(json_get(data, "who"), "name");
}

static void put_row(struct buffer *out, const struct history *history,
                    const struct history_event *event)
{
    struct json *json = NULL;
    if (json_parse(&json, history_body(history, event), event->length) != 0)
        return;
    const struct json *data = json_get(json, "data");
    buffer_printf(out, "<tr><td><a href=\"events/%" PRIu64 ".json\">%" PRIu64 "</a></td>",
                  event->seq, event->seq);
    const char *const cells[] = {json_text(json, "time"), json_text(json, "type"),
                                 who_of(data), json_text(data, "reason")};
    for (size_t i = 0; i < countof(cells); i++) {
        buffer_append_text(out, "<td>");
        put_escaped(out, cells[i]);
        buffer_append_text(out, "</td>");
    }
    buffer_append_text(out, "</tr>\n");
    json_free(json);
}

/* A number, a list ... as JSON. */
static void put_value(struct buffer *out, const struct json *item)
{
    struct buffer text = {0};
    if (json_value(item) == NULL)
        json_print(&text, item);
    put_escaped(out, json_value(item) != NULL ? json_value(item) : buffer_text(&text));
    buffer_free(&text);
}

/* `label` is the template's own: a word for people, or nothing. */
static void put_member(struct buffer *out, const char *label, size_t length,
                       const struct json *item)
{
    buffer_append_text(out, "<tr><th>");
    buffer_append(out, label, length);
    buffer_append_text(out, length > 0 ? " <code>" : "<code>");
    put_escaped(out, json_name(item));
    buffer_append_text(out, "</code></th><td>");
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

static void put_history(struct buffer *out, const struct filling *filling)
{
    const struct history *history = filling->facts->history;
    for (size_t i = 0; i < history_count(history); i++)
        put_row(out, history, history_at(history, i));
}

/* "RECORDED name LABEL": one member, a row with that label, where there is such a one. */
static const char ONE[] = "RECORDED ";

static int put_one_recorded(struct buffer *out, const char *word, size_t length,
                            const struct filling *filling)
{
    char name[WORD_MAX + 1] = "";
    const char *label = memchr(word, ' ', length);
    if (label == NULL || label == word)
        return -EPROTO;
    memcpy(name, word, (size_t)(label - word));
    const struct json *item = json_get(filling->data, name);
    if (item != NULL)
        put_member(out, label + 1, length - (size_t)(label + 1 - word), item);
    return 0;
}

static bool is_named(const struct filling *filling, const char *name)
{
    struct buffer word = {0};
    buffer_printf(&word, "@%s%s ", ONE, name);
    bool is = memmem(filling->text, filling->length, word.bytes, word.length) != NULL;
    buffer_free(&word);
    return is;
}

/* All other members, whatever the plugin has said, as it called them. */
static void put_recorded(struct buffer *out, const struct filling *filling)
{
    for (const struct json *item = json_first(filling->data); item != NULL;
         item = json_next(item))
        if (!is_named(filling, json_name(item)))
            put_member(out, "", 0, item);
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
    put_escaped(out, json_text(filling->last, "time"));
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
    size_t start = sizeof(ONE) - 1;
    if (length > start && memcmp(word, ONE, start) == 0)
        return put_one_recorded(out, word + start, length - start, filling);
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
