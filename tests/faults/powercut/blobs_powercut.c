/* blobs_powercut - the power fails while blobs come, stay and go: see sweep.h, disk.h, office.h, book.h.
 *
 * Each life of the keeper is a process of its own, so that it can be killed: then what was sealed, and
 * what was on its way, lies where it lay. Between two lives the journal may be damaged. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/now.h"
#include "book.h"
#include "chance.h"
#include "keeper/blobs/scribe.h"
#include "office.h"
#include "sweep.h"
#include "wire/talk.h"

enum {
    LIVES = 3,
    STEPS = 12,
    KEEP_MOST_MS = 20000,
    TOGETHER = 3, /* blobs of one commit */
    LEFT = 4,     /* sealed at the end of a life, less than so many */
    PIPE = 1 << 20
};

static struct book *book;
static const char *folder_of;
static bool forgets_sealed;
static sqlite3 *database;
static const struct book_blob *coming; /* what the host writes into the next spool */

/* ---- The far end of a spool */

int __real_scribe_write(void *owner, struct buffer *result);
int __wrap_scribe_write(void *owner, struct buffer *result);

/* fork() comes back when the scribe has ended (trace.h), so all that the host writes must lie in the
 * pipe before. */
int __wrap_scribe_write(void *owner, struct buffer *result)
{
    struct scribe scribe = *(const struct scribe *)owner;
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0 || fcntl(fds[1], F_SETPIPE_SZ, PIPE) < 0 ||
        write(fds[1], coming->bytes, coming->size) != (ssize_t)coming->size)
        abort();
    close(fds[1]);
    scribe.fd = fds[0];
    return __real_scribe_write(&scribe, result);
}

static void need(bool claim, const char *what)
{
    if (claim)
        return;
    fprintf(stderr, "powercut: blobs: %s\n", what);
    fflush(stderr);
    abort();
}

/* What was sealed is adopted, or thrown away, when its host is gone. */
static struct moment_of *begin_moment(void)
{
    struct moment_of *moment = book_begin(book);
    for (int i = 0; i < BOOK_BLOBS && forgets_sealed; i++)
        moment->lines[i].is_sealed = false;
    forgets_sealed = false;
    return moment;
}

static int64_t number_in(const struct frame *frame, enum talk_tag tag)
{
    struct field field;
    int64_t number = -1;
    if (fields_find(&frame->fields, (uint8_t)tag, &field) == 0)
        field_number(&field, &number);
    return number;
}

static bool ask(struct office *office, struct buffer *question, enum talk_type type,
                struct frame *answer)
{
    bool heard = office_ask(office, question, answer);
    buffer_free(question);
    need(heard && answer->type == type, "no answer");
    return number_in(answer, TAG_ERROR) == 0;
}

static int64_t spool(struct office *office, int at, size_t most)
{
    struct buffer question = {0};
    struct frame answer;
    coming = book_blob(at);
    frame_begin(&question, TALK_SPOOL, ++office->id);
    frame_put_text(&question, TAG_NAME, "ordinary");
    frame_put_number(&question, TAG_LIMIT, (int64_t)most);
    need(ask(office, &question, TALK_SPOOLED, &answer), "a spool was refused");
    return number_in(&answer, TAG_SPOOL);
}

static void seal(struct office *office, int at)
{
    struct buffer question = {0};
    struct frame answer;
    struct field field;
    char digits[TALK_DIGEST_HEX + 1], told[TALK_DIGEST_HEX + 1] = "";
    int64_t number = spool(office, at, BOOK_MOST);
    frame_begin(&question, TALK_SEAL, ++office->id);
    frame_put_number(&question, TAG_SPOOL, number);
    need(ask(office, &question, TALK_SEALED, &answer), "a spool was not sealed");
    hex_encode(digits, book_blob(at)->sha256.bytes, DIGEST_BYTES);
    need(fields_find(&answer.fields, TAG_DIGEST, &field) == 0 &&
             field_text(&field, told, sizeof(told)) == 0 && strcmp(told, digits) == 0,
         "another hash");
    struct line_of *line = &begin_moment()->lines[at];
    line->is_sealed = !line->is_there || line->row.is_released;
    book_end(book);
}

