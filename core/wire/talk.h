/* talk - what the keeper and its children say: types of frames and tags of their fields.
 *
 * A child's end is file descriptor LINE_CHILD_FD. It says HELLO, hears START, and then asks. Every
 * question carries an id that its answer repeats. Which child may say what is in
 * keeper/children/children.c; anything else ends the child.
 *
 *   HELLO    child   VERSION                            the first frame
 *   START    keeper  CONFIG (JSON)                      what the child shall do
 *   COMMIT   child   any of EVENT, PUT, REMOVE, CONSUMED, BLOB   all of it or nothing, durable at
 *                    DONE
 *   DONE     keeper  ERROR (0 or errno), TEXT, SEQ (of the first event)
 *   GET      child   KEY                                -> VALUES with at most one PUT
 *   RANGE    child   KEY (from), UNTIL (exclusive; absent: no end), LIMIT -> VALUES, MORE if cut
 *   VALUES   keeper  PUT (KEY, VALUE) ..., MORE
 *   FETCH    child   LANE or PATTERN, SEQ (the first wanted) or NAME (go on from that durable
 *                    cursor), LIMIT (bytes)             -> EVENTS as soon as there is one
 *   EVENTS   keeper  ENTRY (SEQ, LANE, BODY) ..., SEQ (everything before it has been looked at)
 *   CANCEL   child   id of a FETCH that is not wanted any more; it is not answered
 *   RECEIPT  uplink  TEXT (a signed receipt, as it came)  -> DONE, and MARK when it moved one
 *   MARK     keeper  LANE, SEQ (the last the city has; -1 none)
 *   STALLED  uplink  LANE, TEXT (why what is sent comes to nothing; empty: it does again)
 *   CHECKPOINT keeper TEXT (a signed note)              whenever there is a new one
 *   HEALTH   child   TEXT (JSON for people, at most 4 KiB; "cannot_start": why it ends now)
 *   PING     keeper  -> PONG; a child that does not answer is killed
 *   PONG     child   READS, UNHEARD, ERRORS (a host's, since it started), STARTED (its start() has ended)
 *   STOP     keeper  the child ends by itself
 *   STATUS   cli     -> REPORT with TEXT (JSON)
 *   RELOAD   cli     OFFSET, TEXT (the next part of a checked configuration, from that byte on), MORE
 *                    when it is not the last; and with that, when they are wished: INSTEAD, SILENT
 *                    -> PROGRESS ..., DONE (ECANCELED: some were returned, or are not kept; ENOTSUP: this
 *                    needs a restart; EBUSY, EINVAL: nothing is touched). One that comes while another
 *                    is under way waits its turn, and the newest of those that wait is taken
 *   PROGRESS keeper  TEXT (JSON: instance, state, why)
 *   ASK      cli     NAME (an instance), TYPE ("action" or "view"), KEY (which; absent: which there
 *                    are), DATA (its params, a JSON object)      -> ANSWER
 *   ASK      keeper  to the host: the same, and TEXT (who asks, JSON) -> ANSWER
 *   ANSWER   host, keeper  ERROR (0 or errno), TEXT (what was wrong), DATA (the result, JSON)
 *   SPOOL    host    NAME (a class), LIMIT (the most bytes it may get)      -> SPOOLED
 *   SPOOLED  keeper  ERROR (0; ENOSPC: no room for that class; EBUSY: TALK_SPOOLS_MAX are open;
 *                    EINVAL: no such class or limit; EIO: the disk), TEXT, SPOOL (its number), and,
 *                    when there is no error, a descriptor: the writing end of a pipe for the bytes
 *   SEAL     host    SPOOL, its pipe being closed: that was all                -> SEALED
 *   SEALED   keeper  ERROR (0; EFBIG: more than LIMIT; ENOSPC; ENOENT: there is no such spool, it
 *                    may have been ended for its silence; EIO), TEXT, DIGEST, SM3, SIZE, and MORE
 *                    when the same bytes are there already: named in this log, or sealed by
 *                    another host that has not named them for 20 s, which is waited for. The spool is
 *                    gone; the blob may be named by BLOB as long as the host lives
 *   ABANDON  host    SPOOL: what it got is thrown away; not answered
 *   LIST     cli     DIGEST (begin behind this one; absent: with the first), LIMIT -> LISTED
 *   LISTED   keeper  DATA (a blob, JSON) ..., MORE if there are more
 *   VIEW     cli     DIGEST; for an export TYPE ("export") and TEXT (why)
 *                    -> VIEWED, and, when there is no error, DONE at the end
 *   VIEWED   keeper  ERROR (0; ENOENT; EACCES: neither officer nor root; EBUSY), TEXT, SIZE, and a
 *                    descriptor: the reading end of a pipe that gives its bytes. Only DONE tells
 *                    whether they were all, and what was stored
 *   CUSTODY  cli     DIGEST, TYPE, TEXT (why): "mark" with NAME (important, case) and LIMIT (keep, ms
 *                    from now; absent for a case); "release" of a case with LIMIT; "export" with KEY
 *                    (SHA-256 of the manifest of what was given) -> DONE with SEQ (EPERM: no officer;
 *                    EINVAL; ENOENT)
 *   PARCELS  courier -> PARCELS with ENTRY (DIGEST, SM3, SIZE, NAME, SEQ, optional VALUE: the last
 *                    NOTE of it, optional LIMIT: for how long it was set aside the last time) ...: at
 *                    most TALK_PARCELS_MAX blobs that shall go to the city, have no receipt yet and
 *                    are not set aside, the most important first
 *   NOTE     courier DIGEST, VALUE (at most TALK_NOTE_MAX bytes); to set it aside LIMIT (1 ms to a day
 *                    from now) and TEXT (why)                    -> DONE: it is durable
 *   DRAW     courier DIGEST, OFFSET                              -> DRAWN
 *   DRAWN    keeper  ERROR (0; ENOENT: not stored; EBUSY; EIO), TEXT, and, when there is no error, a
 *                    descriptor: the reading end of a pipe with the blob's bytes from OFFSET on
 *   HANDOVER courier TEXT (the city's receipt of a blob, as it came)  -> DONE (EBADMSG, ENOKEY, EPROTO:
 *                    not the city's word; ESTALE: of another log; ENOENT: of no blob that is stored)
 *   RECORD   keeper  LIMIT: the host puts bytes of devices into its ring (ring.h) for so many ms from
 *                    now; -1 for good
 *   FREEZE   host    a handler has raised while bytes are recorded; not answered
 *   CAPTURE  cli     NAME (an instance), LIMIT (record for so many ms first; 0: what there is)
 *                    -> DONE: it will be frozen, or why not
 */
