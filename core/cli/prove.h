/* prove - outpost prove: one event, its path to the root, and the checkpoint that signs it. */
#ifndef CLI_PROVE_H
#define CLI_PROVE_H

/* Takes the words behind the program's name, "prove" first. Exit code: 0 the proof is on standard
 * output, 1 there is none to give, 2 wrong use or unreadable. */
int prove_run(int argc, char **argv);

#endif
