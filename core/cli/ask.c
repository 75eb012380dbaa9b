/* ask - see ask.h. Who asks is what the kernel tells the keeper of this process: nothing said here. */
#include "cli/ask.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/word.h"
#include "cli/office/keeperline.h"
#include "cli/office/params.h"
#include "cli/office/place.h"
#include "cli/office/table.h"
#include "wire/talk.h"

/* One of the two commands. */
struct command_kind {
    const char *type; /* in ASK */
    const char *word;
    const char *usage;
};

static const char OPTIONS[] =
    "  --params JSON   all of them as one object, instead of KEY=VALUE\n"
    "  --json          the answer as JSON\n"
    "  --state DIR     default " PLACE_STATE "\n"
    "\n"
    "A VALUE is JSON when it can be read as JSON, else a text; a text of digits needs "
    "quotes:\n"
    "band='\"4711\"'. Without a name it lists what INSTANCE knows.\n"
    "\n"
    "Exit: 0 done, 1 refused or failed, 2 wrong usage.\n";

static const struct command_kind DO = {
    "action", "do",
    "usage: outpost do INSTANCE [ACTION [KEY=VALUE ...]] [--params JSON] [--json] "
    "[--state DIR]\n"
    "\n"
    "Asks a plugin to do something. Who you are is your Unix user; which roles it has is "
    "in\n"
    "the block access of the configuration. That it was asked for is on record.\n"
    "\n"};
static const struct command_kind SHOW = {
    "view", "show",
    "usage: outpost show INSTANCE [VIEW [KEY=VALUE ...]] [--params JSON] [--json] "
    "[--state DIR]\n"
    "\n"
    "Shows what a plugin knows; nothing changes by that.\n"
    "\n"};

struct wish {
    const struct command_kind *kind;
    const char *state;
    const char *instance;
    const char *name;   /* NULL: which there are */
    const char *params; /* NULL: as words */
    char **words;
    int word_count;
    bool json;
};

static int usage(const struct command_kind *kind, FILE *out)
{
    fprintf(out, "%s%s", kind->usage, OPTIONS);
    return out == stdout ? 1 : 3;
}

static int complain(const struct wish *wish, const char *expected, const char *got)
{
    fprintf(stderr, "outpost %s: expected %s, got \"%s\"\n", wish->kind->word, expected,
            got);
    return 3;
}

static int check_wish(const struct wish *wish)
{
    if (!word_is_id(wish->instance))
        return complain(wish, "the name of an instance", wish->instance);
    if (wish->name != NULL && (!word_is_id(wish->name) || strlen(wish->name) > 48))
        return complain(wish, "a name of small letters, digits and \"_\"", wish->name);
    if (wish->params != NULL && wish->word_count > 0)
        return complain(wish, "either --params or KEY=VALUE", wish->words[0]);
    return 0;
}

/* 0, or one more than the exit code. */
static int read_wish(struct wish *wish, int argc, char **argv)
{
    static const struct option KNOWN[] = {{"state", required_argument, NULL, 's'},
                                          {"params", required_argument, NULL, 'p'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option;
    wish->state = PLACE_STATE;
    while ((option = getopt_long(argc, argv, "", KNOWN, NULL)) != -1) {
        if (option == 's')
            wish->state = optarg;
        else if (option == 'p')
            wish->params = optarg;
        else if (option == 'j')
            wish->json = true;
        else
            return usage(wish->kind, option == 'h' ? stdout : stderr);
    }
    if (optind == argc)
        return usage(wish->kind, stderr);
    wish->instance = argv[optind++];
    if (optind < argc)
        wish->name = argv[optind++];
    wish->words = argv + optind;
    wish->word_count = argc - optind;
    return check_wish(wish);
}

/* The object in `json`; false and said when it is none, or too long. */
static bool read_params(struct buffer *json, const struct wish *wish)
{
    struct buffer why = {0};
    struct json *tree = NULL;
    int err = 0;
    if (wish->params != NULL)
        buffer_append_text(json, wish->params);
    else
        err = params_read(json, wish->words, wish->word_count, &why);
    if (!err &&
        (json_parse(&tree, json->bytes, json->length) != 0 || !json_is_object(tree))) {
        err = -EINVAL;
        buffer_printf(&why, "--params: expected a JSON object, got \"%.60s\"",
                      buffer_text(json));
    }
    if (!err && json->length > TALK_PARAMS_MAX) {
        err = -EINVAL;
        buffer_printf(&why, "expected params of at most %d KiB, got %zu bytes",
                      TALK_PARAMS_MAX / 1024, json->length);
    }
    if (err)
        fprintf(stderr, "outpost %s: %s\n", wish->kind->word, buffer_text(&why));
    json_free(tree);
    buffer_free(&why);
    return err == 0;
}

/* ---- The question */

static int say(int fd, const struct wish *wish, const struct buffer *params)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_ASK, 1);
    frame_put_text(&frame, TAG_NAME, wish->instance);
    frame_put_text(&frame, TAG_TYPE, wish->kind->type);
    if (wish->name != NULL)
        frame_put_text(&frame, TAG_KEY, wish->name);
    frame_put(&frame, TAG_DATA, params->bytes, params->length);
    int err = keeperline_say(fd, &frame);
    buffer_free(&frame);
    return err;
}

