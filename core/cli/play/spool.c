/* spool - see spool.h. */
#include "cli/play/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/base.h"
#include "base/mem.h"
#include "cli/play/canonical.h"

enum { INSTANT_MAX = 100000 };

int spool_open(struct spool *spool, const char *path)
{
    *spool = (struct spool){0};
    spool->file = path != NULL ? fopen(path, "w+e") : tmpfile();
    return spool->file != NULL ? 0 : -errno;
}

static size_t waiting(const struct spool *spool)
{
    return spool->instant.length / sizeof(char *);
}

void spool_close(struct spool *spool)
{
    char **lines = (char **)spool->instant.bytes;
    for (size_t i = 0; i < waiting(spool); i++)
        mem_free(lines[i]);
    buffer_free(&spool->instant);
    if (spool->file != NULL)
        fclose(spool->file);
    spool->file = NULL;
}

/* ---- In */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The instant is over: its lines are written in the order of their text. */
static void write_instant(struct spool *spool)
{
    char **lines = (char **)spool->instant.bytes;
    size_t count = waiting(spool);
    if (count > 1)
        qsort(lines, count, sizeof(*lines), by_text);
    for (size_t i = 0; i < count; i++) {
        fputs(lines[i], spool->file); /* spool_finish() finds what went wrong */
        mem_free(lines[i]);
    }
    buffer_clear(&spool->instant);
}

static struct spool_type *type_of(struct spool *spool, const char *type,
                                  enum talk_lane lane)
{
    size_t at = 0;
    while (at < spool->type_count && strcmp(spool->types[at].type, type) != 0)
        at++;
    if (at == SPOOL_TYPES_MAX)
        return NULL;
    if (at == spool->type_count) {
        spool->type_count++;
        strcpy(spool->types[at].type, type);
        spool->types[at].lane = lane;
    }
    return &spool->types[at];
}

static int count_it(struct spool *spool, const struct json *event)
{
    const char *type = json_text(event, "type"), *of = json_text(event, "of");
    const char *lane_name = json_text(event, "lane");
    int lane = lane_name != NULL ? talk_lane_of(lane_name) : -1;
    if (lane < 0 || type == NULL || !word_is_type(type))
        return -EBADMSG;
    struct spool_type *counted = type_of(spool, type, (enum talk_lane)lane);
    if (counted == NULL)
        return -E2BIG;
    counted->count++;
    counted->by_event += of != NULL && strcmp(of, "event") == 0;
    spool->lanes[lane]++;
    return 0;
}

static char *print_line(const struct json *event, const char *at)
{
    static const char *const NAMES[] = {"lane", "type", "subject"};
    struct buffer line = {0};
    buffer_append_text(&line, "{\"at\":");
    json_put_text(&line, at);
    for (size_t i = 0; i < countof(NAMES); i++) {
        const char *text = json_text(event, NAMES[i]);
        buffer_printf(&line, ",\"%s\":", NAMES[i]);
        json_put_text(&line, text != NULL ? text : "");
    }
    buffer_append_text(&line, ",\"data\":");
    canonical_print(&line, json_get(event, "data"));
    buffer_append_text(&line, "}\n");
    char *text = mem_text(buffer_text(&line));
    buffer_free(&line);
    return text;
}

int spool_add(struct spool *spool, const struct json *event, const char *at)
{
    const char *time = json_text(event, at);
    int64_t at_us;
    if (time == NULL || now_parse(&at_us, time) != 0)
        return -EBADMSG;
    int err = count_it(spool, event);
    if (err)
        return err;
    if (at_us != spool->instant_us || waiting(spool) == INSTANT_MAX)
        write_instant(spool);
    spool->instant_us = at_us;
    char *line = print_line(event, time);
    buffer_append(&spool->instant, &line, sizeof(line));
    return 0;
}

int spool_finish(struct spool *spool)
{
    char path[40];
    write_instant(spool);
    if (fflush(spool->file) != 0 || ferror(spool->file))
        return errno ? -errno : -EIO;
    rewind(spool->file);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(spool->file));
    return suite_hash_file(suite_named("sha256+ed25519"), &spool->hash, path);
}

/* ---- Out */

static int copy(char *text, size_t room, const struct json *event, const char *name)
{
    const char *value = json_text(event, name);
    if (value == NULL || strlen(value) >= room)
        return -EBADMSG;
    strcpy(text, value);
    return 0;
}

static int take_apart(const struct spool *spool, struct spool_event *event,
                      const struct json *line)
{
    struct buffer data = {0};
    if (copy(event->at, sizeof(event->at), line, "at") != 0 ||
        copy(event->type, sizeof(event->type), line, "type") != 0 ||
        copy(event->subject, sizeof(event->subject), line, "subject") != 0 ||
        now_parse(&event->at_us, event->at) != 0)
        return -EBADMSG;
    const struct spool_type *type = spool_type(spool, event->type);
    ASSERT(type != NULL); /* we have counted it when it was written */
    event->lane = type->lane;
    json_print(&data, json_get(line, "data"));
    event->data = mem_text(buffer_text(&data));
    buffer_free(&data);
    return 0;
}

int spool_next(struct spool *spool, struct spool_event *event)
{
    char *text = NULL;
    size_t room = 0;
    struct json *line = NULL;
    *event = (struct spool_event){.data = NULL};
    ssize_t length = getline(&text, &room, spool->file);
    int err = length > 0 ? json_parse(&line, text, (size_t)length - 1) : 0;
    free(text);
    if (length <= 0)
        return ferror(spool->file) ? -EIO : 0;
    if (!err)
        err = take_apart(spool, event, line);
    json_free(line);
    return err ? err : 1;
}

int64_t spool_count(const struct spool *spool)
{
    int64_t count = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        count += spool->lanes[lane];
    return count;
}

const struct spool_type *spool_type(const struct spool *spool, const char *type)
{
    for (size_t i = 0; i < spool->type_count; i++)
        if (strcmp(spool->types[i].type, type) == 0)
            return &spool->types[i];
    return NULL;
}