#ifndef WIRE_TALK_H
#define WIRE_TALK_H

enum talk_type {
    TALK_HELLO = 1,
    TALK_START,
    TALK_COMMIT,
    TALK_DONE,
    TALK_GET,
    TALK_RANGE,
    TALK_VALUES,
    TALK_FETCH,
    TALK_EVENTS,
    TALK_CANCEL,
    TALK_RECEIPT,
    TALK_MARK,
    TALK_CHECKPOINT,
    TALK_HEALTH,
    TALK_PING,
    TALK_PONG,
    TALK_STOP,
    TALK_STATUS,
    TALK_REPORT,
    TALK_STALLED,
    TALK_RELOAD,
    TALK_PROGRESS,
    TALK_ASK,
    TALK_ANSWER,
    TALK_SPOOL,
    TALK_SPOOLED,
    TALK_SEAL,
    TALK_SEALED,
    TALK_ABANDON,
    TALK_LIST,
    TALK_LISTED,
    TALK_VIEW,
    TALK_VIEWED,
    TALK_PARCELS,
    TALK_NOTE,
    TALK_DRAW,
    TALK_DRAWN,
    TALK_HANDOVER,
    TALK_RECORD,
    TALK_FREEZE,
    TALK_CAPTURE,
    TALK_CUSTODY,
    TALK_TYPES
};

