/* test - `outpost test`: the tests of plugins, in the real host. */
#ifndef CLI_TEST_H
#define CLI_TEST_H

int test_run(int argc, char **argv);

#endif
