/* host.blob as a plugin calls it, with a keeper that is the test: it hands out pipes and reads them. */
#include "host/bind/bind.h"

#include "host/desk.h"

#include <fcntl.h>

enum { PIPES = 4, ROOM = 1024 * 1024 };

static const char DIGEST[] =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/* The keeper's half. */
static struct {
    int pipes[PIPES]; /* our ends, by number */
    int opened;
    int64_t most;
    char class[20];
    char got[ROOM];
    size_t length;
    bool is_deaf; /* nothing is read */
    bool is_dead; /* nor is there anybody who could */
    int refusal;
    int seal_err;
    bool is_known;
    bool seals_never;
    bool has_no_pipe;
    int64_t sealed, abandoned;
    char kept[100];
} store;

static void answer_spool(uint32_t id, int err, int64_t number, int fd)
{
    struct buffer frame = {0};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } beside = {0};
    frame_begin(&frame, TALK_SPOOLED, id);
    frame_put_number(&frame, TAG_ERROR, err);
    frame_put_text(&frame, TAG_TEXT, "");
    frame_put_number(&frame, TAG_SPOOL, number);
    struct iovec part = {.iov_base = frame.bytes, .iov_len = frame.length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = beside.room;
        message.msg_controllen = sizeof(beside.room);
        beside.head = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                       .cmsg_type = SCM_RIGHTS,
                                       .cmsg_len = CMSG_LEN(sizeof(fd))};
        memcpy(CMSG_DATA(&beside.head), &fd, sizeof(fd));
    }
    assert_int_equal(sendmsg(desk.fd, &message, 0), (ssize_t)frame.length);
    buffer_free(&frame);
}

static void hear_spool(const struct frame *frame)
{
    int fds[2];
    store.most = number_in(&frame->fields, TAG_LIMIT, -1);
    text_in(&frame->fields, TAG_NAME, store.class, sizeof(store.class));
    if (store.refusal || store.has_no_pipe) {
        answer_spool(frame->id, store.refusal, -1, -1);
        return;
    }
    assert_in_range(store.opened, 0, PIPES - 1);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    store.pipes[store.opened] = fds[0];
    answer_spool(frame->id, 0, store.opened++, fds[1]);
    close(fds[1]);
    if (store.is_dead)
        close(fds[0]);
}

static void read_pipe(int fd)
{
    ssize_t length;
    while ((length = read(fd, store.got + store.length, ROOM - store.length)) > 0)
        store.length += (size_t)length;
}

static void hear_seal(const struct frame *frame)
{
    char byte;
    struct buffer answer = {0};
    store.sealed = number_in(&frame->fields, TAG_SPOOL, -1);
    if (!store.is_dead) {
        read_pipe(store.pipes[store.sealed]);
        assert_int_equal(read(store.pipes[store.sealed], &byte, 1), 0); /* its end */
    }
    if (store.seals_never)
        return;
    frame_begin(&answer, TALK_SEALED, frame->id);
    frame_put_number(&answer, TAG_ERROR, store.seal_err);
    frame_put_text(&answer, TAG_TEXT, store.seal_err ? "the disk is full" : "");
    if (!store.seal_err) {
        frame_put_text(&answer, TAG_DIGEST, DIGEST);
        frame_put_text(&answer, TAG_SM3, DIGEST);
        frame_put_number(&answer, TAG_SIZE, (int64_t)store.length);
        if (store.is_known)
            frame_put(&answer, TAG_MORE, "", 0);
    }
    say(&answer);
}

static void hear_blobs(const struct frame *frame)
{
    if (frame->type == TALK_SPOOL)
        hear_spool(frame);
    else if (frame->type == TALK_SEAL)
        hear_seal(frame);
    else if (frame->type == TALK_ABANDON)
        store.abandoned = number_in(&frame->fields, TAG_SPOOL, -2);
    else
        fail_msg("a frame of type %d", frame->type);
}

static void take_blob(const struct field *field)
{
    char digest[TALK_DIGEST_HEX + 1], class[20];
    struct fields inside = field_inside(field);
    struct field more;
    assert_int_equal(field->tag, TAG_BLOB);
    text_in(&inside, TAG_DIGEST, digest, sizeof(digest));
    text_in(&inside, TAG_NAME, class, sizeof(class));
    assert_string_equal(digest, DIGEST);
    snprintf(store.kept, sizeof(store.kept), "%s %lld%s", class,
             (long long)number_in(&inside, TAG_LIMIT, -2),
             fields_find(&inside, TAG_MORE, &more) == 0 ? " erased" : "");
}