enum talk_tag {
    TAG_VERSION = 1, /* text */
    TAG_CONFIG,      /* text: JSON */
    TAG_EVENT,       /* fields: TYPE, optional TIME, optional SUBJECT, DATA */
    TAG_TYPE,        /* text: the event's type, as the plugin declares it */
    TAG_TIME,        /* number: UTC microseconds, when it happened; absent: now */
    TAG_SUBJECT,     /* text */
    TAG_DATA,        /* text: one JSON object; in ANSWER any JSON */
    TAG_PUT,         /* fields: KEY, VALUE */
    TAG_REMOVE,      /* fields: KEY */
    TAG_CONSUMED,    /* fields: NAME, SEQ: this cursor has done all, SEQ too */
    TAG_KEY,         /* text of 1 to 128 bytes */
    TAG_VALUE,       /* bytes, at most 64 KiB */
    TAG_UNTIL,       /* text: a key */
    TAG_LIMIT,       /* number */
    TAG_MORE,        /* empty: there is more */
    TAG_NAME, /* text: of a durable cursor or an instance, 1 to 64 letters; of a class */
    TAG_SEQ,  /* number: a sequence; -1 none */
    TAG_LANE, /* number: enum talk_lane */
    TAG_PATTERN, /* text: of event types, "*" is all */
    TAG_ENTRY,   /* fields: SEQ, LANE, BODY */
    TAG_BODY,    /* bytes: one event, exactly as committed */
    TAG_ERROR,   /* number: 0 or an errno */
    TAG_TEXT,    /* text */
    TAG_READS,   /* number: how often a device has answered */
    TAG_ERRORS,  /* number: how often a handler has raised */
    TAG_SPOOL,   /* number: of a blob on its way, the keeper's choice */
    TAG_DIGEST,  /* text: SHA-256 of a blob's bytes, 64 hex digits */
    TAG_SM3,     /* text: their SM3, 64 hex digits */
    TAG_SIZE,    /* number: how many there are */
    TAG_BLOB, /* fields: DIGEST, NAME (a class), LIMIT (keep so many ms from now; -1: until
                        it is released), optional MORE (empty: erase it as soon as that is over) */
    TAG_OFFSET,  /* number: of a byte in a blob or a text, from 0 */
    TAG_UNHEARD, /* number: questions since a device answered last, without an answer */
    TAG_STARTED, /* empty */
    TAG_INSTEAD, /* empty: a reload that is under way is ended for this one */
    TAG_SILENT   /* empty: devices may be silent, versions are not judged by them */
};

/* What a blob is for, the weakest first: who goes first when room is scarce, and who is taken. */
enum talk_class {
    CLASS_PICTURE,
    CLASS_CAPTURE,
    CLASS_ORDINARY,
    CLASS_IMPORTANT, /* these two may use the reserve, */
    CLASS_CASE,      /* and this one is kept until it is released */
    CLASSES
};

enum talk_lane { LANE_ALARM, LANE_RECORD, LANE_TELEMETRY, LANES };

enum {
    TALK_EFFECTS_MAX = 1024, /* in one COMMIT; CONSUMED comes on top */
    TALK_EVENT_MAX = 65535,  /* bytes of an event: what a bundle's length can say */
    TALK_DATA_MAX = 60 * 1024,
    TALK_KEY_MAX = 128,
    TALK_VALUE_MAX = 64 * 1024,
    TALK_PARAMS_MAX = 60 * 1024,
    TALK_ANSWER_MAX = 128 * 1024,
    TALK_WHY_MAX = 500,   /* bytes of what was wrong in ANSWER */
    TALK_STALL_MAX = 120, /* bytes of why in STALLED */
    TALK_SPOOLS_MAX = 4,  /* open at once, of one host */
    TALK_DIGEST_HEX = 64,
    TALK_PARCELS_MAX = 64, /* files on their way to the city, or waiting for a receipt */
    TALK_NOTE_MAX = 2048
};

/* Fetches of one peer that wait at once: a host has one for each pattern. */
enum { TALK_FETCHES_MAX = 8 };

/* What an instance keeps in its store: keys, bytes of keys and values, and places in the journal (a
 * process has few, one for each pattern; former versions had others). */
#ifdef SMALL_BOUNDS
enum { TALK_STORE_KEYS_MAX = 64, TALK_STORE_BYTES_MAX = 1024 * 1024 };
enum { TALK_CURSORS_MAX = 8 };
#else
enum { TALK_STORE_KEYS_MAX = 65536, TALK_STORE_BYTES_MAX = 32 * 1024 * 1024 };
enum { TALK_CURSORS_MAX = 256 };
#endif

/* "alarm", "record", "telemetry". */
const char *talk_lane_name(enum talk_lane lane);
/* The lane of that name, or -1. */
int talk_lane_of(const char *name);

/* "picture", "capture", "ordinary", "important", "case". */
const char *talk_class_name(enum talk_class class);
/* The class of that name, or -1. */
int talk_class_of(const char *name);

#endif
