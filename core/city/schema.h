/* schema - the city's tables and every question asked of them: all SQL of this room.
 *
 * PostgreSQL will be a second pair of files with the same questions. */
#ifndef CITY_SCHEMA_H
#define CITY_SCHEMA_H

enum { SCHEMA_VERSION = 3 };

/* Makes an empty database one of SCHEMA_VERSION. */
extern const char SCHEMA_CREATE[];

/* SCHEMA_MIGRATIONS[n] makes a database of version n one of version n + 1; NULL: none does. */
extern const char *const SCHEMA_MIGRATIONS[SCHEMA_VERSION];

enum schema_query {
    QUERY_EVENT_PUT,
    QUERY_EVENT_BODY,
    QUERY_EVENT_FROM,
    QUERY_EVENT_SINCE,
    QUERY_EVENT_NEWEST,
    QUERY_LANE_GET,
    QUERY_LANE_PUT,
    QUERY_AHEAD_PUT,
    QUERY_AHEAD_COUNT,
    QUERY_AHEAD_REACH,
    QUERY_AHEAD_DROP,
    QUERY_LOG_GET,
    QUERY_LOG_COUNT,
    QUERY_LOG_TOUCH,
    QUERY_LOG_AIM,
    QUERY_LOG_VERIFIED,
    QUERY_LOG_BREAK,
    QUERY_LOG_ALL,
    QUERY_TILE_GET,
    QUERY_TILE_PUT,
    QUERY_ERASED_PUT,
    QUERY_ERASED_BODIES,
    QUERY_ERASED_SUM,
    QUERY_CHECKPOINT_PUT,
    QUERY_CHECKPOINT_THIN,
    QUERY_CHECKPOINT_ALL,
    QUERY_OFFICE_GET,
    QUERY_OFFICE_PIN,
    QUERY_OFFICE_SAID,
    QUERY_OFFICE_EARLY,
    QUERY_OFFICE_ALL,
    QUERY_FINDING_PUT,
    QUERY_FINDING_COUNT,
    QUERY_FINDING_KINDS,
    QUERY_FINDING_FOUND,
    QUERY_REJECTED_PUT,
    QUERY_REJECTED_THIN,
    QUERY_REJECTED_COUNT,
    QUERY_EVIDENCE_PUT,
    QUERY_DATA_VERSION,
    QUERIES
};

extern const char *const SCHEMA_QUERIES[QUERIES];

#endif