static void begin(const char *body)
{
    char text[3500];
    snprintf(text, sizeof(text),
             "local function tell(...) host.emit { type = 'x.y', data = { t = "
             "table.concat({ ... }, '|') } } end\n%s",
             body);
    desk.hear_more = hear_blobs;
    desk.take_more = take_blob;
    desk_start("'blob'", 0, ONE_EVENT, text);
}

/* What it waits for: it has started, and pipes are read meanwhile. */
static bool has_run(void)
{
    for (int i = 0; i < store.opened && !store.is_deaf && !store.is_dead; i++)
        read_pipe(store.pipes[i]);
    return desk.plugin.started;
}

static void run(const char *body)
{
    begin(body);
    talk_until(has_run);
}

static void over(int code)
{
    finish(code);
    for (int i = 0; i < store.opened && !store.is_dead; i++)
        close(store.pipes[i]);
    memset(&store, 0, sizeof(store));
}

static void told(int number, const char *text)
{
    char wanted[200];
    snprintf(wanted, sizeof(wanted), "{\"t\":\"%s\"}", text);
    assert_true(number < desk.events);
    assert_string_equal(desk.data[number], wanted);
}

static void bytes_go_through_a_pipe_and_come_back_as_hashes(void **state)
{
    (void)state;
    run("local spool = assert(host.blob.open { class = 'picture', most = 400000 })\n"
        "assert(spool:write 'hello ')\n"
        "assert(spool:write(('x'):rep(300000)))\n" /* more than a pipe holds */
        "local blob = assert(spool:finish())\n"
        "tell(blob.sha256, blob.sm3, tostring(blob.size), tostring(blob.known))\n"
        "host.blob.keep(blob.sha256, { class = 'important', keep = '30d' })");
    char wanted[200];
    snprintf(wanted, sizeof(wanted), "%s|%s|300006|false", DIGEST, DIGEST);
    told(0, wanted);
    assert_string_equal(store.class, "picture");
    assert_int_equal(store.most, 400000);
    assert_int_equal(store.length, 300006);
    assert_memory_equal(store.got, "hello xxx", 9);
    assert_int_equal(store.got[300005], 'x');
    assert_string_equal(store.kept, "important 2592000000");
    assert_int_equal(desk.commits, 1); /* with the event */
    over(PLUGIN_ENDED);
}

static void whether_the_same_bytes_were_there_before_is_told(void **state)
{
    (void)state;
    store.is_known = true;
    run("local spool = assert(host.blob.open { class = 'picture' })\n"
        "local blob = assert(spool:finish())\n"
        "tell(tostring(blob.known))");
    told(0, "true");
    over(PLUGIN_ENDED);
}

static void a_blob_is_kept_until_it_is_released_or_erased_promptly(void **state)
{
    (void)state;
    run("local digest = ('0123456789abcdef'):rep(4)\n"
        "host.blob.keep(digest, { class = 'case' })");
    assert_string_equal(store.kept, "case -1");
    over(PLUGIN_ENDED);
    run("local digest = ('0123456789abcdef'):rep(4)\n"
        "host.blob.keep(digest, { class = 'capture', keep = 5, erase = true })");
    assert_string_equal(store.kept, "capture 5 erased");
    over(PLUGIN_ENDED);
}

static void no_more_goes_in_than_was_announced(void **state)
{
    (void)state;
    run("local spool = assert(host.blob.open { class = 'ordinary', most = 5 })\n"
        "assert(spool:write 'abc')\n"
        "tell(select(3, spool:write 'def'))\n"
        "assert(spool:write 'de')\n"
        "tell(select(3, spool:write 'f'))\n"
        "assert(spool:finish())");
    told(0, "too_big");
    told(1, "too_big");
    assert_memory_equal(store.got, "abcde", 5);
    assert_int_equal(store.length, 5);
    over(PLUGIN_ENDED);
}

static void what_the_keeper_refuses_has_a_code(void **state)
{
    static const struct {
        int err;
        const char *code;
    } CASES[] = {
        {ENOSPC, "full"}, {EBUSY, "busy"}, {EINVAL, "refused"}, {EIO, "refused"}};
    (void)state;
    for (size_t i = 0; i < countof(CASES); i++) {
        store.refusal = CASES[i].err;
        run("tell(select(3, host.blob.open { class = 'ordinary' }))");
        told(0, CASES[i].code);
        assert_int_equal(store.most, 8 << 20);
        over(PLUGIN_ENDED);
    }
}

static void who_does_not_read_any_more_says_why_at_the_end(void **state)
{
    (void)state;
    store.is_dead = true;
    store.seal_err = ENOSPC;
    run("local spool = assert(host.blob.open { class = 'ordinary' })\n"
        "tell(select(3, spool:write 'abc'))\n"
        "local ok, message, code = spool:finish()\n"
        "tell(tostring(ok), message, code)\n"
        "tell(select(3, spool:finish()), select(3, spool:write 'x'))");
    told(0, "closed");
    told(1, "nil|blob: the disk is full|full");
    told(2, "closed|closed");
    assert_int_equal(store.sealed, 0);
    over(PLUGIN_ENDED);
}

