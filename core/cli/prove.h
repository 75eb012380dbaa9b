/* prove - outpost prove: one event, its path to the root, and the checkpoint that signs it. */
#ifndef CLI_PROVE_H
#define CLI_PROVE_H

#include "cli/journal/archive.h"
#include "cli/journal/statement.h"

/* Takes the words behind the program's name, "prove" first. Exit code: 0 the proof is on standard
 * output, 1 there is none to give, 2 wrong use or unreadable. */
int prove_run(int argc, char **argv);

/* The statement about event `statement->index` by the newest checkpoint, checked. 0, or a negative
 * errno with the finding. Give it back with statement_free() in any case. */
int prove_statement(struct statement *statement, struct archive *archive,
                    struct finding *finding);

#endif
