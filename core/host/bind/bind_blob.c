/* bind_blob - host.blob: bytes too many for an event, stored beside the journal and named by it.
 *
 * They go into a pipe whose other end the keeper has somebody read, hash and store: this process has
 * neither file nor key, and never more of them than it is given at once.
 *
 * Invariant: the stream is open only while the keeper has a spool of that number, and what is
 * collected with a number has the keeper throw away what it got. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/base.h"
#include "host/bind/bind.h"
#include "host/instance/plugin.h"
#include "host/lines/stream.h"
#include "wire/talk.h"

enum { WRITE_MS = 30 * 1000, TEXT_ROOM = 200 };

static const int64_t MOST = 1LL << 40, MOST_BYTES = 8LL << 20,
                     MOST_MS = 3650LL * 86400000;
static const char SPOOL[] = "outpost.spool";

struct spool {
    struct plugin *plugin;
    struct question question;
    struct stream stream;
    struct task *asker;
    struct task *writer;
    int64_t number; /* the keeper's; -1: it has none for this */
    int64_t most;
    int64_t written;
    int64_t err; /* of the last answer: 0 or an errno */
    int64_t size;
    bool is_known;
    char text[TEXT_ROOM];
    char sha256[TALK_DIGEST_HEX + 1];
    char sm3[TALK_DIGEST_HEX + 1];
};

static struct spool *check_spool(lua_State *L)
{
    struct spool *spool = luaL_checkudata(L, 1, SPOOL);
    plugin_of(L); /* raises outside of a task */
    return spool;
}

/* ---- Failures */

static const struct {
    int err;
    const char *code;
    const char *why;
} FAULTS[] = {
    {ENOSPC, "full", "there is no room for a blob of this class"},
    {EBUSY, "busy", "as many are open as a plugin may have"},
    {EFBIG, "too_big", "it is more than was announced"},
    {ENOENT, "closed", "the keeper has ended it, or it was finished or discarded"},
    {EPIPE, "closed", "nobody takes more of it: finish() says why"},
    {ETIMEDOUT, "timeout", "the disk did not take it in time"},
    {EALREADY, "busy", "another handler writes into it"},
};

static int fail(lua_State *L, const struct spool *spool, int64_t err)
{
    size_t at = 0;
    while (at < countof(FAULTS) && FAULTS[at].err != err)
        at++;
    const char *why = at < countof(FAULTS) ? FAULTS[at].why : strerror((int)err);
    return bind_fail(L, at < countof(FAULTS) ? FAULTS[at].code : "refused", "blob: %s",
                     spool->text[0] != '\0' ? spool->text : why);
}

/* ---- Questions to the keeper */

static void read_number(const struct frame *frame, enum talk_tag tag, int64_t *number)
{
    struct field field;
    if (fields_find(&frame->fields, (uint8_t)tag, &field) == 0)
        field_number(&field, number);
}

static void read_text(const struct frame *frame, enum talk_tag tag, char *text,
                      size_t room)
{
    struct field field;
    if (fields_find(&frame->fields, (uint8_t)tag, &field) != 0 ||
        field_text(&field, text, room) != 0)
        text[0] = '\0';
}

static void hear(struct spool *spool, const struct frame *frame)
{
    spool->err = EPROTO;
    read_number(frame, TAG_ERROR, &spool->err);
    read_text(frame, TAG_TEXT, spool->text, sizeof(spool->text));
}

