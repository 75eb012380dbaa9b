/* player - see player.h. */
#include "cli/play/player.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/office/place.h"

enum { PIPE_ROOM = 256 * 1024 };

/* ---- The process */

struct process {
    pid_t pid;
    FILE *in;  /* what it reads */
    FILE *out; /* a temporary file, what it writes */
};

_Noreturn static void exec_rehearse(int in, int out)
{
    char path[PLACE_MAX], log[64];
    char *const words[] = {(char[]){"rehearse"}, (char[]){"replay"}, NULL};
    const char *level = getenv("OUTPOST_LOG");
    char *environment[] = {NULL, NULL};
    if (level != NULL && snprintf(log, sizeof(log), "OUTPOST_LOG=%s", level) > 0)
        environment[0] = log;
    int err = place_beside(path, "../libexec/outpost/rehearse");
    signal(SIGPIPE, SIG_DFL);
    if (!err && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
        execve(path, words, environment);
    fprintf(stderr, "outpost: %s: cannot be executed: %s\n", path,
            strerror(err ? -err : errno));
    _exit(127);
}

static int begin_process(struct process *process)
{
    int fds[2];
    process->out = tmpfile();
    if (process->out == NULL || pipe2(fds, O_CLOEXEC) != 0)
        return -errno;
    process->pid = fork();
    if (process->pid == 0)
        exec_rehearse(fds[0], fileno(process->out));
    close(fds[0]);
    process->in = fdopen(fds[1], "we");
    if (process->pid < 0 || process->in == NULL)
        return -EAGAIN;
    setvbuf(process->in, NULL, _IOFBF, PIPE_ROOM);
    return 0;
}

/* Its exit code, or -1. */
static int end_process(struct process *process)
{
    int status = -1;
    if (process->in != NULL)
        fclose(process->in);
    while (process->pid > 0 && waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return process->pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- Feeding it */

static bool is_own(const struct player *player, const struct moment *moment)
{
    size_t length = strlen(moment->source), ending = strlen(player->source);
    return length >= ending &&
           strcmp(moment->source + length - ending, player->source) == 0;
}

static int keep_own(struct player *player, const struct slice_event *event)
{
    struct json *json = NULL;
    if (player->recorded == NULL)
        return 0;
    int err = json_parse(&json, event->body, event->length);
    if (!err)
        err = spool_add(player->recorded, json, "recorded");
    json_free(json);
    if (err)
        snprintf(player->why, sizeof(player->why), "event %" PRIu64 ": %s", event->seq,
                 strerror(-err));
    return err;
}

static void begin_slice(const struct player *player, const struct slice *slice,
                        int64_t utc_us, FILE *in)
{
    int64_t first_us =
        slice->from_us > 0 && slice->from_us < utc_us ? slice->from_us : utc_us;
    if (player->capture != NULL) {
        fprintf(in, "capture %zu\n", player->capture->length);
        fwrite(player->capture->bytes, 1, player->capture->length, in);
    }
    fprintf(in, "start %" PRId64 " %zu\n", first_us, player->start->length);
    fwrite(player->start->bytes, 1, player->start->length, in);
}

/* What the last events of the slice made it say was recorded a little later. */
static int keep_later(struct player *player, struct slice *slice)
{
    struct slice_event event = {.body = NULL};
    uint64_t erased = slice->erased;
    int more = 0, err = 0;
    if (player->recorded == NULL || player->last_us == 0)
        return 0;
    slice_read_on(slice, player->last_us + player->beyond_us);
    while (!err && (more = slice_next(slice, &event)) == 1)
        if (is_own(player, &event.moment))
            err = keep_own(player, &event);
    slice->erased = erased;
    return err ? err : more;
}

static void note_time(struct player *player, const struct moment *moment)
{
    if (player->first_us == 0)
        player->first_us = moment->utc_us;
    player->last_us = moment->utc_us;
}

/* Ends early when the process does: then its last line says why. */
static int feed(struct player *player, struct slice *slice, FILE *in)
{
    char boot[NOW_BOOT_ROOM] = "";
    struct slice_event event = {.body = NULL};
    int more;
    slice_rewind(slice);
    while ((more = slice_next(slice, &event)) == 1 && !ferror(in)) {
        const struct moment *moment = &event.moment;
        bool is_first = boot[0] == '\0';
        bool is_new_boot = !is_first && strcmp(boot, moment->boot) != 0;
        snprintf(boot, sizeof(boot), "%s", moment->boot);
        if (is_first)
            begin_slice(player, slice, moment->utc_us, in);
        note_time(player, moment);
        if (is_own(player, moment)) {
            int err = keep_own(player, &event);
            if (err)
                return err;
            continue;
        }
        fprintf(in, "event %" PRIu64 " %d %" PRId64 " %" PRId64 " %d %s %zu\n", event.seq,
                (int)moment->lane, moment->utc_us, moment->mono_us, is_new_boot,
                moment->type, event.length);
        fwrite(event.body, 1, event.length, in);
        player->events++;
    }
    if (more < 0)
        return more;
    if (boot[0] == '\0') /* nothing is there: the plugin starts all the same */
        begin_slice(player, slice, now_utc_us(), in);
    fprintf(in, "end %" PRId64 "\n", slice->until_us);
    fflush(in);
    return keep_later(player, slice);
}

/* ---- What came of it */

static int take_line(struct player *player, struct spool *spool, const char *text,
                     size_t length)
{
    struct json *line;
    int err = json_parse(&line, text, length);
    if (err)
        return err;
    if (json_get(line, "replayed") != NULL) {
        json_free(player->end);
        player->end = line;
        return 0;
    }
    err = spool_add(spool, line, "at");
    json_free(line);
    return err;
}

static int take_all(struct player *player, struct spool *spool, FILE *out)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    int err = 0;
    rewind(out);
    while (!err && (length = getline(&text, &room, out)) > 0)
        err = take_line(player, spool, text, (size_t)length - 1);
    free(text);
    return err;
}

static int judge(struct player *player, int code)
{
    const char *why = json_text(player->end, "why");
    if (player->end != NULL && why == NULL)
        return 0;
    if (why != NULL)
        snprintf(player->why, sizeof(player->why), "%s", why);
    else if (code == 70) /* budget.c */
        snprintf(player->why, sizeof(player->why),
                 "a function of Lua's own ran on and on in the plugin");
    else
        snprintf(player->why, sizeof(player->why), "its process ended with %d", code);
    return -ECANCELED;
}

int player_run(struct player *player, struct slice *slice, struct spool *spool)
{
    struct process process = {.pid = -1};
    signal(SIGPIPE, SIG_IGN);
    int err = begin_process(&process);
    int fed = err ? err : feed(player, slice, process.in);
    int code = end_process(&process);
    if (fed)
        err = fed;
    if (fed && player->why[0] == '\0')
        snprintf(player->why, sizeof(player->why), "%s%s%s", slice->finding.place,
                 slice->finding.place[0] ? ": " : "",
                 slice->finding.what[0] ? slice->finding.what : strerror(-fed));
    if (!err && (err = take_all(player, spool, process.out)) != 0)
        snprintf(player->why, sizeof(player->why), "what it emitted cannot be read: %s",
                 strerror(-err));
    if (!err)
        err = judge(player, code);
    if (!err && ((err = spool_finish(spool)) != 0 ||
                 (player->recorded != NULL && (err = spool_finish(player->recorded)))))
        snprintf(player->why, sizeof(player->why), "what it emitted cannot be kept: %s",
                 strerror(-err));
    if (process.out != NULL)
        fclose(process.out);
    return err;
}

void player_close(struct player *player)
{
    json_free(player->end);
    player->end = NULL;
}
