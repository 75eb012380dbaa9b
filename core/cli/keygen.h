/* keygen - outpost keygen: a new key pair in two files. */
#ifndef CLI_KEYGEN_H
#define CLI_KEYGEN_H

/* Takes the words behind the program's name, "keygen" first. Exit code 0, 1 (failed), 2 (use). */
int keygen_run(int argc, char **argv);

#endif
