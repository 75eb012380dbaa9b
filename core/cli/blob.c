/* blob - see blob.h. */
#include "cli/blob.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/hex.h"
#include "cli/office/blobline.h"
#include "cli/office/keeperline.h"
#include "cli/office/options.h"
#include "cli/office/place.h"
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

enum { DIGEST_BYTES = TALK_DIGEST_HEX / 2 };

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

static int list_one(void *owner, const struct json *blob, const struct field *text)
{
    const struct wish *wish = owner;
    if (wish->json)
        printf("%.*s\n", (int)text->length, (const char *)text->bytes);
    else
        print_one(blob);
    return 0;
}

static int list(struct wish *wish)
{
    int fd;
    int err = keeperline_open(&fd, wish->state);
    if (err)
        return 1;
    err = blobline_each(fd, list_one, wish);
    close(fd);
    if (err)
        fprintf(stderr, "outpost blob: the keeper gives no answer: %s\n", strerror(-err));
    return err || fflush(stdout) != 0;
}

/* ---- One blob */

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
    err = blobline_view(fd, "blob", wish->digest, NULL, stdout);
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
    *wish = (struct wish){.state = PLACE_STATE};
    const struct option_place places[] = {{"state", .text = &wish->state},
                                          {"json", .flag = &wish->json}};
    return options_read(places, countof(places), USAGE, argc, argv);
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
