/* query - see query.h. */
#include "keeper/journal/query.h"

const char query_settings[] = "PRAGMA journal_mode = WAL;"
                              "PRAGMA synchronous = FULL;"
                              "PRAGMA wal_autocheckpoint = 0;"
                              "PRAGMA journal_size_limit = 16777216;"
                              "PRAGMA cache_size = -1024;"
                              "PRAGMA mmap_size = 0;"
                              "PRAGMA secure_delete = FAST;"
                              "PRAGMA temp_store = MEMORY;";

const char query_wreck_settings[] = "PRAGMA trusted_schema = OFF;"
                                    "PRAGMA cell_size_check = ON;"
                                    "PRAGMA cache_size = -1024;"
                                    "PRAGMA mmap_size = 0;";

const char query_check[] =
    "SELECT count(*) FROM pragma_quick_check(1) WHERE quick_check <> 'ok'";

#define BLOB_COLUMNS                                                                     \
    "digest, sm3, size, class, keep, until, prompt, state, damaged, seq, stored, "       \
    "uploaded"

/* One that goes to the city stays until it has its receipt; `sends` are the bits of those classes.
 * What is damaged, or has no SM3, cannot go: its time is over when it is over. */
#define RECEIPTED(sends)                                                                 \
    " AND (uploaded > 0 OR damaged = 1 OR length(sm3) <> 32"                             \
    " OR (" sends " >> class) & 1 = 0)"

/* As catalog_is_parcel(). */
#define IS_PARCEL "uploaded = 0 AND seq >= 0 AND damaged = 0 AND length(sm3) = 32"

