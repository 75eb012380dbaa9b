/* run - `outpost-city run`: the collector, until it is told to end. */
#ifndef CITY_RUN_H
#define CITY_RUN_H

#include <stdbool.h>

#include "mqtt/broker.h"

enum { RUN_PASSWORD_MAX = 1024 };

/* What the command line names. */
struct run_wish {
    const char *broker, *database, *key;  /* required */
    const char *offices, *group, *client; /* or NULL */
    const char *ca, *cert, *tls_key;      /* or NULL */
    const char *bulk_cert, *bulk_tls_key; /* or NULL: those above */
    const char *username, *password_file; /* or NULL */
    const char *uploads;                  /* or NULL */
    struct broker where;                  /* read from `broker` */
    char password[RUN_PASSWORD_MAX + 1];  /* read from `password_file`; empty: none */
};

/* Reads the words of `outpost-city COMMAND`; as options_read(). Also used by `check`. */
bool run_read(struct run_wish *wish, const char *command, const char *usage, int argc,
              char **argv, int *status);

int run_run(int argc, char **argv);

#endif