static void spooled(struct question *question, const struct frame *frame)
{
    struct spool *spool = container_of(question, struct spool, question);
    struct plugin *plugin = spool->plugin;
    hear(spool, frame);
    read_number(frame, TAG_SPOOL, &spool->number);
    int fd = keeperline_take_descriptor(plugin->line);
    if (fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
        stream_open(&spool->stream, plugin->loop, fd, false);
    else if (spool->err == 0)
        spool->err = EPROTO;
    task_wake(spool->asker);
}

static void sealed(struct question *question, const struct frame *frame)
{
    struct spool *spool = container_of(question, struct spool, question);
    struct field more;
    hear(spool, frame);
    read_number(frame, TAG_SIZE, &spool->size);
    read_text(frame, TAG_DIGEST, spool->sha256, sizeof(spool->sha256));
    read_text(frame, TAG_SM3, spool->sm3, sizeof(spool->sm3));
    spool->is_known = fields_find(&frame->fields, TAG_MORE, &more) == 0;
    task_wake(spool->asker);
}

/* Of its own number, if it has one. */
static void begin_frame(const struct spool *spool, struct buffer *frame,
                        enum talk_type type)
{
    frame_begin(frame, (uint8_t)type, 0);
    if (spool->number >= 0)
        frame_put_number(frame, TAG_SPOOL, spool->number);
}

static int ask(lua_State *L, struct spool *spool, struct buffer *frame,
               void (*answered)(struct question *question, const struct frame *frame),
               lua_KFunction finish)
{
    spool->question.answered = answered;
    spool->asker = task_of(L);
    int err = keeperline_ask(spool->plugin->line, &spool->question, frame);
    buffer_free(frame);
    if (err)
        return fail(L, spool, -err);
    return task_park(L, finish, spool);
}

/* ---- host.blob.open { class =, most = } -> spool */

/* The member `class` of the table at `options`. */
static enum talk_class check_class(lua_State *L, int options)
{
    lua_getfield(L, options, "class");
    int class = lua_type(L, -1) == LUA_TSTRING ? talk_class_of(lua_tostring(L, -1)) : -1;
    if (class < 0)
        luaL_error(L,
                   "class: expected \"picture\", \"capture\", \"ordinary\", "
                   "\"important\" or \"case\", got %s",
                   luaL_tolstring(L, -1, NULL));
    lua_pop(L, 1);
    return (enum talk_class) class;
}

static int64_t check_most(lua_State *L)
{
    int64_t most = MOST_BYTES;
    if (lua_getfield(L, 1, "most") != LUA_TNIL)
        most = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : -1;
    if (most < 1 || most > MOST)
        luaL_error(L, "most: expected 1 to %I bytes", (LUAI_UACINT)MOST);
    lua_pop(L, 1);
    return most;
}

static int open_finish(lua_State *L, int status, lua_KContext context)
{
    struct spool *spool = (struct spool *)context;
    (void)status;
    if (spool->err)
        return fail(L, spool, spool->err);
    lua_pushvalue(L, 2);
    return 1;
}

static void write_over(struct stream *stream)
{
    task_wake(container_of(stream, struct spool, stream)->writer);
}

static int blob_open(lua_State *L)
{
    static const char *const NAMES[] = {"class", "most", NULL};
    struct buffer frame = {0};
    struct plugin *plugin = plugin_of(L);
    lua_settop(L, 1);
    luaL_checktype(L, 1, LUA_TTABLE);
    bind_options(L, 1, NAMES);
    enum talk_class class = check_class(L, 1);
    int64_t most = check_most(L);
    task_check(L);
    struct spool *spool = lua_newuserdatauv(L, sizeof(*spool), 0);
    *spool = (struct spool){
        .plugin = plugin, .stream.write_over = write_over, .number = -1, .most = most};
    luaL_setmetatable(L, SPOOL); /* from here on __gc cleans up */
    begin_frame(spool, &frame, TALK_SPOOL);
    frame_put_text(&frame, TAG_NAME, talk_class_name(class));
    frame_put_number(&frame, TAG_LIMIT, most);
    return ask(L, spool, &frame, spooled, open_finish);
}

/* ---- spool:write(bytes) -> true */

static int write_finish(lua_State *L, int status, lua_KContext context)
{
    struct spool *spool = (struct spool *)context;
    int err = spool->stream.write_err;
    (void)status;
    spool->written += (int64_t)spool->stream.written;
    if (err)
        return fail(L, spool,
                    err == -ETIMEDOUT   ? ETIMEDOUT
                    : err == -ECANCELED ? ENOENT
                                        : EPIPE);
    lua_pushboolean(L, 1);
    return 1;
}

/* The bytes stay on this stack while it waits. */
static int spool_write(lua_State *L)
{
    struct spool *spool = check_spool(L);
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);
    task_check(L);
    if (spool->stream.is_writing)
        return fail(L, spool, EALREADY);
    if ((int64_t)length > spool->most - spool->written)
        return fail(L, spool, EFBIG);
    int err = stream_write(&spool->stream, bytes, length, WRITE_MS);
    if (err != -EINPROGRESS)
        return bind_breathe(L, write_finish(L, LUA_OK, (lua_KContext)spool));
    spool->writer = task_of(L);
    return task_park(L, write_finish, spool);
}

