/* settings - what the keeper tells the courier at START: who we are, where files go, and when. */
#ifndef COURIER_SETTINGS_H
#define COURIER_SETTINGS_H

#include <stddef.h>

#include "courier/hours.h"
#include "courier/tus.h"

enum { SETTINGS_WHY_ROOM = 200 };

struct settings {
    char *office, *log, *timezone;
    char *url;             /* of the tus server, ends with "/" */
    char *receipts;        /* where receipts/OFFICE/SHA256 are, ends with "/" */
    char *ca, *cert, *key; /* PEM files, or NULL */
    struct hours hours;
    int64_t floor_us; /* it is at least so late */
};

/* Reads the JSON text of START. On failure -EPROTO and why, naming the setting; `settings` is given
 * back with settings_free() in any case. */
int settings_read(struct settings *settings, const void *json, size_t length,
                  char why[SETTINGS_WHY_ROOM]);
void settings_free(struct settings *settings);

#endif
