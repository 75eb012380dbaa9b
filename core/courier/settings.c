/* settings - see settings.h. */
#include "courier/settings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/word.h"

static char *copy_of(const struct json *json, const char *name)
{
    const char *text = json_text(json, name);
    return text == NULL ? NULL : mem_text(text);
}

static void read_texts(struct settings *settings, const struct json *json)
{
    const struct json *courier = json_get(json, "courier");
    settings->office = copy_of(json, "office");
    settings->log = copy_of(json, "log");
    settings->timezone = copy_of(json, "timezone");
    settings->floor_us = json_number(json, "floor_us", 0);
    settings->url = copy_of(courier, "url");
    settings->receipts = copy_of(courier, "receipts");
    settings->ca = copy_of(courier, "ca");
    settings->cert = copy_of(courier, "cert");
    settings->key = copy_of(courier, "key");
}

static int expect_id(const char *text, const char *name, char why[SETTINGS_WHY_ROOM])
{
    if (text != NULL && word_is_id(text))
        return 0;
    snprintf(why, SETTINGS_WHY_ROOM,
             "%s: expected an id of at most %d letters, got \"%.80s\"", name, WORD_ID_MAX,
             text == NULL ? "" : text);
    return -EPROTO;
}

static int expect_url(const char *text, const char *name, char why[SETTINGS_WHY_ROOM])
{
    size_t length = text == NULL ? 0 : strlen(text);
    if (length > 8 && length <= TUS_URL_MAX / 2 && strncmp(text, "https://", 8) == 0 &&
        text[length - 1] == '/')
        return 0;
    snprintf(
        why, SETTINGS_WHY_ROOM,
        "courier: %s: expected https://HOST/.../ of at most %d letters, got \"%.80s\"",
        name, TUS_URL_MAX / 2, text == NULL ? "" : text);
    return -EPROTO;
}

static bool read_range(struct hours_range *range, const struct json *item)
{
    range->from = (int)json_number(item, "from", -1);
    range->until = (int)json_number(item, "until", -1);
    range->rate = json_number(item, "rate", 0) / 8;
    return range->from >= 0 && range->from < HOURS_DAY && range->until > 0 &&
           range->until <= HOURS_DAY && range->from != range->until && range->rate >= 0;
}

static int read_hours(struct hours *hours, const struct json *list,
                      char why[SETTINGS_WHY_ROOM])
{
    for (const struct json *item = json_first(list); item; item = json_next(item)) {
        if (hours->count < HOURS_MAX && read_range(&hours->ranges[hours->count], item)) {
            hours->count++;
            continue;
        }
        snprintf(
            why, SETTINGS_WHY_ROOM,
            "courier: hours: expected at most %d of from, until (minutes of a day) and "
            "rate (bits a second)",
            HOURS_MAX);
        return -EPROTO;
    }
    return 0;
}

static int read_tree(struct settings *settings, const struct json *json,
                     char why[SETTINGS_WHY_ROOM])
{
    read_texts(settings, json);
    int err = expect_id(settings->office, "office", why);
    if (!err)
        err = expect_id(settings->log, "log", why);
    if (!err)
        err = expect_url(settings->url, "url", why);
    if (!err)
        err = expect_url(settings->receipts, "receipts", why);
    if (!err)
        err = read_hours(&settings->hours, json_get(json_get(json, "courier"), "hours"),
                         why);
    return err;
}

int settings_read(struct settings *settings, const void *bytes, size_t length,
                  char why[SETTINGS_WHY_ROOM])
{
    struct json *json;
    memset(settings, 0, sizeof(*settings));
    if (json_parse(&json, bytes, length) != 0) {
        snprintf(why, SETTINGS_WHY_ROOM, "expected JSON");
        return -EPROTO;
    }
    int err = read_tree(settings, json, why);
    json_free(json);
    return err;
}

void settings_free(struct settings *settings)
{
    char *const texts[] = {settings->office, settings->log,      settings->timezone,
                           settings->url,    settings->receipts, settings->ca,
                           settings->cert,   settings->key};
    for (size_t i = 0; i < countof(texts); i++)
        mem_free(texts[i]);
    memset(settings, 0, sizeof(*settings));
}
