/* schema - see schema.h. The comment on each column is the documentation of the database. */
#include "city/schema.h"

/* Since version 2. What is erased, and the hashes that stand there, is in the event's body. */
#define ERASED_TABLE                                                                     \
    "CREATE TABLE erased ("     /* which events say that bodies of a tile are erased */  \
    " office TEXT NOT NULL,"    /* the office's id */                                    \
    " log    TEXT NOT NULL,"    /* the log */                                            \
    " n      INTEGER NOT NULL," /* the tile: events 256 n to 256 n + 255 */              \
    " seq    INTEGER NOT NULL," /* the event journal.thinned or journal.damaged */       \
    " PRIMARY KEY (office, log, n, seq)"                                                 \
    ") STRICT, WITHOUT ROWID;"

/* Since version 3. */
#define EVIDENCE_TABLE                                                                   \
    "CREATE TABLE evidence ("     /* public: files that were uploaded and verified */    \
    " office   TEXT NOT NULL,"    /* whose: the office's id */                           \
    " log      TEXT NOT NULL,"    /* the log whose event names it */                     \
    " sha256   TEXT NOT NULL,"    /* of its bytes, hex; evidence/ab/cdef... */           \
    " seq      INTEGER NOT NULL," /* first event of the commit that named it */          \
    " sm3      TEXT NOT NULL,"    /* of its bytes, hex */                                \
    " size     INTEGER NOT NULL," /* how many they are */                                \
    " class    TEXT NOT NULL," /* ordinary, important, case ..., as the office said */   \
    " received TEXT NOT NULL," /* when the city gave its receipt, RFC 3339, UTC */       \
    " PRIMARY KEY (office, log, sha256)"                                                 \
    ") STRICT, WITHOUT ROWID;"