/* Thrown away by its host; or it is more than was said, and so is refused. */
static void abandon(struct office *office, int at, bool is_long)
{
    struct buffer question = {0};
    struct frame answer;
    bool fits = !is_long || book_blob(at)->size == 0;
    int64_t number = spool(office, at, fits ? BOOK_MOST : book_blob(at)->size - 1);
    frame_begin(&question, is_long ? TALK_SEAL : TALK_ABANDON, ++office->id);
    frame_put_number(&question, TAG_SPOOL, number);
    if (is_long) {
        need(ask(office, &question, TALK_SEALED, &answer) == fits, "not as long");
        return;
    }
    need(send(office->host_end, question.bytes, question.length, 0) > 0, "send");
    buffer_free(&question);
    office_pass(office, 1);
}

/* ---- Commits */

struct naming {
    int at, class;
    int64_t keep_ms;
    bool is_prompt;
};

static void put_naming(struct buffer *frame, const struct naming *naming)
{
    char digits[TALK_DIGEST_HEX + 1];
    hex_encode(digits, book_blob(naming->at)->sha256.bytes, DIGEST_BYTES);
    size_t mark = frame_open(frame, TAG_BLOB);
    frame_put_text(frame, TAG_DIGEST, digits);
    frame_put_text(frame, TAG_NAME, talk_class_name((enum talk_class)naming->class));
    frame_put_number(frame, TAG_LIMIT, naming->keep_ms);
    if (naming->is_prompt)
        frame_put(frame, TAG_MORE, "", 0);
    frame_close(frame, mark);
}

/* What was told done is in the table, with at least that class. */
static void commit(struct office *office, const struct naming *namings, int count)
{
    struct buffer question = {0};
    struct frame answer;
    frame_begin(&question, TALK_COMMIT, ++office->id);
    size_t mark = frame_open(&question, TAG_EVENT);
    frame_put_text(&question, TAG_TYPE, "band.seen");
    frame_put_text(&question, TAG_DATA, "{\"blob\":true}");
    frame_close(&question, mark);
    for (int i = 0; i < count; i++)
        put_naming(&question, &namings[i]);
    need(ask(office, &question, TALK_DONE, &answer), "a commit was refused");
    for (int i = 0; i < count; i++) {
        const struct line_of *line = &book->moments[book->count].lines[namings[i].at];
        need(line->is_there && line->row.class >= namings[i].class, "no row was noted");
    }
}

static const struct line_of *newest(int at)
{
    return &book->moments[book->count].lines[at];
}

static bool is_stored(int at)
{
    return newest(at)->is_there && !newest(at)->row.is_released;
}

/* Most go soon, so that there is always one that can come. */
static struct naming choose(int at, uint64_t *random)
{
    bool stays = chance_is(random, 15);
    return (struct naming){
        .at = at,
        .class =
            chance_is(random, 10) ? CLASS_CASE : (int)chance_below(random, CLASS_CASE),
        .keep_ms = stays ? -1 : (int64_t)chance_below(random, KEEP_MOST_MS),
        .is_prompt = chance_is(random, 85)};
}

/* Some blobs that are sealed, one of them maybe twice, and maybe one that is stored. */
static void store_some(struct office *office, uint64_t *random)
{
    struct naming namings[TOGETHER];
    int count = 1 + (int)chance_below(random, TOGETHER);
    for (int i = 0; i < count; i++) {
        int at = (int)chance_below(random, BOOK_BLOBS);
        namings[i] = choose(at, random);
        if (is_stored(at) && chance_is(random, 50))
            continue; /* its class is raised */
        if (!newest(at)->is_sealed || chance_is(random, 20))
            seal(office, at);
        if (chance_is(random, 20))
            seal(office, at);
    }
    commit(office, namings, count);
}

