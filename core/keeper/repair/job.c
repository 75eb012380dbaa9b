/* job - see job.h. */
#include "keeper/repair/job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

int job_begin(struct job *job, const char *folder)
{
    *job = (struct job){.next = -1};
    if (strlen(folder) > JOB_FOLDER_MAX)
        return -ENAMETOOLONG;
    strcpy(job->folder, folder);
    return 0;
}

static const char *lane_name(int lane)
{
    return lane < LANES ? talk_lane_name((enum talk_lane)lane) : "unknown";
}

static void print_lanes(struct buffer *out, const char *name, const int64_t *counts,
                        int many)
{
    buffer_printf(out, ",\"%s\":{", name);
    for (int lane = 0; lane < many; lane++)
        buffer_printf(out, "%s\"%s\":%" PRId64, lane ? "," : "", lane_name(lane),
                      counts[lane]);
    buffer_append_text(out, "}");
}

void job_print(const struct job *job, struct buffer *out)
{
    buffer_printf(out, "{\"log\":\"%s\",\"next\":%" PRId64 ",\"done\":%s", job->log,
                  job->next, job->is_done ? "true" : "false");
    print_lanes(out, "found", job->found, LANES);
    print_lanes(out, "lost", job->lost, LANES + 1);
    buffer_append_text(out, ",\"ranges\":[");
    for (int i = 0; i < job->ranges; i++)
        buffer_printf(out, "%s{\"lane\":%d,\"first\":%" PRId64 ",\"last\":%" PRId64 "}",
                      i ? "," : "", job->range[i].lane, job->range[i].first,
                      job->range[i].last);
    buffer_append_text(out, "]}");
}

static void read_lanes(int64_t *counts, int many, const struct json *json)
{
    for (int lane = 0; lane < many; lane++)
        counts[lane] = json_number(json, lane_name(lane), 0);
}

static void read_ranges(struct job *job, const struct json *list)
{
    for (const struct json *item = json_first(list);
         item != NULL && job->ranges < JOB_RANGES_MAX; item = json_next(item)) {
        int64_t lane = json_number(item, "lane", LANES);
        job->range[job->ranges++] = (struct job_range){
            lane >= 0 && lane <= LANES ? (int)lane : LANES, json_number(item, "first", 0),
            json_number(item, "last", 0)};
    }
}

int job_read(struct job *job, const void *bytes, size_t length)
{
    struct json *json;
    if (json_parse(&json, bytes, length) != 0)
        return -EPROTO;
    const char *log = json_text(json, "log");
    bool good = json_is_object(json) && log != NULL && strlen(log) <= WORD_ID_MAX;
    if (good) {
        snprintf(job->log, sizeof(job->log), "%s", log);
        job->next = json_number(json, "next", -1);
        job->is_done = json_true(json, "done");
        read_lanes(job->found, LANES, json_get(json, "found"));
        read_lanes(job->lost, LANES + 1, json_get(json, "lost"));
        read_ranges(job, json_get(json, "ranges"));
    }
    json_free(json);
    return good ? 0 : -EPROTO;
}

void job_find(struct job *job, int lane)
{
    job->found[lane]++;
    job->open[lane] = 0;
}

void job_lose(struct job *job, int lane, int64_t seq)
{
    job->lost[lane]++;
    if (job->open[lane] > 0) {
        job->range[job->open[lane] - 1].last = seq;
        return;
    }
    if (job->ranges == JOB_RANGES_MAX)
        return;
    job->range[job->ranges++] = (struct job_range){lane, seq, seq};
    job->open[lane] = job->ranges;
}

void job_print_end(const struct job *job, struct buffer *out)
{
    buffer_printf(out, "{\"reason\":\"%s\",\"folder\":\"%s\",\"log\":\"%s\"",
                  job->log[0] != '\0'
                      ? "what verifies of a journal that was set aside has been salvaged"
                      : "nothing of a journal that was set aside can be read",
                  job->folder, job->log);
    print_lanes(out, "salvaged", job->found, LANES);
    print_lanes(out, "gone", job->lost, LANES + 1);
    buffer_append_text(out, ",\"ranges\":[");
    for (int i = 0; i < job->ranges; i++)
        buffer_printf(out,
                      "%s{\"lane\":\"%s\",\"first\":%" PRId64 ",\"last\":%" PRId64 "}",
                      i ? "," : "", lane_name(job->range[i].lane), job->range[i].first,
                      job->range[i].last);
    buffer_append_text(out, "]}");
}
