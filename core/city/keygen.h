/* keygen - `outpost-city keygen`: a key pair to sign receipts with. */
#ifndef CITY_KEYGEN_H
#define CITY_KEYGEN_H

int keygen_run(int argc, char **argv);

#endif
