/* opening - see opening.h.
 *
 * Order: the old journal is set aside before the old key is. Cut between the two, the next start
 * finds a key it cannot use and no journal. */
#include "keeper/repair/opening.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/log.h"
#include "keeper/blobs/depot.h"
#include "keeper/repair/audit.h"
#include "keeper/repair/damage.h"
#include "keeper/self.h"
#include "proof/receipt.h"

enum { TRIES = 3, TRY_AGAIN_US = 200 * 1000, VKEY_MAX = 4096 };

static const char KEY_FLAG[] = "key";

static int state_path(const struct opening *opening, char path[JOURNAL_PATH_MAX],
                      const char *name)
{
    return file_join(path, JOURNAL_PATH_MAX, opening->state, name);
}

/* Whether it is the disk or the bytes, and nothing that a person or a free block could mend. */
static bool is_damage(int err)
{
    static const int ERRORS[] = {EBADMSG, EIO,    EPROTO,  EPROTONOSUPPORT, EFBIG,
                                 EINVAL,  EISDIR, ENOTDIR, EEXIST,          EUCLEAN};
    for (size_t i = 0; i < countof(ERRORS); i++)
        if (err == -ERRORS[i])
            return true;
    return false;
}

/* ---- The key */

/* The public key that the journal says it was signed with; NULL when it says none. */
static struct key *journals_key(const struct opening *opening)
{
    char path[JOURNAL_PATH_MAX];
    struct key *key = NULL;
    if (state_path(opening, path, "journal/key.pub") != 0 ||
        key_load_verifier(&key, path) != 0)
        return NULL;
    return key;
}

static bool is_same_key(const struct key *one, const struct key *other)
{
    struct buffer a = {0}, b = {0};
    key_print_verifier(one, &a);
    key_print_verifier(other, &b);
    bool same = a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
    buffer_free(&a);
    buffer_free(&b);
    return same;
}

static bool has_journal(const struct opening *opening)
{
    char folder[JOURNAL_PATH_MAX];
    return state_path(opening, folder, "journal") == 0 && audit_has_history(folder);
}

static int make_key(struct opening *opening, const char *path)
{
    char name[KEY_NAME_MAX + 1];
    const struct suite *suite = suite_named(opening->config->suite);
    if (suite == NULL)
        return -EINVAL;
    snprintf(name, sizeof(name), "outpost/%s", opening->config->office);
    int err = key_make(&opening->key, suite, name);
    return err ? err : key_save(opening->key, path);
}

/* What IT staff has to do is said here and in `outpost status`, until the city has verified it. */
static void say_new_key(const struct opening *opening, const char *why)
{
    struct buffer line = {0};
    key_print_verifier(opening->key, &line);
    log_error(
        "keys/journal.key %s: a new key was made and a new log begins. The city takes "
        "this "
        "office for a stranger until its new public key, journal/key.pub, is brought to "
        "whoever runs outpost-city, for its --offices file: %s",
        why, buffer_text(&line));
    buffer_free(&line);
}

static int set_journal_aside(struct opening *opening)
{
    char folder[JOURNAL_PATH_MAX];
    log_error("journal: damaged: %s; it is set aside whole and a new log begins",
              buffer_text(&opening->why));
    int err = state_path(opening, folder, "journal");
    if (err || !file_exists(folder))
        return err;
    err = damage_name(opening->aside, sizeof(opening->aside), folder);
    if (err)
        return err;
    err = depot_mark(opening->state, strrchr(opening->aside, '/') + 1);
    if (err)
        log_error("blobs/adopt cannot be made: %s", strerror(-err));
    return damage_move(opening->aside, folder);
}

/* A log whose key is gone cannot be signed any more. */
static int replace_key(struct opening *opening, const char *path, const char *why)
{
    char aside[JOURNAL_PATH_MAX];
    int err = 0;
    if (has_journal(opening)) {
        buffer_printf(&opening->why, "key: keys/journal.key %s", why);
        err = set_journal_aside(opening);
    }
    if (!err && file_exists(path))
        err = damage_set_aside(aside, sizeof(aside), path);
    if (!err)
        err = make_key(opening, path);
    if (err)
        return err;
    opening->is_new_key = true;
    say_new_key(opening, why);
    return 0;
}

/* A key that another log was signed with is kept, and a log of its own begun. */
static int check_key(struct opening *opening)
{
    struct key *known = journals_key(opening);
    bool fits = known == NULL || is_same_key(known, opening->key);
    key_free(known);
    if (fits)
        return 0;
    static const char WHY[] = "is not the one that this journal was signed with";
    buffer_printf(&opening->why, "key: keys/journal.key %s", WHY);
    int err = set_journal_aside(opening);
    if (err)
        return err;
    opening->is_new_key = true;
    say_new_key(opening, WHY);
    return 0;
}

static int open_key(struct opening *opening)
{
    char path[JOURNAL_PATH_MAX];
    int err = state_path(opening, path, "keys");
    if (!err)
        err = file_make_folders(path);
    if (!err)
        err = state_path(opening, path, "keys/journal.key");
    if (err)
        return err;
    if (!file_exists(path))
        return has_journal(opening) ? replace_key(opening, path, "is missing")
                                    : make_key(opening, path);
    err = key_load(&opening->key, path);
    if (err && is_damage(err))
        return replace_key(opening, path, "cannot be read");
    return err ? err : check_key(opening);
}

