/* blob - `outpost blob`: the stored pictures, clips and captures, and the bytes of one. */
#ifndef CLI_BLOB_H
#define CLI_BLOB_H

int blob_run(int argc, char **argv);

#endif