const char SCHEMA_CREATE[] =
    "CREATE TABLE event ("        /* public: one row an event, for ever as it came */
    " office   TEXT NOT NULL,"    /* whose: the office's id */
    " log      TEXT NOT NULL,"    /* of which log of the office */
    " seq      INTEGER NOT NULL," /* number in the log, from 0 without holes */
    " lane     TEXT NOT NULL,"    /* alarm, record or telemetry */
    " type     TEXT NOT NULL,"    /* as in wristband.strap_opened */
    " subject  TEXT,"          /* person/<id>, device/<kind>/<serial>, office; or NULL */
    " time     TEXT NOT NULL," /* when it happened, RFC 3339, UTC */
    " recorded TEXT NOT NULL," /* when the office committed it, RFC 3339, UTC */
    " body     TEXT NOT NULL," /* the whole CloudEvents JSON, byte for byte */
    " received TEXT NOT NULL," /* when the city took it, RFC 3339, UTC */
    " prev     INTEGER NOT NULL," /* the lane's event before it, -1 none */
    " PRIMARY KEY (office, log, seq)"
    ") STRICT;"
    "CREATE INDEX event_time ON event (office, time);"
    "CREATE TABLE lane ("       /* how far each lane is complete */
    " office TEXT NOT NULL,"    /* the office's id */
    " log    TEXT NOT NULL,"    /* the log */
    " lane   TEXT NOT NULL,"    /* alarm, record or telemetry */
    " seq    INTEGER NOT NULL," /* every event of the lane up to here is in `event` */
    " PRIMARY KEY (office, log, lane)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE ahead ("      /* runs of a lane that came before what is missing */
    " office TEXT NOT NULL,"    /* the office's id */
    " log    TEXT NOT NULL,"    /* the log */
    " lane   TEXT NOT NULL,"    /* alarm, record or telemetry */
    " prev   INTEGER NOT NULL," /* the run begins behind this event of the lane */
    " last   INTEGER NOT NULL," /* and is complete up to here */
    " PRIMARY KEY (office, log, lane, last)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE log ("          /* what is known of each log */
    " office   TEXT NOT NULL,"    /* the office's id */
    " log      TEXT NOT NULL,"    /* the log */
    " touched  TEXT NOT NULL,"    /* when it last brought something, RFC 3339, UTC */
    " suite    TEXT,"             /* sha256+ed25519 or sm3+sm2, once verified */
    " size     INTEGER NOT NULL," /* so many events are verified */
    " edge     BLOB NOT NULL,"    /* right edge of the tree of that size */
    " verified TEXT,"             /* the checkpoint they were verified against */
    " aim      TEXT,"             /* the checkpoint that is verified next */
    " newest   TEXT,"             /* the newest checkpoint, when it is another */
    " broken   TEXT,"             /* why nothing is verified any more, else NULL */
    " PRIMARY KEY (office, log)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE tile ("       /* the leaves that the verified trees were made of */
    " office TEXT NOT NULL,"    /* the office's id */
    " log    TEXT NOT NULL,"    /* the log */
    " n      INTEGER NOT NULL," /* leaves 256 n to 256 n + 255 */
    " leaves BLOB NOT NULL,"    /* 32 bytes each; the last one may have fewer */
    " PRIMARY KEY (office, log, n)"
    ") STRICT;"
    "CREATE TABLE checkpoint (" /* verified checkpoints, thinned to one in 1,000 events */
    " office TEXT NOT NULL,"    /* the office's id */
    " log    TEXT NOT NULL,"    /* the log */
    " size   INTEGER NOT NULL," /* events under it */
    " note   TEXT NOT NULL,"    /* the signed note */
    " PRIMARY KEY (office, log, size)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE office ("       /* who sends */
    " office   TEXT PRIMARY KEY," /* the office's id */
    " verifier TEXT,"             /* its public key line, pinned when first seen */
    " pinned   TEXT,"             /* when, RFC 3339, UTC */
    " status   TEXT,"             /* the last status, JSON, as it came */
    " seen     TEXT,"             /* when that was, RFC 3339, UTC */
    " early    TEXT"              /* a checkpoint that came before the key */
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE finding (" /* what must not be: evidence, at most 1,000 an office */
    " id       INTEGER PRIMARY KEY," /* in order of discovery */
    " office   TEXT NOT NULL,"       /* the office's id */
    " log      TEXT NOT NULL,"       /* the log; empty: of the office itself */
    " seq      INTEGER NOT NULL,"    /* of the event concerned, -1 none */
    " kind     TEXT NOT NULL,"       /* different, root, missing, key, erased */
    " detail   TEXT NOT NULL,"       /* for people */
    " evidence TEXT NOT NULL,"       /* what came, byte for byte */
    " digest   TEXT NOT NULL,"       /* SHA-256 of the evidence, hex */
    " found    TEXT NOT NULL,"       /* when, RFC 3339, UTC */
    " UNIQUE (office, log, seq, kind, digest)"
    ") STRICT;"
    "CREATE TABLE rejected (" /* what could not be read: the newest 1,000 */
    " id       INTEGER PRIMARY KEY AUTOINCREMENT," /* the greatest one counts them all */
    " received TEXT NOT NULL,"                     /* when, RFC 3339, UTC */
    " topic    TEXT NOT NULL,"                     /* where */
    " reason   TEXT NOT NULL,"                     /* why, for people */
    " payload  BLOB NOT NULL"                      /* the first 64 KiB of it */
    ") STRICT;" ERASED_TABLE EVIDENCE_TABLE "PRAGMA user_version = 3;";

/* A city of version 1 has stored what newer offices say, without knowing what it means. */
const char *const SCHEMA_MIGRATIONS[SCHEMA_VERSION] = {
    [1] = ERASED_TABLE
    "INSERT OR IGNORE INTO erased (office, log, n, seq)"
    " SELECT office, log, n, seq FROM"
    " (SELECT e.office, e.log, e.seq,"
    "   CASE WHEN t.type = 'object' THEN json_extract(t.value, '$.n') END AS n"
    "   FROM event e, json_each(CASE WHEN json_valid(e.body) THEN e.body ELSE '{}' END,"
    "   '$.data.tiles') t WHERE e.type IN ('journal.thinned', 'journal.damaged'))"
    " WHERE typeof(n) = 'integer';"
    "PRAGMA user_version = 2;",
    [2] = EVIDENCE_TABLE "PRAGMA user_version = 3;",
};

const char *const SCHEMA_QUERIES[QUERIES] = {
    [QUERY_EVENT_PUT] =
        "INSERT OR IGNORE INTO event (office, log, seq, lane, type, subject, time,"
        " recorded, body, received, prev)"
        " VALUES (?1, ?2, ?3, ?4, ?5, nullif(?6, ''), ?7, ?8, ?9, ?10, ?11)",
    [QUERY_EVENT_BODY] =
        "SELECT body FROM event WHERE office = ?1 AND log = ?2 AND seq = ?3",
    [QUERY_EVENT_FROM] =
        "SELECT seq, lane, type, subject, time, recorded, body, prev FROM event"
        " WHERE office = ?1 AND log = ?2 AND seq >= ?3 ORDER BY seq LIMIT ?4",
    [QUERY_EVENT_SINCE] =
        "SELECT rowid, office, log, seq, lane, type, subject, time, recorded,"
        " body, received FROM event WHERE rowid > ?1"
        " AND (?2 = '' OR office = ?2) ORDER BY rowid",
    [QUERY_EVENT_NEWEST] = "SELECT coalesce(max(rowid), 0) FROM event",
    [QUERY_LANE_GET] =
        "SELECT seq FROM lane WHERE office = ?1 AND log = ?2 AND lane = ?3",
    [QUERY_LANE_PUT] = "INSERT OR REPLACE INTO lane (office, log, lane, seq)"
                       " VALUES (?1, ?2, ?3, ?4)",
    [QUERY_AHEAD_PUT] = "INSERT INTO ahead (office, log, lane, last, prev)"
                        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE"
                        " SET prev = min(prev, excluded.prev)",
    [QUERY_AHEAD_COUNT] = "SELECT count(*) FROM ahead WHERE office = ?1 AND log = ?2"
                          " AND lane = ?3",
    [QUERY_AHEAD_REACH] = "SELECT max(last) FROM ahead WHERE office = ?1 AND log = ?2"
                          " AND lane = ?3 AND last > ?4 AND prev <= ?4",
    [QUERY_AHEAD_DROP] = "DELETE FROM ahead WHERE office = ?1 AND log = ?2 AND lane = ?3"
                         " AND last <= ?4",
    [QUERY_LOG_GET] = "SELECT suite, size, edge, verified, aim, newest, broken FROM log"
                      " WHERE office = ?1 AND log = ?2",
    [QUERY_LOG_COUNT] = "SELECT count(*) FROM log WHERE office = ?1 AND log <> ?2",
    [QUERY_LOG_TOUCH] = "INSERT INTO log (office, log, touched, size, edge)"
                        " VALUES (?1, ?2, ?3, 0, x'') ON CONFLICT DO UPDATE"
                        " SET touched = excluded.touched",
    [QUERY_LOG_AIM] = "UPDATE log SET aim = nullif(?3, ''), newest = nullif(?4, '')"
                      " WHERE office = ?1 AND log = ?2",
    [QUERY_LOG_VERIFIED] =
        "UPDATE log SET suite = ?3, size = ?4, edge = ?5, verified = ?6,"
        " aim = nullif(?7, ''), newest = NULL"
        " WHERE office = ?1 AND log = ?2",
    [QUERY_LOG_BREAK] = "UPDATE log SET broken = ?3 WHERE office = ?1 AND log = ?2",
    [QUERY_LOG_ALL] = "SELECT office, log FROM log ORDER BY office, touched",
    [QUERY_TILE_GET] =
        "SELECT leaves FROM tile WHERE office = ?1 AND log = ?2 AND n = ?3",
    [QUERY_TILE_PUT] = "INSERT OR REPLACE INTO tile (office, log, n, leaves)"
                       " VALUES (?1, ?2, ?3, ?4)",
    [QUERY_ERASED_PUT] = "INSERT OR IGNORE INTO erased (office, log, n, seq)"
                         " VALUES (?1, ?2, ?3, ?4)",
    [QUERY_ERASED_BODIES] =
        /* CROSS: few are erased; begun at the events it would look at all of them. */
    "SELECT o.seq, e.body FROM erased o CROSS JOIN event e"
    " WHERE o.office = ?1 AND o.log = ?2 AND o.n = ?3"
    " AND e.office = ?1 AND e.log = ?2 AND e.seq = o.seq ORDER BY o.seq LIMIT ?4",
    [QUERY_ERASED_SUM] = "SELECT count(DISTINCT seq), min(seq), max(seq) FROM erased"
                         " WHERE office = ?1 AND log = ?2",
    [QUERY_CHECKPOINT_PUT] = "INSERT OR REPLACE INTO checkpoint (office, log, size, note)"
                             " VALUES (?1, ?2, ?3, ?4)",
    [QUERY_CHECKPOINT_THIN] = "DELETE FROM checkpoint WHERE office = ?1 AND log = ?2 AND "
                              "size < ?3 AND size > coalesce("
                              "(SELECT max(size) FROM checkpoint WHERE office = ?1 AND "
                              "log = ?2 AND size <= ?3 - 1000),"
                              " 0)",
    [QUERY_CHECKPOINT_ALL] =
        "SELECT size, note FROM checkpoint WHERE office = ?1 AND log = ?2"
        " ORDER BY size",
    [QUERY_OFFICE_GET] = "SELECT verifier, status, early FROM office WHERE office = ?1",
    [QUERY_OFFICE_PIN] =
        "INSERT INTO office (office, verifier, pinned) VALUES (?1, ?2, ?3)"
        " ON CONFLICT DO UPDATE SET verifier = excluded.verifier,"
        " pinned = excluded.pinned WHERE verifier IS NULL",
    [QUERY_OFFICE_SAID] = "INSERT INTO office (office, status, seen) VALUES (?1, ?2, ?3)"
                          " ON CONFLICT DO UPDATE SET status = excluded.status,"
                          " seen = excluded.seen",
    [QUERY_OFFICE_EARLY] =
        "INSERT INTO office (office, early) VALUES (?1, nullif(?2, ''))"
        " ON CONFLICT DO UPDATE SET early = excluded.early",
    [QUERY_OFFICE_ALL] =
        "SELECT office, status, seen, verifier FROM office ORDER BY office",
    [QUERY_FINDING_PUT] = "INSERT OR IGNORE INTO finding (office, log, seq, kind, "
                          "detail, evidence, digest, found)"
                          " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE"
                          " (SELECT count(*) FROM finding WHERE office = ?1) < ?9",
    [QUERY_FINDING_COUNT] = "SELECT count(*) FROM finding WHERE ?1 = '' OR office = ?1",
    [QUERY_FINDING_KINDS] =
        "SELECT kind, count(*) FROM finding GROUP BY kind ORDER BY kind",
    [QUERY_FINDING_FOUND] = "DELETE FROM finding WHERE office = ?1 AND log = ?2"
                            " AND kind = 'missing' AND seq < ?3",
    [QUERY_REJECTED_PUT] = "INSERT INTO rejected (received, topic, reason, payload)"
                           " VALUES (?1, ?2, ?3, ?4)",
    [QUERY_REJECTED_THIN] = "DELETE FROM rejected WHERE id <= last_insert_rowid() - ?1",
    [QUERY_REJECTED_COUNT] = "SELECT coalesce(max(id), 0) FROM rejected",
    [QUERY_REJECTED_UPLOADS] =
        "SELECT count(*) FROM rejected WHERE topic GLOB 'upload/*'",
    [QUERY_EVIDENCE_PUT] =
        "INSERT OR REPLACE INTO evidence (office, log, seq, sha256, sm3, size, class,"
        " received) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [QUERY_EVIDENCE_SUM] = "SELECT count(*), coalesce(sum(size), 0),"
                           " coalesce(max(received), '') FROM evidence WHERE office = ?1",
    [QUERY_DATA_VERSION] = "PRAGMA data_version",
};