/* The ANSWER taken apart. */
static int take(const struct wish *wish, const struct frame *frame, struct buffer *result)
{
    struct field field;
    int err = keeperline_accept(frame, TALK_ANSWER, wish->kind->word);
    if (err)
        return err;
    bool is_there = fields_find(&frame->fields, TAG_DATA, &field) == 0;
    buffer_append(result, is_there ? (const char *)field.bytes : "null",
                  is_there ? field.length : 4);
    return 0;
}

static int ask(const struct wish *wish, const struct buffer *params,
               struct buffer *result)
{
    struct buffer room = {0};
    struct frame frame;
    int fd;
    int err = keeperline_open(&fd, wish->state);
    if (err)
        return err;
    err = say(fd, wish, params);
    if (!err)
        err = keeperline_hear(fd, &room, &frame);
    if (!err)
        err = take(wish, &frame, result);
    if (err && err != -ECANCELED)
        fprintf(stderr, "outpost %s: the keeper gives no answer: %s\n", wish->kind->word,
                strerror(-err));
    buffer_free(&room);
    close(fd);
    return err;
}

/* ---- The answer */

/* A default is said as one; "must be set" speaks for itself (lua/schema.lua). */
static bool is_default(const char *need)
{
    return strcmp(need, "must be set") != 0 && strcmp(need, "may be left out") != 0;
}

static void list_params(struct buffer *out, const struct json *params)
{
    for (const struct json *row = json_first(params); row; row = json_next(row)) {
        const char *need = json_text(row, "need"), *unit = json_text(row, "unit");
        buffer_printf(out, "    %s: %s (%s%s%s; %s%s)\n", json_text(row, "name"),
                      json_text(row, "doc"), json_text(row, "kind"), unit ? ", " : "",
                      unit ? unit : "", need && is_default(need) ? "else " : "",
                      need ? need : "");
    }
}

/* Which there are: name -> roles, doc, params. */
static void list(struct buffer *out, const struct wish *wish, const struct json *all)
{
    if (json_first(all) == NULL)
        buffer_printf(out, "%s has no %ss\n", wish->instance, wish->kind->type);
    for (const struct json *item = json_first(all); item; item = json_next(item)) {
        const struct json *roles = json_get(item, "roles");
        buffer_printf(out, "%s: %s (", json_name(item), json_text(item, "doc"));
        for (const struct json *role = json_first(roles); role; role = json_next(role))
            buffer_printf(out, "%s%s", role == json_first(roles) ? "" : ", ",
                          json_value(role));
        buffer_append_text(out, ")\n");
        list_params(out, json_get(item, "params"));
    }
}

/* Nothing to say, or nothing in it. */
static bool is_empty(const struct buffer *result)
{
    return result->length == 4 && memcmp(result->bytes, "null", 4) == 0;
}

static bool print(const struct wish *wish, const struct buffer *result)
{
    struct buffer out = {0};
    struct json *value = NULL;
    if (json_parse(&value, result->bytes, result->length) != 0) {
        fprintf(stderr, "outpost %s: the answer is no JSON\n", wish->kind->word);
        return false;
    }
    if (wish->json)
        buffer_append(&out, result->bytes, result->length);
    else if (wish->name == NULL)
        list(&out, wish, value);
    else if (is_empty(result) || (!json_value(value) && json_first(value) == NULL &&
                                  (json_is_object(value) || json_is_array(value))))
        buffer_append_text(&out, wish->kind == &DO ? "done\n" : "nothing to show\n");
    else
        table_print(&out, value);
    if (wish->json)
        buffer_append_text(&out, "\n");
    bool is_out = fwrite(out.bytes, 1, out.length, stdout) == out.length;
    json_free(value);
    buffer_free(&out);
    return is_out && fflush(stdout) == 0;
}

static int run(const struct command_kind *kind, int argc, char **argv)
{
    struct wish wish = {.kind = kind};
    struct buffer params = {0}, result = {0};
    int stop = read_wish(&wish, argc, argv);
    if (stop)
        return stop - 1;
    int code = 2;
    if (read_params(&params, &wish))
        code = ask(&wish, &params, &result) != 0;
    if (code == 0 && !print(&wish, &result))
        code = 1;
    buffer_free(&params);
    buffer_free(&result);
    return code;
}

int ask_action(int argc, char **argv)
{
    return run(&DO, argc, argv);
}

int ask_view(int argc, char **argv)
{
    return run(&SHOW, argc, argv);
}
