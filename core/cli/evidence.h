/* evidence - `outpost evidence`: what is kept as evidence, the history of each file, what officers
 * decide about it, and exports. */
#ifndef CLI_EVIDENCE_H
#define CLI_EVIDENCE_H

int evidence_run(int argc, char **argv);

#endif
