/* blob - see blob.h.
 *
 * The keeper's last word, not the end of the pipe, tells whether the bytes were all and right. */
#include "cli/blob.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/json.h"
#include "cli/keeperline.h"
#include "cli/place.h"
#include "wire/talk.h"

static const char USAGE[] =
    "usage: outpost blob list [--state DIR] [--json]\n"
    "outpost blob get SHA256 [--state DIR] > FILE\n"
    "\n"
    "The pictures, clips and captures that the running appliance has stored: which there "
    "are, "
    "and the\n"
    "bytes of one. Those are for officers and root; who looked at which is an event.\n"
    "\n"
    "  --state DIR   default " PLACE_STATE "\n"
    "  --json        list: each as one JSON object on a line\n"
    "\n"
    "Exit: 0 done, 1 not so (what came of it is not the blob) or nothing runs, 2 wrong "
    "usage.\n";

enum { DIGEST_BYTES = TALK_DIGEST_HEX / 2, ROWS = 200 };

struct wish {
    const char *state;
    const char *digest; /* get */
    bool json;
};

/* ---- The list */

static void print_one(const struct json *blob)
{
    const char *until = json_text(blob, "until");
    bool is_prompt = json_true(blob, "prompt");
    printf("%s %12" PRId64 " %-10s stored %.19s, %s %.19s%s%s\n",
           json_text(blob, "sha256"), json_number(blob, "size", 0),
           json_text(blob, "class"), json_text(blob, "stored"),
           until == NULL ? "kept until it is released"
           : is_prompt   ? "erased"
                         : "kept until",
           until ? until : "", json_true(blob, "released") ? ", being erased" : "",
           json_true(blob, "damaged") ? ", DAMAGED" : "");
}

/* The digest of the last one, behind which the next page begins. */
static int print_page(const struct wish *wish, const struct frame *frame,
                      char last[TALK_DIGEST_HEX + 1], bool *more)
{
    struct fields rest = frame->fields;
    struct field field;
    *more = false;
    while (fields_next(&rest, &field) > 0) {
        struct json *blob;
        *more |= field.tag == TAG_MORE;
        if (field.tag != TAG_DATA)
            continue;
        if (json_parse(&blob, field.bytes, field.length) != 0)
            return -EPROTO;
        const char *digest = json_text(blob, "sha256");
        if (digest == NULL || strlen(digest) != TALK_DIGEST_HEX) {
            json_free(blob);
            return -EPROTO;
        }
        strcpy(last, digest);
        if (wish->json)
            printf("%.*s\n", (int)field.length, (const char *)field.bytes);
        else
            print_one(blob);
        json_free(blob);
    }
    return 0;
}

static int ask_page(const struct wish *wish, int fd, char last[TALK_DIGEST_HEX + 1],
                    bool *more)
{
    struct buffer frame = {0}, room = {0};
    struct frame answer;
    frame_begin(&frame, TALK_LIST, 1);
    if (last[0] != '\0')
        frame_put_text(&frame, TAG_DIGEST, last);
    frame_put_number(&frame, TAG_LIMIT, ROWS);
    int err = keeperline_say(fd, &frame);
    if (!err)
        err = keeperline_hear(fd, &room, &answer);
    if (!err && answer.type != TALK_LISTED)
        err = -EPROTO;
    if (!err)
        err = print_page(wish, &answer, last, more);
    buffer_free(&frame);
    buffer_free(&room);
    return err;
}

static int list(const struct wish *wish)
{
    char last[TALK_DIGEST_HEX + 1] = "";
    bool more = true;
    int fd;
    int err = keeperline_open(&fd, wish->state);
    if (err)
        return 1;
    while (more && !err)
        err = ask_page(wish, fd, last, &more);
    close(fd);
    if (err)
        fprintf(stderr, "outpost blob: the keeper gives no answer: %s\n", strerror(-err));
    return err || fflush(stdout) != 0;
}

/* ---- One blob */

