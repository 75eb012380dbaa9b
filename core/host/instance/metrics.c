/* metrics - see metrics.h. */
#include "host/instance/metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

struct metric {
    char name[METRICS_NAME_MAX + 1];
    double value;
};

static double *place_of(struct metrics *metrics, const char *name)
{
    for (int i = 0; i < metrics->count; i++)
        if (strcmp(metrics->metric[i].name, name) == 0)
            return &metrics->metric[i].value;
    if (metrics->count == METRICS_MAX || strlen(name) > METRICS_NAME_MAX) {
        metrics->refused++;
        return NULL;
    }
    size_t size = ((size_t)metrics->count + 1) * sizeof(struct metric);
    metrics->metric = mem_resize(metrics->metric, size);
    struct metric *metric = &metrics->metric[metrics->count++];
    *metric = (struct metric){0};
    strcpy(metric->name, name);
    return &metric->value;
}

void metrics_count(struct metrics *metrics, const char *name, double by)
{
    double *value = place_of(metrics, name);
    if (value != NULL && isfinite(*value + by))
        *value += by;
}

void metrics_gauge(struct metrics *metrics, const char *name, double value)
{
    double *place = place_of(metrics, name);
    if (place != NULL && isfinite(value))
        *place = value;
}

void metrics_free(struct metrics *metrics)
{
    mem_free(metrics->metric);
    *metrics = (struct metrics){0};
}

static void print_one(struct buffer *out, const char *name, double value)
{
    buffer_append(out, ",", 1);
    json_put_text(out, name);
    buffer_printf(out, ":%.15g", value);
}

void metrics_print(const struct metrics *metrics, struct buffer *out, size_t most)
{
    size_t start = out->length;
    struct buffer one = {0};
    for (int i = 0; i < metrics->count; i++) {
        buffer_clear(&one);
        print_one(&one, metrics->metric[i].name, metrics->metric[i].value);
        if (out->length - start + one.length + 2 <= most)
            buffer_append(out, one.bytes, one.length);
    }
    if (out->length == start)
        buffer_append(out, "{", 1);
    else
        out->bytes[start] = '{';
    buffer_append(out, "}", 1);
    buffer_free(&one);
}
