/* check - `outpost check`: whether the configuration is good; touches nothing. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

int check_run(int argc, char **argv);

#endif