static void raise_one(struct office *office, uint64_t *random)
{
    int at = (int)chance_below(random, BOOK_BLOBS);
    struct naming naming = choose(at, random);
    if (is_stored(at))
        commit(office, &naming, 1);
}

/* ---- Lives */

static void told(struct office *office)
{
    struct journal *journal = office->keeper.journal;
    if (journal->is_open) /* what is read now would not be on disk */
        return;
    struct moment_of *moment = begin_moment();
    moment->asides = book_asides(folder_of);
    moment->wreck = WHOLE;
    book_read(moment, journal->store);
    book_end(book);
}

static void step(struct office *office, uint64_t *random)
{
    uint64_t choice = chance_below(random, 100);
    if (choice < 45)
        store_some(office, random);
    else if (choice < 55)
        raise_one(office, random);
    else if (choice < 65)
        seal(office, (int)chance_below(random, BOOK_BLOBS));
    else if (choice < 75)
        abandon(office, (int)chance_below(random, BOOK_BLOBS), chance_is(random, 50));
    else
        office_pass(office, 3000 + (int)chance_below(random, 12000));
}

/* Sealed, and then their host dies. */
static void leave_sealed(struct office *office, uint64_t *random)
{
    int left = (int)chance_below(random, LEFT);
    for (int at = 0; at < BOOK_BLOBS && left > 0; at++)
        if (!is_stored(at) && chance_is(random, 50)) {
            seal(office, at);
            left--;
        }
}

_Noreturn static void live(const char *folder, uint64_t seed, bool is_lazy)
{
    static struct office office;
    uint64_t random = seed;
    trace_be_repeatable(seed);
    int64_t passed_us = book->moments[book->count].utc_us - now_utc_us();
    trace_pass_us(passed_us > 0 ? passed_us + 1000000 : 0);
    forgets_sealed = true;
    need(office_open(&office, folder, NULL) == 0, "the office cannot be opened");
    if (is_lazy &&
        sqlite3_exec(database, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL) != 0)
        abort();
    for (int i = 0; i < STEPS; i++)
        step(&office, &random);
    leave_sealed(&office, &random);
    if (chance_is(&random, 70))
        _exit(0); /* killed */
    forgets_sealed = true;
    begin_moment();
    book_end(book);
    office_stop(&office);
    _exit(0);
}

/* A fork that is no errand. */
static void run_life(const char *folder, uint64_t seed, bool is_lazy)
{
    int status;
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        live(folder, seed, is_lazy);
    need(waitpid(pid, &status, 0) == pid && status == 0, "a life ended badly");
}

/* Either its key is gone, and the table can be read; or the table is. One change: a journal that is only
 * half damaged is flips_fault.py's. */
static void wreck(const char *folder, bool has_key)
{
    char path[DEPOT_PATH_MAX];
    book_begin(book)->wreck = has_key ? WITHOUT_TABLE : WITHOUT_KEY;
    book_end(book);
    need(file_join(path, sizeof(path), folder,
                   has_key ? "journal/tail.db" : "keys/journal.key") == 0,
         "path");
    if (unlink(path) == 0)
        need(file_sync_name(path) == 0, "sync");
}

/* ---- The rig */

static int took_database(sqlite3 *db, char **message,
                         const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    database = db;
    return SQLITE_OK;
}

static void work(const char *folder, uint64_t seed, uint64_t marks, bool is_lazy)
{
    uint64_t random = seed;
    sqlite3_auto_extension((void (*)(void))took_database);
    folder_of = folder;
    office_watch(told);
    book->count = (int)marks;
    if (marks == 0)
        memset(&book->moments[0], 0, sizeof(book->moments[0]));
    for (int life = 0; life < LIVES; life++) {
        /* Behind a wreck the database opened last is not the journal's. */
        if ((life > 0 || marks > 0) && !is_lazy && chance_is(&random, 60))
            wreck(folder, chance_is(&random, 50));
        run_life(folder, chance_next(&random), is_lazy);
    }
}

