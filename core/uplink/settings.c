/* settings - see settings.h. */
#include "uplink/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

enum { PASSWORD_MAX = 1024 };

static char *copy_of(const struct json *json, const char *name)
{
    const char *text = json_text(json, name);
    return text == NULL ? NULL : mem_text(text);
}

static void read_texts(struct settings *settings, const struct json *json)
{
    const struct json *city = json_get(json, "city");
    settings->office = copy_of(json, "office");
    settings->log = copy_of(json, "log");
    settings->version = copy_of(json, "version");
    settings->boot = copy_of(json, "boot");
    settings->verifier = copy_of(json, "verifier_office");
    settings->root = copy_of(json, "root");
    settings->size = json_number(json, "size", 0);
    settings->floor_us = json_number(json, "floor_us", 0);
    settings->ca = copy_of(city, "ca");
    settings->cert[0] = copy_of(city, "cert");
    settings->key[0] = copy_of(city, "key");
    bool bulk_has_own = json_text(city, "bulk_cert") != NULL;
    settings->cert[1] = copy_of(city, bulk_has_own ? "bulk_cert" : "cert");
    settings->key[1] = copy_of(city, bulk_has_own ? "bulk_key" : "key");
    settings->username = copy_of(city, "username");
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

static int read_broker(struct settings *settings, const struct json *city,
                       char why[SETTINGS_WHY_ROOM])
{
    const char *url = json_text(city, "url");
    if (url != NULL && broker_read(&settings->broker, url) == 0)
        return 0;
    snprintf(
        why, SETTINGS_WHY_ROOM,
        "city: url: expected mqtt://host[:port] or mqtts://host[:port], got \"%.80s\"",
        url == NULL ? "" : url);
    return -EPROTO;
}

static int read_bandwidth(struct settings *settings, const struct json *city,
                          char why[SETTINGS_WHY_ROOM])
{
    if (json_get(city, "bandwidth") == NULL)
        return 0;
    settings->bandwidth = json_number(city, "bandwidth", -1);
    if (settings->bandwidth >= SETTINGS_BANDWIDTH_LEAST &&
        settings->bandwidth <= SETTINGS_BANDWIDTH_MOST)
        return 0;
    snprintf(why, SETTINGS_WHY_ROOM,
             "city: bandwidth: expected %d to %d bits a second, got %lld",
             SETTINGS_BANDWIDTH_LEAST, SETTINGS_BANDWIDTH_MOST,
             (long long)settings->bandwidth);
    return -EPROTO;
}

static int read_password(struct settings *settings, const struct json *city,
                         char why[SETTINGS_WHY_ROOM])
{
    const char *path = json_text(city, "password_file");
    struct buffer text = {0};
    if (path == NULL)
        return 0;
    int err = file_read(&text, path, PASSWORD_MAX);
    if (err) {
        snprintf(why, SETTINGS_WHY_ROOM, "city: password_file: %.120s: %s", path,
                 strerror(-err));
    } else {
        buffer_text(&text);
        text.bytes[strcspn(text.bytes, "\r\n")] = '\0';
        settings->password = mem_text(text.bytes);
    }
    buffer_free(&text);
    return err ? -EPROTO : 0;
}

static void name_clients(struct settings *settings)
{
    snprintf(settings->client[0], SETTINGS_CLIENT_ROOM, "%s-alarm", settings->office);
    snprintf(settings->client[1], SETTINGS_CLIENT_ROOM, "%s-bulk", settings->office);
}

static int read_tree(struct settings *settings, const struct json *json,
                     char why[SETTINGS_WHY_ROOM])
{
    read_texts(settings, json);
    int err = expect_id(settings->office, "office", why);
    if (!err)
        err = expect_id(settings->log, "log", why);
    if (!err)
        err = read_broker(settings, json_get(json, "city"), why);
    if (!err)
        err = read_bandwidth(settings, json_get(json, "city"), why);
    if (!err)
        err = read_password(settings, json_get(json, "city"), why);
    if (err)
        return err;
    name_clients(settings);
    topics_fill(&settings->topics, settings->office);
    return 0;
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
    char *const texts[] = {settings->office,  settings->log,     settings->version,
                           settings->boot,    settings->root,    settings->verifier,
                           settings->ca,      settings->cert[0], settings->cert[1],
                           settings->key[0],  settings->key[1],  settings->username,
                           settings->password};
    for (size_t i = 0; i < countof(texts); i++)
        mem_free(texts[i]);
    memset(settings, 0, sizeof(*settings));
}