/* The public key lies with the journal, for who checks a copy of the folder. */
static int put_public_key(struct opening *opening)
{
    char path[JOURNAL_PATH_MAX];
    struct buffer had = {0}, line = {0};
    key_print_verifier(opening->key, &line);
    buffer_append(&line, "\n", 1);
    int err = state_path(opening, path, "journal/key.pub");
    if (!err && (file_read(&had, path, VKEY_MAX) != 0 || had.length != line.length ||
                 memcmp(had.bytes, line.bytes, line.length) != 0))
        err = file_put_durably(path, line.bytes, line.length, 0644);
    buffer_free(&had);
    buffer_free(&line);
    return err;
}

/* ---- The journal */

/* A new log is of the suite of its key, which may have been laid there (`outpost keygen`). */
static int try_journal(struct opening *opening)
{
    const char *suite = suite_name(key_suite(opening->key));
    char folder[JOURNAL_PATH_MAX];
    int err = state_path(opening, folder, "journal");
    if (!err)
        err = file_make_folders(folder);
    if (!err)
        err = journal_open(&opening->journal, folder, opening->key, opening->city,
                           opening->config->office, suite, &opening->why);
    if (err == -EXDEV)
        log_error("%s: expected the journal of office %s, got that of another office",
                  folder, opening->config->office);
    return err;
}

/* A disk may fail once and read well the next time. */
static int try_often(struct opening *opening)
{
    int err = try_journal(opening);
    for (int i = 1; i < TRIES && err == -EIO; i++) {
        usleep(TRY_AGAIN_US);
        buffer_clear(&opening->why);
        err = try_journal(opening);
    }
    return err;
}

/* The new log goes on with what the plugins remember, as far as it can be read. */
static int copy_keys(struct opening *opening)
{
    char old[JOURNAL_PATH_MAX];
    if (opening->aside[0] == '\0')
        return 0;
    int err = file_join(old, sizeof(old), opening->aside, "tail.db");
    if (!err)
        err = journal_begin(opening->journal);
    if (err)
        return err;
    store_copy_keys(opening->journal->store, old);
    return journal_commit(opening->journal);
}

static int open_journal(struct opening *opening)
{
    int err = try_often(opening);
    if (err && is_damage(err)) {
        if (opening->why.length == 0)
            buffer_append_text(&opening->why, strerror(-err));
        err = set_journal_aside(opening);
        if (!err)
            err = try_journal(opening);
    }
    if (!err)
        err = copy_keys(opening);
    if (!err)
        err = put_public_key(opening);
    if (!err)
        err = file_sync_folder(opening->state); /* the names of keys/ and journal/ */
    return err;
}

int opening_run(struct opening *opening, const struct config *config, const char *state)
{
    *opening = (struct opening){.config = config, .state = state};
    if (config->has_city && key_load_verifier(&opening->city, config->verifier) != 0)
        opening->city = NULL; /* link_open() says so */
    int err = open_key(opening);
    return err ? err : open_journal(opening);
}

void opening_close(struct opening *opening)
{
    key_free(opening->city);
    buffer_free(&opening->why);
}

/* ---- What is recorded of it */

static const struct {
    enum audit_damage bit;
    const char *reason;
    const char *file; /* set aside alone, or NULL */
} ALONE[] = {
    {AUDIT_CHECKPOINT,
     "the checkpoint was missing or not signed by this box; a new one is signed",
     "checkpoint"},
    {AUDIT_RECEIPT, "the city's receipt could not be read; the city gives another", NULL},
    {AUDIT_MARKS, "what the city has was not what its receipt says; the receipt counts",
     NULL},
    {AUDIT_TILES, "hash tiles were damaged and have been made anew from what they cover",
     NULL},
};

static void set_file_aside(const struct journal *journal, const char *name)
{
    char path[JOURNAL_PATH_MAX];
    if (journal_path(journal, path, name) != 0 || !file_exists(path))
        return;
    int err = damage_keep(journal->folder, name, false);
    if (err)
        log_warn("journal: %s cannot be set aside: %s", name, strerror(-err));
}

static int put_marks(struct journal *journal)
{
    int err = 0;
    for (int lane = 0; lane < LANES && !err; lane++)
        err = store_put_mark(journal->store, (enum talk_lane)lane, journal->marks[lane]);
    return err || journal->receipt.length > 0 ? err
                                              : store_put_receipt(journal->store, "", 0);
}

static void record_alone(struct opening *opening, struct group *group, size_t which)
{
    struct buffer named = {0};
    log_error("journal: %s", ALONE[which].reason);
    if (ALONE[which].file != NULL)
        set_file_aside(opening->journal, ALONE[which].file);
    buffer_append_text(&named, "{\"reason\":");
    json_put_text(&named, ALONE[which].reason);
    buffer_append_text(&named, "}");
    self_record(group, "journal.damaged", buffer_text(&named));
    buffer_free(&named);
}

int opening_record(struct opening *opening, struct group *group)
{
    struct journal *journal = opening->journal;
    int err = group_enter(group);
    if (!err && (journal->damage & (AUDIT_RECEIPT | AUDIT_MARKS)))
        err = put_marks(journal);
    if (!err && opening->is_new_key)
        err = store_put(journal->store, OPENING_OWN, KEY_FLAG, "new", 3);
    if (err)
        return err;
    for (size_t i = 0; i < countof(ALONE); i++)
        if (journal->damage & (int)ALONE[i].bit)
            record_alone(opening, group, i);
    return 0;
}

bool opening_key_waits(struct journal *journal)
{
    struct receipt receipt;
    struct buffer flag = {0};
    bool is_new = store_get(journal->store, OPENING_OWN, KEY_FLAG, &flag) == 0;
    buffer_free(&flag);
    if (!is_new)
        return false;
    const struct buffer *note = &journal->receipt;
    return note->length == 0 ||
           receipt_read(&receipt, note->bytes, note->length, NULL) != 0 ||
           !receipt.has_checkpoint;
}