/* ---- spool:finish() -> { sha256 =, sm3 =, size =, known = } */

static int finish_finish(lua_State *L, int status, lua_KContext context)
{
    const struct spool *spool = (const struct spool *)context;
    (void)status;
    if (spool->err)
        return fail(L, spool, spool->err);
    lua_createtable(L, 0, 4);
    lua_pushstring(L, spool->sha256);
    lua_setfield(L, -2, "sha256");
    lua_pushstring(L, spool->sm3);
    lua_setfield(L, -2, "sm3");
    lua_pushinteger(L, spool->size);
    lua_setfield(L, -2, "size");
    lua_pushboolean(L, spool->is_known);
    lua_setfield(L, -2, "known");
    return 1;
}

static int spool_finish(lua_State *L)
{
    struct spool *spool = check_spool(L);
    struct buffer frame = {0};
    task_check(L);
    if (spool->number < 0)
        return fail(L, spool, ENOENT);
    if (spool->stream.is_writing)
        return fail(L, spool, EALREADY);
    stream_close(&spool->stream);
    begin_frame(spool, &frame, TALK_SEAL);
    spool->number = -1;
    return ask(L, spool, &frame, sealed, finish_finish);
}

/* ---- spool:discard() */

static void abandon(struct spool *spool)
{
    struct buffer frame = {0};
    if (spool->number < 0)
        return;
    begin_frame(spool, &frame, TALK_ABANDON);
    spool->number = -1;
    keeperline_tell(spool->plugin->line, &frame); /* a line that is over ends it too */
    buffer_free(&frame);
}

/* Who writes into it is told. */
static int spool_discard(lua_State *L)
{
    struct spool *spool = check_spool(L);
    stream_close(&spool->stream);
    abandon(spool);
    return 0;
}

static int spool_collect(lua_State *L)
{
    struct spool *spool = luaL_checkudata(L, 1, SPOOL);
    keeperline_forget(&spool->question);
    stream_drop(&spool->stream);
    abandon(spool);
    return 0;
}

/* ---- host.blob.keep(sha256, { class =, keep =, erase = }) */

static const char *check_digest(lua_State *L)
{
    size_t length;
    const char *digest = luaL_checklstring(L, 1, &length);
    luaL_argcheck(L,
                  length == TALK_DIGEST_HEX &&
                      strspn(digest, "0123456789abcdef") == TALK_DIGEST_HEX,
                  1, "expected a SHA-256 of 64 digits, such as finish() gives");
    return digest;
}

static int blob_keep(lua_State *L)
{
    static const char *const NAMES[] = {"class", "keep", "erase", NULL};
    plugin_of(L); /* raises outside of a task */
    lua_settop(L, 2);
    luaL_checktype(L, 2, LUA_TTABLE);
    bind_options(L, 2, NAMES);
    struct effects_blob blob = {.digest = check_digest(L), .class = check_class(L, 2)};
    blob.keep_ms = lua_getfield(L, 2, "keep") == LUA_TNIL
                       ? -1
                       : bind_duration_in(L, 2, "keep", 1, MOST_MS, 1);
    blob.erases = bind_flag_in(L, 2, "erase", false);
    if (effects_blob(&task_of(L)->effects, &blob) != 0)
        return luaL_error(L,
                          "blob: more than one transaction holds (%d effects): call "
                          "host.commit() before",
                          EFFECTS_MAX);
    return 0;
}

static const luaL_Reg METHODS[] = {{"write", spool_write},
                                   {"finish", spool_finish},
                                   {"discard", spool_discard},
                                   {NULL, NULL}};
static const luaL_Reg FUNCTIONS[] = {
    {"open", blob_open}, {"keep", blob_keep}, {NULL, NULL}};

void bind_blob(lua_State *L)
{
    signal(SIGPIPE, SIG_IGN); /* a pipe's reader may go */
    bind_class(L, SPOOL, METHODS, spool_collect);
    luaL_getmetatable(L, SPOOL);
    lua_pushcfunction(L, spool_discard);
    lua_setfield(L, -2, "__close");
    lua_pop(L, 1);
    luaL_newlib(L, FUNCTIONS);
    lua_setfield(L, -2, "blob");
}
