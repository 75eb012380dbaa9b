/* dossier - an export: a folder that proves one file to people who have nothing of ours.
 *
 * What is in it is told in etc/evidence/README.md. It is made beside its name and renamed when it is whole;
 * each proof is checked before. Two events tell of it: evidence.viewed before the bytes come, and
 * evidence.exported, which signs the list of its files. */
#ifndef CLI_EXPORT_DOSSIER_H
#define CLI_EXPORT_DOSSIER_H

#include <stdint.h>

#include "base/json.h"

enum { DOSSIER_WAIT_MS = 90 * 1000, DOSSIER_NAME_MAX = 80 };

struct dossier {
    const char *state;
    const char *sha256;
    const char *reason;
    const char *folder;  /* not there yet */
    const char *journal; /* the journal's folder */
    int64_t seq;         /* of evidence.exported, once it is on disk; else -1 */
};

/* 0, or -ECANCELED once what went wrong has been said on standard error. */
int dossier_make(struct dossier *dossier);

/* The file's name in an export: the last part of the path that it had where it came from, if that is
 * of harmless letters, else "SHA256.bin". */
void dossier_name(char name[DOSSIER_NAME_MAX + 1], const struct json *data,
                  const char *sha256);

#endif
