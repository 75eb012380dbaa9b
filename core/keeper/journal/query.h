/* query - what store.c asks of the file: each statement is prepared once, by this name. */
#ifndef KEEPER_JOURNAL_QUERY_H
#define KEEPER_JOURNAL_QUERY_H

enum query {
    QUERY_BEGIN,
    QUERY_COMMIT,
    QUERY_ROLLBACK,
    QUERY_GET_LOG,
    QUERY_PUT_LOG,
    QUERY_PUT_CLOSED,
    QUERY_ADD_EVENT,
    QUERY_EACH_EVENT,
    QUERY_DROP_EVENTS,
    QUERY_GET_SEALED,
    QUERY_PUT_SEALED,
    QUERY_ADD_TILE,
    QUERY_GET_TILE,
    QUERY_FIND_ALARM,
    QUERY_FIND_RECORD,
    QUERY_FIND_TELEMETRY,
    QUERY_PUT_KEY,
    QUERY_REMOVE_KEY,
    QUERY_GET_KEY,
    QUERY_EACH_KEY,
    QUERY_KEY_SIZE,
    QUERY_COUNT_KEYS,
    QUERY_ALL_KEYS,
    QUERY_GET_CURSOR,
    QUERY_PUT_CURSOR,
    QUERY_COUNT_CURSORS,
    QUERY_GET_MARKS,
    QUERY_PUT_MARK,
    QUERY_GET_RECEIPT,
    QUERY_PUT_RECEIPT,
    QUERY_FREE_PAGES,
    QUERY_PAGES,
    QUERIES_OF_1, /* those before are of version 1 of the schema, these of 2: */
    QUERY_GET_BLOB = QUERIES_OF_1,
    QUERY_PUT_BLOB,
    QUERY_FORGET_BLOB,
    QUERY_EACH_BLOB,
    QUERY_RELEASED_BLOBS,
    QUERY_PROMPT_BLOBS,
    QUERY_DUE_BLOBS,
    QUERY_PARCELS,
    QUERY_HEIRS,
    QUERY_NO_SM3,
    QUERY_SUM_BLOBS,
    QUERY_COUNT_UNDATED,
    QUERY_DATE_BLOBS,
    QUERY_DAMAGE_BLOBS,
    QUERIES
};

/* How the keeper opens its file, and how a damaged one is opened to be read: nothing of its schema
 * and no number in a page is trusted. */
extern const char query_settings[];
extern const char query_wreck_settings[];
/* How many faults the file as a whole has, 0 or 1. Reads all of it. */
extern const char query_check[];

/* The SQL of each. */
extern const char *const query_sql[QUERIES];

#endif
