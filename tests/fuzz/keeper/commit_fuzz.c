/* Any bytes as the fields of a COMMIT: what is checked well is also done well, and what was done
 * is one JSON object apiece, in its place. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/json.h"
#include "keeper/children/commit.h"
#include "keeper/children/holding.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char CONFIG[] =
    "{\"office\":{\"id\":\"o\"},\"plugins\":[{\"plugin\":\"p\",\"instance\":\"i\","
    "\"events\":{\"a.b\":\"alarm\",\"a.c\":\"telemetry\"}}]}";

static struct config *config;
static struct journal *journal;
static char folder[] = "/tmp/commit-fuzz-XXXXXX";

static void remove_folder(void)
{
    static const char *const NAMES[] = {"tail.db", "tail.db-wal", "tail.db-shm"};
    char path[128];
    journal_close(journal);
    config_close(config);
    for (size_t i = 0; i < countof(NAMES); i++) {
        ASSERT(strlen(folder) + strlen(NAMES[i]) + 2 <= sizeof(path));
        strcpy(path, folder);
        strcat(path, "/");
        strcat(path, NAMES[i]);
        unlink(path);
    }
    rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct buffer why = {0};
    struct key *key;
    (void)argc;
    (void)argv;
    ASSERT(mkdtemp(folder) != NULL);
    ASSERT(config_open(&config, CONFIG, sizeof(CONFIG) - 1) == 0);
    ASSERT(key_make(&key, suite_named("sha256+ed25519"), "outpost/o") == 0);
    ASSERT(journal_open(&journal, folder, key, NULL, "o", "sha256+ed25519", &why) == 0);
    key_free(key);
    atexit(remove_folder);
    return 0;
}

static int check_event(void *owner, const struct store_event *event)
{
    struct json *json;
    struct event_stamp stamp = {journal->log.office, journal->log.log, event->seq};
    (void)owner;
    ASSERT(event_is(&stamp, event->lane, event->body, event->length));
    ASSERT(json_parse(&json, event->body, event->length) == 0);
    ASSERT(json_is_object(json_get(json, "data")));
    json_free(json);
    return 0;
}

/* What was counted change by change is what is there. */
static void check_holding(const struct holding *counted)
{
    struct holdings fresh = {0};
    struct holding *there;
    ASSERT(holding_find(&fresh, journal->store, "i", &there) == 0);
    ASSERT(there->now.keys == counted->now.keys);
    ASSERT(there->now.bytes == counted->now.bytes);
    holdings_free(&fresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct commit commit;
    struct buffer why = {0};
    int64_t first;
    struct fields fields = {bytes, bytes + length};
    int err = commit_check(&commit, &config->plugins[0], journal->size, &fields, &why);
    ASSERT(err == 0 || why.length > 0);
    if (err == 0 && journal_begin(journal) == 0) {
        struct holdings holdings = {0};
        ASSERT(holding_find(&holdings, journal->store, "i", &commit.holding) == 0);
        ASSERT(holding_check(commit.holding, journal->store, &fields, &why) == 0);
        err = commit_apply(&commit, journal, &first);
        ASSERT(err == 0);
        ASSERT((first == 0) == (commit.events > 0));
        ASSERT(store_each_event(journal->store, 0, 100000, check_event, NULL) == 0);
        check_holding(commit.holding);
        journal_rollback(journal);
        holdings_settle(&holdings, false);
        check_holding(commit.holding);
        holdings_free(&holdings);
    }
    buffer_free(&why);
    return 0;
}
