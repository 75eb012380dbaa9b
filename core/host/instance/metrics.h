/* metrics - counts and gauges that a plugin keeps, by name.
 *
 * At most METRICS_MAX names; a further one is not kept and counted as "metrics_refused". */
#ifndef HOST_INSTANCE_METRICS_H
#define HOST_INSTANCE_METRICS_H

#include <stddef.h>

#include "base/buffer.h"

enum { METRICS_MAX = 256, METRICS_NAME_MAX = 48 };

struct metric;

struct metrics {
    struct metric *metric;
    int count;
    double refused;
};

void metrics_count(struct metrics *metrics, const char *name, double by);
void metrics_gauge(struct metrics *metrics, const char *name, double value);
void metrics_free(struct metrics *metrics);

/* Appends a JSON object of at most `most` bytes, leaving out the last ones when it must. */
void metrics_print(const struct metrics *metrics, struct buffer *out, size_t most);

#endif
