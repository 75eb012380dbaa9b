/* finding - the first thing of a journal that is not as it should be, and where it stands. */
#ifndef CLI_JOURNAL_FINDING_H
#define CLI_JOURNAL_FINDING_H

enum { FINDING_PLACE_MAX = 192, FINDING_WHAT_MAX = 512 };

struct finding {
    char place
        [FINDING_PLACE_MAX]; /* "event 19 (tile/entries/000, entry 19)", "checkpoint" */
    char what[FINDING_WHAT_MAX]; /* what is there, and what was expected */
};

/* Notes it, unless one is noted already, and returns -EBADMSG. */
int finding_put(struct finding *finding, const char *place, const char *what, ...)
    __attribute__((format(printf, 3, 4)));

#endif
