/* capture - `outpost capture`: what an instance's devices say is kept. */
#ifndef CLI_CAPTURE_H
#define CLI_CAPTURE_H

int capture_run(int argc, char **argv);

#endif
