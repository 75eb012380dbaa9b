/* schema - see schema.h. */
#include "keeper/journal/schema.h"

#define BLOB_TABLE                                                                          \
    "CREATE TABLE blob("                                                                    \
    "  digest  BLOB PRIMARY KEY NOT NULL," /* SHA-256 of its bytes, and so its name */      \
    "  sm3     BLOB NOT NULL," /* SM3 of them; empty: not known, the file was adopted */    \
    "  size    INTEGER NOT NULL," /* bytes, before they were encrypted */                   \
    "  class   INTEGER NOT NULL," /* enum talk_class; 5: unknown, it was adopted */         \
    "  keep    INTEGER NOT NULL," /* ms from `stored` on; -1: until it is released */       \
    "  until   INTEGER NOT NULL," /* UTC us; -1: never, or the clock was not set */         \
    "  prompt  INTEGER NOT NULL," /* 1: erased as soon as that is over */                   \
    "  state   INTEGER NOT NULL," /* 0 stored; 1 released: its file is being erased */      \
    "  damaged INTEGER NOT NULL," /* 1: the file is not what was stored, which was told */  \
    "  seq     INTEGER NOT NULL," /* the first event of the commit that kept it; -1 none */ \
    "  stored  INTEGER NOT NULL," /* when, UTC us */                                        \
    "  uploaded INTEGER NOT NULL" /* when the city's receipt came, UTC us; 0: none did */   \
    ") STRICT, WITHOUT ROWID;"                                                              \
    "CREATE INDEX blob_due ON blob(state, class, until);"                                   \
    "CREATE INDEX blob_prompt ON blob(until) WHERE state = 0 AND prompt = 1;"               \
    "CREATE INDEX blob_parcel ON blob(class, stored) WHERE state = 0 AND uploaded = 0;"

const char schema_sql[] =
    "PRAGMA application_id = 0x4f757470;" /* "Outp" */
    "CREATE TABLE log("
    "  id      INTEGER PRIMARY KEY CHECK (id = 1),"
    "  office  TEXT NOT NULL," /* the office this journal belongs to */
    "  log     TEXT NOT NULL," /* random id made with the log */
    "  suite   TEXT NOT NULL," /* algorithms, for ever: sha256+ed25519 or sm3+sm2 */
    "  created TEXT NOT NULL," /* UTC, RFC 3339 */
    "  closed  INTEGER NOT NULL" /* 1: the keeper stopped in good order, journal/closed says how */
    ") STRICT;"
    "CREATE TABLE event("
    "  seq  INTEGER PRIMARY KEY," /* from 0 without holes; the leaf's index in the tree */
    "  lane INTEGER NOT NULL,"    /* 0 alarm, 1 record, 2 telemetry */
    "  body BLOB NOT NULL,"       /* the CloudEvent, whose bytes never change */
    "  leaf BLOB NOT NULL"        /* its leaf hash, taken when it was committed */
    ") STRICT;"
    "CREATE TABLE sealed("
    "  id   INTEGER PRIMARY KEY CHECK (id = 1),"
    "  size INTEGER NOT NULL," /* events below are in tile/entries, not in `event` */
    "  edge BLOB NOT NULL"     /* the tree's right edge over them */
    ") STRICT;"
    "CREATE TABLE tile("
    "  n         INTEGER PRIMARY KEY," /* events 256n to 256n + 255 */
    "  alarms    INTEGER NOT NULL," /* how many events that are still there of lane alarm, */
    "  records   INTEGER NOT NULL," /* of lane record, */
    "  telemetry INTEGER NOT NULL," /* and of lane telemetry */
    "  lanes     BLOB NOT NULL," /* the lane of each, a byte apiece; 128 more: erased */
    "  digest    BLOB NOT NULL"  /* SHA-256 of the bundle file, of nothing without one */
    ") STRICT;"
    "CREATE TABLE kv("
    "  instance TEXT NOT NULL," /* whose; nobody else reads it */
    "  key      TEXT NOT NULL," /* 1 to 128 bytes, the plugin's own choice */
    "  value    BLOB NOT NULL," /* at most 64 KiB, only the plugin knows of what */
    "  PRIMARY KEY (instance, key)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE consumer("
    "  instance TEXT NOT NULL,"    /* who reads */
    "  name     TEXT NOT NULL,"    /* one of its cursors */
    "  seq      INTEGER NOT NULL," /* consumed up to and with this event */
    "  PRIMARY KEY (instance, name)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE link("
    "  lane  INTEGER PRIMARY KEY," /* as in event */
    "  acked INTEGER NOT NULL" /* the last event of the lane that the city has, -1 none */
    ") STRICT;"
    "CREATE TABLE receipt("
    "  id   INTEGER PRIMARY KEY CHECK (id = 1),"
    "  note BLOB NOT NULL" /* the city's newest receipt as it came */
    ") STRICT;" BLOB_TABLE "PRAGMA user_version = 2;";

const char *const schema_migrations[SCHEMA_VERSION] = {
    [1] = BLOB_TABLE "PRAGMA user_version = 2;",
};
