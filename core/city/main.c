/* outpost-city - the other end of the offices' line. Each command has a file of its own. */
#include "base/base.h"
#include "base/command.h"
#include "base/log.h"
#include "city/audit.h"
#include "city/check.h"
#include "city/events.h"
#include "city/keygen.h"
#include "city/prove.h"
#include "city/run.h"
#include "city/status.h"

static const struct command COMMANDS[] = {
    {"check", check_run, "would `run` begin with these options"},
    {"run", run_run, "collect what the offices send"},
    {"status", status_run, "each office: online, complete up to, verified, findings"},
    {"events", events_run, "what is stored; --follow for what comes"},
    {"verify", audit_run, "check everything stored once more, offline"},
    {"prove", prove_run, "prove one event to somebody else"},
    {"keygen", keygen_run, "make the key that signs receipts"},
};

int main(int argc, char **argv)
{
    log_open("city");
    return command_run("outpost-city", COMMANDS, countof(COMMANDS), argc, argv);
}
