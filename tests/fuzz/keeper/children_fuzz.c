/* Any frames from a host, an uplink and a reader, a byte of role and two of length before each:
 * the keeper answers or ends the line, and goes on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "keeper/blobs/viewing.h"
#include "keeper/children/children.h"
#include "keeper/control/asking.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { PEERS = 3, FRAMES_MAX = 64 };

static const char CONFIG[] =
    "{\"office\":{\"id\":\"o\"},\"plugins\":[{\"plugin\":\"p\",\"instance\":\"i\","
    "\"events\":{\"a.b\":\"alarm\",\"a.c\":\"telemetry\"},"
    "\"actions\":{\"a\":{\"roles\":[\"technician\"]}},\"views\":{\"v\":{\"roles\":["
    "\"officer\"]}}}]}";

static struct config *config;
static struct journal *journal;
static struct loop *loop;
static struct blobs blobs; /* opened once, for it syncs its folders */
static char folder[] = "/tmp/children-fuzz-XXXXXX";

/* What one input has to itself. */
struct round {
    struct group group;
    struct router router;
    struct link link;
    struct children children;
    struct asking asking;
    struct viewing viewing;
    struct peer peers[PEERS];
    int ends[PEERS];
    struct loop_timer tick;
};

static void remove_folder(void)
{
    static const char *const NAMES[] = {"tail.db", "tail.db-wal", "tail.db-shm",
                                        "keys/blobs.key"};
    static const char *const FOLDERS[] = {"blobs/new", "blobs/old", "blobs", "keys", ""};
    char path[128];
    journal_close(journal);
    config_close(config);
    loop_close(loop);
    for (size_t i = 0; i < countof(NAMES); i++) {
        strcpy(path, folder);
        strcat(path, "/");
        strcat(path, NAMES[i]);
        unlink(path);
    }
    for (size_t i = 0; i < countof(FOLDERS); i++) {
        strcpy(path, folder);
        strcat(path, "/");
        strcat(path, FOLDERS[i]);
        rmdir(path);
    }
}

/* What is refused is a line in the log each time: keep to the fuzzer's own. It reads its flags after
 * this call. */
static void keep_quiet(int *argc, char ***argv)
{
    static char flag[] = "-close_fd_mask=2";
    static char *all[64];
    ASSERT(*argc < 62);
    memcpy(all, *argv, (size_t)*argc * sizeof(all[0]));
    all[(*argc)++] = flag;
    *argv = all;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct buffer why = {0};
    struct key *key;
    keep_quiet(argc, argv);
    ASSERT(mkdtemp(folder) != NULL);
    ASSERT(config_open(&config, CONFIG, sizeof(CONFIG) - 1) == 0);
    ASSERT(key_make(&key, suite_named("sha256+ed25519"), "outpost/o") == 0);
    ASSERT(journal_open(&journal, folder, key, NULL, "o", "sha256+ed25519", &why) == 0);
    ASSERT(loop_open(&loop) == 0);
    key_free(key);
    atexit(remove_folder);
    return 0;
}

static void committed(void *owner, int err, bool had_alarm)
{
    struct round *round = owner;
    (void)had_alarm;
    asking_committed(&round->asking, err);
    link_committed(&round->link, err);
    blobs_committed(&blobs, err);
    viewing_committed(&round->viewing, err);
    if (err == 0)
        router_wake(&round->router);
}

static void print_nothing(void *owner, const struct peer *peer, struct buffer *out)
{
    (void)owner;
    (void)peer;
    buffer_append_text(out, "{}");
}

static void greet_nobody(void *owner, struct peer *peer)
{
    (void)owner;
    (void)peer;
}

static void report_nothing(void *owner, struct buffer *out)
{
    (void)owner;
    buffer_append_text(out, "{}");
}

static void gone(struct peer *peer, int why)
{
    (void)peer;
    (void)why;
}

static void tick(struct loop_timer *timer)
{
    (void)timer;
}

/* No scribe is forked: what it does has tests of its own. */
static int admit_nothing(void *owner, int class, int64_t bytes, struct buffer *why)
{
    (void)owner;
    (void)class;
    (void)bytes;
    (void)why;
    return -ENOSPC;
}

static void add_peer(struct round *round, int i)
{
    static const enum peer_role ROLES[PEERS] = {PEER_HOST, PEER_UPLINK, PEER_READER};
    int fds[2];
    ASSERT(line_pair(fds) == 0);
    round->peers[i] = (struct peer){
        .role = ROLES[i], .name = "i", .plugin = &config->plugins[0], .gone = gone};
    ASSERT(children_add(&round->children, &round->peers[i], fds[0]) == 0);
    round->ends[i] = fds[1];
    static const char HELLO[] = {'O', 1, TALK_HELLO, 0, 0, 0, 0, 0};
    ASSERT(send(fds[1], HELLO, sizeof(HELLO), 0) == sizeof(HELLO));
}

static void begin(struct round *round)
{
    *round = (struct round){.tick.fire = tick};
    group_open(&round->group, loop, journal, committed, round);
    router_open(&round->router, journal);
    link_open(&round->link, journal, &round->group, NULL);
    children_open(&round->children, loop, &round->group, &round->router, &round->link);
    asking_open(&round->asking, loop, &round->children, config);
    round->children.asking = &round->asking;
    if (blobs.loop == NULL)
        ASSERT(blobs_open(&blobs, loop, &round->group, config, folder) == 0);
    blobs.group = &round->group;
    blobs.spools.admit = admit_nothing;
    round->children.blobs = &blobs;
    viewing_open(&round->viewing, loop, &round->group, &blobs);
    round->children.viewing = &round->viewing;
    round->children.print_start = print_nothing;
    round->children.greeted = greet_nobody;
    round->children.print_report = report_nothing;
    for (int i = 0; i < PEERS; i++)
        add_peer(round, i);
}

static void turn(struct round *round)
{
    loop_timer_start(loop, &round->tick, 0);
    loop_turn(loop);
    loop_timer_stop(&round->tick);
}

static void end(struct round *round)
{
    group_commit(&round->group);
    turn(round);
    asking_close(&round->asking);
    children_close(&round->children);
    viewing_close(&round->viewing);
    blobs_close(&blobs);
    for (int i = 0; i < PEERS; i++)
        close(round->ends[i]);
    link_close(&round->link);
    router_close(&round->router);
    group_close(&round->group);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct round round;
    begin(&round);
    turn(&round);
    for (int i = 0; i < FRAMES_MAX && length >= 3; i++) {
        size_t size = (size_t)bytes[1] << 8 | bytes[2];
        int fd = round.ends[bytes[0] % PEERS];
        bytes += 3;
        length -= 3;
        if (size > length)
            size = length;
        if (send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            break;
        bytes += size;
        length -= size;
        turn(&round);
    }
    end(&round);
    return 0;
}
