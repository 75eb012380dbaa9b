/* listing - what a file server says is in a folder, line by line. Pure.
 *
 * Two forms: facts (RFC 3659, MLSD), where size and time are exact and the time is UTC; and what people
 * were meant to read (LIST), of Unix or of Windows, where the time is that of the server's own clock and
 * zone, to the minute or to the day, and often without a year. An entry says how far it can be trusted
 * and never more than it was told. */
#ifndef HOST_FILES_LISTING_H
#define HOST_FILES_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum listing_kind { LISTING_FILE, LISTING_FOLDER, LISTING_LINK, LISTING_OTHER };

enum listing_found {
    LISTING_ENTRY,
    LISTING_NOTHING, /* a sum, the folder itself, the one above, an empty line */
    LISTING_STRANGE  /* not understood, or a name that would lead elsewhere */
};

/* Texts point into the line. */
struct listing_entry {
    enum listing_kind kind;
    const char *name;
    size_t name_length;
    int64_t size;     /* -1: not told */
    const char *told; /* the time as it stands there; NULL: none */
    size_t told_length;
    int64_t time_s;  /* as if the server's clock were UTC; meant when within_s > 0 */
    int within_s;    /* 1, 60 or 86400: the time began there and lasts so long */
    bool is_utc;     /* it is UTC; otherwise the server's zone is not known */
    bool is_guessed; /* the year was not told, and is the last that is possible */
};

/* Reads a line, which may end in CR. `now_s` is for the year that is not told. */
enum listing_found listing_read(struct listing_entry *entry, bool facts, const char *line,
                                size_t length, int64_t now_s);

#endif
