/* outpost - the appliance's command. Each command has a file of its own. */
#include "base/base.h"
#include "base/command.h"
#include "base/log.h"
#include "cli/ask.h"
#include "cli/blob.h"
#include "cli/capture.h"
#include "cli/check.h"
#include "cli/events.h"
#include "cli/evidence.h"
#include "cli/keygen.h"
#include "cli/new.h"
#include "cli/prove.h"
#include "cli/reload.h"
#include "cli/replay.h"
#include "cli/run.h"
#include "cli/status.h"
#include "cli/test.h"
#include "cli/try.h"
#include "cli/verify.h"

static const struct command COMMANDS[] = {
    {"check", check_run, "check the configuration, touching nothing"},
    {"run", run_run, "run the appliance in the foreground"},
    {"reload", reload_run, "apply the configuration to the appliance that runs"},
    {"status", status_run, "how the running appliance is"},
    {"do", ask_action, "ask a plugin to do something"},
    {"show", ask_view, "what a plugin knows"},
    {"capture", capture_run, "keep what a plugin's devices say"},
    {"events", events_run, "the journal's events; --follow for what comes"},
    {"blob", blob_run, "pictures, clips and captures that are stored"},
    {"evidence", evidence_run, "evidence: its history, decisions about it, exports"},
    {"verify", verify_run, "check a journal, or one proof, offline"},
    {"prove", prove_run, "prove one event to somebody else"},
    {"keygen", keygen_run, "make a signing key"},
    {"test", test_run, "run the tests of plugins in the real host"},
    {"replay", replay_run, "a plugin over a recorded journal: what it would have said"},
    {"try", try_run, "a new configuration over the last days, before it goes live"},
    {"new", new_run, "make a plugin, with its test"},
};

int main(int argc, char **argv)
{
    log_open("outpost");
    return command_run("outpost", COMMANDS, countof(COMMANDS), argc, argv);
}
