/* new - `outpost new`: a working plugin with its test, made from plugins/example. */
#ifndef CLI_NEW_H
#define CLI_NEW_H

int new_run(int argc, char **argv);

#endif
