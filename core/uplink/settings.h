/* settings - what the keeper tells the uplink at START: who we are and where the city is. */
#ifndef UPLINK_SETTINGS_H
#define UPLINK_SETTINGS_H

#include <stdint.h>

#include "base/word.h"
#include "mqtt/broker.h"
#include "uplink/topic.h"

enum {
    SETTINGS_BANDWIDTH_LEAST = 16 * 1000,
    SETTINGS_BANDWIDTH_MOST = 1000 * 1000 * 1000
};
enum { SETTINGS_WHY_ROOM = 200, SETTINGS_CLIENT_ROOM = WORD_ID_MAX + 8 };

struct settings {
    char *office, *log, *version, *boot;
    char *verifier;         /* the office's public key line, or NULL */
    char *ca;               /* PEM file, or NULL */
    char *cert[2], *key[2]; /* PEM files by enum sync_link, or NULL */
    char *username, *password;
    struct broker broker;
    int64_t bandwidth; /* of bulk, bits a second; 0: as fast as it goes */
    struct topics topics;
    char client[2][SETTINGS_CLIENT_ROOM]; /* by enum sync_link */
    int64_t floor_us;                     /* it is at least so late */
    int64_t size;                         /* of the newest checkpoint */
    char *root;                           /* its root, base64, or NULL */
};

/* Reads the JSON text of START. On failure -EPROTO and why, naming the setting; `settings` is
 * given back with settings_free() in any case. */
int settings_read(struct settings *settings, const void *json, size_t length,
                  char why[SETTINGS_WHY_ROOM]);
void settings_free(struct settings *settings);

#endif
