/* ask - outpost do, outpost show: what a plugin can be asked for. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

int ask_action(int argc, char **argv);
int ask_view(int argc, char **argv);

#endif