static int copy(int from)
{
    static char part[64 * 1024];
    ssize_t length;
    while ((length = read(from, part, sizeof(part))) != 0) {
        if (length < 0 && errno != EINTR)
            return -errno;
        if (length > 0 && fwrite(part, 1, (size_t)length, stdout) != (size_t)length)
            return -EIO;
    }
    return fflush(stdout) == 0 ? 0 : -EIO;
}

/* 0, or -ECANCELED once what was refused has been said. */
static int take_error(const struct frame *frame, uint8_t type)
{
    struct field field;
    int64_t code;
    char text[TALK_WHY_MAX + 1] = "it was refused";
    if (frame->type != type || fields_find(&frame->fields, TAG_ERROR, &field) != 0 ||
        field_number(&field, &code) != 0)
        return -EPROTO;
    if (code == 0)
        return 0;
    if (fields_find(&frame->fields, TAG_TEXT, &field) == 0)
        field_text(&field, text, sizeof(text));
    fprintf(stderr, "outpost blob: %s\n", text);
    return -ECANCELED;
}

static int say_view(int fd, const char *digest)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_VIEW, 1);
    frame_put_text(&frame, TAG_DIGEST, digest);
    int err = keeperline_say(fd, &frame);
    buffer_free(&frame);
    return err;
}

static int view(int fd, const char *digest)
{
    struct buffer room = {0};
    struct frame frame;
    int from = -1;
    int err = say_view(fd, digest);
    if (!err)
        err = keeperline_hear_descriptor(fd, &room, &frame, &from);
    if (!err)
        err = take_error(&frame, TALK_VIEWED);
    if (!err && from < 0)
        err = -EPROTO;
    if (!err)
        err = copy(from);
    if (from >= 0)
        close(from);
    if (!err)
        err = keeperline_hear(fd, &room, &frame);
    if (!err)
        err = take_error(&frame, TALK_DONE);
    buffer_free(&room);
    return err;
}

static int get(const struct wish *wish)
{
    int fd;
    if (isatty(STDOUT_FILENO)) {
        fprintf(stderr, "outpost blob: expected a file or a pipe for its bytes: "
                        "outpost blob get SHA256 > FILE\n");
        return 2;
    }
    int err = keeperline_open(&fd, wish->state);
    if (err)
        return 1;
    err = view(fd, wish->digest);
    close(fd);
    if (err && err != -ECANCELED)
        fprintf(stderr, "outpost blob: it was not given to its end: %s\n",
                strerror(-err));
    return err ? 1 : 0;
}

/* ---- What is wanted */

static int complain(const char *what, const char *got)
{
    fprintf(stderr, "outpost blob: %s%s%s%s\n%s", what, got ? "\"" : "", got ? got : "",
            got ? "\"" : "", USAGE);
    return 2;
}

static int read_options(struct wish *wish, int argc, char **argv)
{
    static const struct option KNOWN[] = {{"state", required_argument, NULL, 's'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option;
    *wish = (struct wish){.state = PLACE_STATE};
    while ((option = getopt_long(argc, argv, "", KNOWN, NULL)) != -1) {
        if (option == 's')
            wish->state = optarg;
        else if (option == 'j')
            wish->json = true;
        else
            return fputs(USAGE, option == 'h' ? stdout : stderr), option == 'h' ? 1 : 3;
    }
    return 0;
}

static bool is_digest(const char *text)
{
    unsigned char bytes[DIGEST_BYTES];
    return strlen(text) == TALK_DIGEST_HEX && hex_decode(bytes, sizeof(bytes), text) == 0;
}

int blob_run(int argc, char **argv)
{
    struct wish wish;
    int stop = read_options(&wish, argc, argv);
    if (stop)
        return stop - 1;
    const char *verb = optind < argc ? argv[optind] : "";
    int words = argc - optind;
    if (strcmp(verb, "list") == 0)
        return words == 1 ? list(&wish) : complain("unexpected ", argv[optind + 1]);
    if (strcmp(verb, "get") != 0)
        return complain("expected list or get, got ", verb);
    if (words != 2 || !is_digest(argv[optind + 1]))
        return complain("get: expected one SHA-256 of 64 hex digits", NULL);
    wish.digest = argv[optind + 1];
    return get(&wish);
}
