/* status - `outpost status`: how the appliance is, from the keeper that runs. */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

int status_run(int argc, char **argv);

#endif