const char *const query_sql[QUERIES] = {
    [QUERY_BEGIN] = "BEGIN IMMEDIATE",
    [QUERY_COMMIT] = "COMMIT",
    [QUERY_ROLLBACK] = "ROLLBACK",
    [QUERY_GET_LOG] = "SELECT office, log, suite, closed FROM log",
    [QUERY_PUT_LOG] =
        "INSERT INTO log VALUES (1, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), 0)",
    [QUERY_PUT_CLOSED] = "UPDATE log SET closed = ?",
    [QUERY_ADD_EVENT] = "INSERT INTO event VALUES (?, ?, ?, ?)",
    [QUERY_EACH_EVENT] =
        "SELECT seq, lane, body, leaf FROM event WHERE seq >= ? ORDER BY seq LIMIT ?",
    [QUERY_DROP_EVENTS] = "DELETE FROM event WHERE seq < ?",
    [QUERY_GET_SEALED] = "SELECT size, edge FROM sealed",
    [QUERY_PUT_SEALED] = "INSERT OR REPLACE INTO sealed VALUES (1, ?, ?)",
    [QUERY_ADD_TILE] = "INSERT OR REPLACE INTO tile VALUES (?, ?, ?, ?, ?, ?)",
    [QUERY_GET_TILE] = "SELECT lanes, digest FROM tile WHERE n = ?",
    [QUERY_FIND_ALARM] =
        "SELECT n FROM tile WHERE n >= ? AND alarms > 0 ORDER BY n LIMIT 1",
    [QUERY_FIND_RECORD] =
        "SELECT n FROM tile WHERE n >= ? AND records > 0 ORDER BY n LIMIT 1",
    [QUERY_FIND_TELEMETRY] =
        "SELECT n FROM tile WHERE n >= ? AND telemetry > 0 ORDER BY n LIMIT 1",
    [QUERY_PUT_KEY] = "INSERT OR REPLACE INTO kv VALUES (?, ?, ?)",
    [QUERY_REMOVE_KEY] = "DELETE FROM kv WHERE instance = ? AND key = ?",
    [QUERY_GET_KEY] = "SELECT value FROM kv WHERE instance = ? AND key = ?",
    [QUERY_EACH_KEY] = ("SELECT key, value FROM kv WHERE instance = ?1 AND key >= ?2"
                        " AND (?3 IS NULL OR key < ?3) ORDER BY key"),
    [QUERY_KEY_SIZE] = "SELECT length(value) FROM kv WHERE instance = ? AND key = ?",
    [QUERY_COUNT_KEYS] = "SELECT count(*), coalesce(sum(length(CAST(key AS BLOB)) + "
                         "length(value)), 0) FROM kv WHERE instance = ?",
    [QUERY_ALL_KEYS] = "SELECT instance, key, value FROM kv WHERE instance"
                       " NOT IN ('', 'courier')",
    [QUERY_GET_CURSOR] = "SELECT seq FROM consumer WHERE instance = ? AND name = ?",
    [QUERY_COUNT_CURSORS] = "SELECT count(*) FROM consumer WHERE instance = ?",
    [QUERY_PUT_CURSOR] = "INSERT OR REPLACE INTO consumer VALUES (?, ?, ?)",
    [QUERY_GET_MARKS] = "SELECT lane, acked FROM link",
    [QUERY_PUT_MARK] = "INSERT OR REPLACE INTO link VALUES (?, ?)",
    [QUERY_GET_RECEIPT] = "SELECT note FROM receipt",
    [QUERY_PUT_RECEIPT] = "INSERT OR REPLACE INTO receipt VALUES (1, ?)",
    [QUERY_FREE_PAGES] = "PRAGMA freelist_count",
    [QUERY_PAGES] = "PRAGMA page_count",
    [QUERY_GET_BLOB] = "SELECT " BLOB_COLUMNS " FROM blob WHERE digest = ?",
    [QUERY_PUT_BLOB] = "INSERT OR REPLACE INTO blob (" BLOB_COLUMNS
                       ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [QUERY_FORGET_BLOB] = "DELETE FROM blob WHERE digest = ? AND state = 1",
    [QUERY_EACH_BLOB] =
        "SELECT " BLOB_COLUMNS " FROM blob WHERE digest > ?1 ORDER BY digest LIMIT ?2",
    [QUERY_RELEASED_BLOBS] = "SELECT " BLOB_COLUMNS " FROM blob WHERE state = 1 LIMIT ?1",
    [QUERY_PROMPT_BLOBS] =
        "SELECT " BLOB_COLUMNS " FROM blob WHERE state = 0 AND prompt = 1"
        " AND until >= 0 AND until <= ?1" RECEIPTED("?3") " ORDER BY until LIMIT ?2",
    [QUERY_DUE_BLOBS] =
        "SELECT " BLOB_COLUMNS " FROM blob WHERE state = 0 AND class = ?3"
        " AND until >= 0 AND until <= ?1" RECEIPTED("?4") " ORDER BY until LIMIT ?2",
    [QUERY_PARCELS] =
        "SELECT " BLOB_COLUMNS " FROM blob WHERE state = 0 AND class = ?1 AND " IS_PARCEL
        " AND NOT EXISTS (SELECT 1 FROM kv WHERE instance = 'courier'"
        " AND key = 'aside/' || lower(hex(digest)) AND value >= ?3 AND value < ?4)"
        " ORDER BY stored LIMIT ?2",
    [QUERY_HEIRS] = "SELECT " BLOB_COLUMNS
                    " FROM blob WHERE state = 0 AND uploaded = 0 AND (?2 >> class) & 1"
                    " AND seq < 0 AND damaged = 0 AND length(sm3) = 32 LIMIT ?1",
    [QUERY_NO_SM3] = "SELECT " BLOB_COLUMNS
                     " FROM blob WHERE state = 0 AND damaged = 0 AND length(sm3) <> 32"
                     " LIMIT 1",
    /* On disk: a head of 48 bytes, and 16 more for each chunk of 64 KiB (cask.h). */
    [QUERY_SUM_BLOBS] = "SELECT class, state, count(*), sum(damaged),"
                        " sum(size + 48 + 16 * max(1, (size + 65535) / 65536)),"
                        " sum(" IS_PARCEL "), sum(uploaded <> 0)"
                        " FROM blob GROUP BY class, state",
    [QUERY_COUNT_UNDATED] = "SELECT count(*) FROM blob WHERE keep >= 0 AND until < 0",
    [QUERY_DATE_BLOBS] = "UPDATE blob SET until = ?1 + keep * 1000, stored = ?1"
                         " WHERE keep >= 0 AND until < 0",
    [QUERY_DAMAGE_BLOBS] = "UPDATE blob SET damaged = 1",
};