static bool was_abandoned(void)
{
    return store.abandoned == 0;
}

static void what_is_not_finished_is_thrown_away(void **state)
{
    static const char *const WAYS[] = {
        "spool:discard() spool:discard()", "do local closed <close> = spool end",
        "spool = nil for _ = 1, 20000 do local _ = {} end", /* collected */
    };
    char body[400];
    (void)state;
    for (size_t i = 0; i < countof(WAYS); i++) {
        store.abandoned = -1;
        snprintf(body, sizeof(body),
                 "local spool = assert(host.blob.open { class = 'ordinary' })\n"
                 "spool:write 'abc' %s",
                 WAYS[i]);
        run(body);
        talk_until(was_abandoned);
        assert_int_equal(desk.commits, 0);
        over(PLUGIN_ENDED);
    }
}

static bool asked_to_seal(void)
{
    return store.sealed == 0;
}

static void a_plugin_may_end_while_it_waits(void **state)
{
    (void)state;
    store.seals_never = true;
    store.sealed = -1;
    begin("local spool = assert(host.blob.open { class = 'ordinary' })\n"
          "spool:finish()");
    talk_until(asked_to_seal);
    over(PLUGIN_ENDED);
    store.is_deaf = true;
    run("local spool = assert(host.blob.open { class = 'ordinary' })\n"
        "host.after(1, function() spool:write(('x'):rep(200000)) end)\n"
        "host.after(5, function() tell(select(3, spool:write 'x'), select(3, "
        "spool:finish())) end)");
    talk_until(some_events);
    told(0, "busy|busy");
    over(PLUGIN_ENDED);
}

static void a_spool_that_nobody_waits_for_is_given_back(void **state)
{
    int fds[2];
    char byte;
    (void)state;
    store.abandoned = -1;
    run("");
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    answer_spool(4711, 0, 0, fds[1]);
    close(fds[1]);
    talk_until(was_abandoned);
    assert_int_equal(read(fds[0], &byte, 1), 0); /* nobody holds the other end */
    close(fds[0]);
    over(PLUGIN_ENDED);
}

static void an_answer_without_a_pipe_opens_nothing(void **state)
{
    (void)state;
    store.has_no_pipe = true;
    store.abandoned = -1;
    run("tell(select(3, host.blob.open { class = 'ordinary' }))");
    told(0, "refused");
    over(PLUGIN_ENDED);
}

static void wrong_arguments_are_raised(void **state)
{
    (void)state;
    run("local digest = ('0'):rep(64)\n"
        "local function fails(fn, ...) assert(not pcall(fn, ...)) end\n"
        "fails(host.blob.open) fails(host.blob.open, {})\n"
        "fails(host.blob.open, { class = 'big' })\n"
        "fails(host.blob.open, { class = 'case', most = 0 })\n"
        "fails(host.blob.open, { class = 'case', most = 1.5 })\n"
        "fails(host.blob.open, { class = 'case', size = 1 })\n"
        "fails(host.blob.keep, digest) fails(host.blob.keep, digest, {})\n"
        "fails(host.blob.keep, 'ab', { class = 'case' })\n"
        "fails(host.blob.keep, ('A'):rep(64), { class = 'case' })\n"
        "fails(host.blob.keep, digest, { class = 'case', keep = 0 })\n"
        "fails(host.blob.keep, digest, { class = 'case', erase = 1 })");
    assert_int_equal(desk.commits, 0);
    over(PLUGIN_ENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_through_a_pipe_and_come_back_as_hashes),
        cmocka_unit_test(whether_the_same_bytes_were_there_before_is_told),
        cmocka_unit_test(a_blob_is_kept_until_it_is_released_or_erased_promptly),
        cmocka_unit_test(no_more_goes_in_than_was_announced),
        cmocka_unit_test(what_the_keeper_refuses_has_a_code),
        cmocka_unit_test(who_does_not_read_any_more_says_why_at_the_end),
        cmocka_unit_test(what_is_not_finished_is_thrown_away),
        cmocka_unit_test(a_plugin_may_end_while_it_waits),
        cmocka_unit_test(a_spool_that_nobody_waits_for_is_given_back),
        cmocka_unit_test(an_answer_without_a_pipe_opens_nothing),
        cmocka_unit_test(wrong_arguments_are_raised),
    };
    return cmocka_run_group_tests(tests, desk_make_folder, desk_remove_folder);
}
