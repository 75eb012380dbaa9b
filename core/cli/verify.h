/* verify - outpost verify: whether a journal, or a proof of one event, is what it claims to be. */
#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

/* Takes the words behind the program's name, "verify" first. Exit code: 0 all is as it should be,
 * 1 something is not and has been named, 2 wrong use or unreadable. */
int verify_run(int argc, char **argv);

#endif