/* The clock has gone on; or it is set back a little, so that nobody's time is over. Journals that are
 * set aside are told apart by their time, so then it must have gone on. */
static int open_again(struct office *office, const char *folder, uint64_t seed,
                      uint64_t marks, bool is_back)
{
    const struct moment_of *moment = &book->moments[marks];
    trace_be_repeatable(seed);
    int64_t passed_us = moment->utc_us - now_utc_us() + 1000;
    if (is_back && moment->wreck == WHOLE)
        passed_us -= 2 * KEEP_MOST_MS * 1000LL;
    trace_pass_us(passed_us > 0 ? passed_us : 0);
    office_watch(NULL);
    return office_open(office, folder, NULL);
}

/* What was found is what is told from now on: also what is due, for the next workload finds it again,
 * maybe at an earlier time. Not what an adoption alone has brought: nobody was told of it, and the next
 * workload may damage the folder so that there is another adoption, or none. */
static uint64_t settle(const char *folder, uint64_t marks)
{
    static struct office office;
    struct moment_of *moment = &book->moments[marks], before = *moment;
    int asides = book_asides(folder);
    bool adopts = book_adopts(folder);
    if (open_again(&office, folder, marks, marks, true) != 0 ||
        book_check(book, marks, folder, adopts, &office.keeper.blobs) != NULL)
        abort();
    book_read(moment, office.keeper.journal->store);
    for (int i = 0; i < BOOK_BLOBS; i++) {
        struct line_of *line = &moment->lines[i];
        if (line->row.class == CATALOG_UNKNOWN && !before.lines[i].is_there)
            *line = before.lines[i];
        line->is_sealed = false;
    }
    moment->asides = asides;
    office_close(&office);
    return marks;
}

/* What has to go goes, what has to stay stays, and one more comes. */
static const char *go_on(struct office *office, const char *folder, uint64_t *random)
{
    int at = (int)chance_below(random, BOOK_BLOBS);
    struct naming naming = {.at = at, .class = CLASS_CASE, .keep_ms = -1};
    book->count = 0;
    folder_of = folder;
    forgets_sealed = true;
    office_watch(told);
    office_pass(office, 100);
    told(office);
    office_pass(office, 2 * KEEP_MOST_MS);
    if (!is_stored(at) || chance_is(random, 50))
        seal(office, at);
    commit(office, &naming, 1);
    office_pass(office, 2 * BLOBS_TICK_MS);
    return book_check_gone(&office->keeper.blobs);
}

static const char *check(struct office *office, const char *folder, uint64_t seed,
                         uint64_t marks)
{
    static char why[80];
    bool adopts = book_adopts(folder);
    int err = open_again(office, folder, seed, marks, seed % 2 == 0);
    if (err == 0)
        return book_check(book, marks, folder, adopts, &office->keeper.blobs);
    snprintf(why, sizeof(why), "cannot be opened: %s", strerror(-err));
    return why;
}

static const char *examine(const char *folder, uint64_t seed, uint64_t marks)
{
    static struct office office;
    static struct book own;
    struct book *shared = book;
    uint64_t random = seed;
    const char *wrong = check(&office, folder, seed, marks);
    if (wrong != NULL || !chance_is(&random, 25)) {
        office_close(&office);
        return wrong;
    }
    book = &own;
    wrong = go_on(&office, folder, &random);
    office_stop(&office);
    if (wrong == NULL) {
        wrong = check(&office, folder, seed, (uint64_t)own.count);
        office_close(&office);
    }
    book = shared;
    return wrong;
}

int main(int argc, char **argv)
{
    static const struct rig RIG = {"blobs", true, work, settle, examine};
    book = book_new();
    signal(SIGPIPE, SIG_IGN);
    umask(0027);
    return sweep_main(&RIG, argc, argv);
}
