/* self - what the keeper itself records: its source is /<office>/keeper/keeper. What data each holds
 * is declared in lua/appliance.lua, from which docs/asyncapi.yaml is made.
 *
 *   box.started         record  version, boot, log, after ("stop" or "crash")
 *   box.stopped         record
 *   plugin.restarted    record  instance, plugin, exit
 *   plugin.quarantined  alarm   instance, plugin, deaths
 *   plugin.updated      record  instance, plugin, from, to: a new version was accepted (none: "")
 *   plugin.returned     alarm   instance, plugin, from, to, why (trial.h), exit; state, when both
 *                               have another: a new version was not, the old one runs
 *   journal.contradicted alarm  events (here), city (what its receipt claims, by lane)
 *   config.refused      alarm   file, errors: it did not check, the last good one is used
 *   sync.stalled        alarm   lane, reason: what is sent comes to nothing
 *   sync.resumed        record  lane, reason: of the stall that is over
 *   journal.damaged     alarm   reason; folder, when the journal was set aside there; salvaged, gone
 *                               (by lane) and ranges, when all of it that verifies is in this log;
 *                               tiles, when events of this log are lost (as in journal.thinned)
 *   journal.salvaged    as the original   of a log before this one; see salvage.h
 *   journal.thinned     record  reason, lane, first, last, count, tiles: proof/erasure.h
 *   storage.low         alarm   of ("quota", "disk", "blobs"), percent, days_left when it is known
 *   storage.full        alarm   of, refused: the lane, or class of blobs, that is not taken any more
 *   storage.back        record  of, when it is "blobs"
 *   gap.recorded        record  from, until, cause, lane: nothing was taken meanwhile
 *   action.performed    record  instance, action, who (name, role: absent when none fits; via), outcome
 *                               ("done", "refused": never begun, "failed"), error (of the last two, as
 *                               "EPERM"); never its params, which may be secret
 *   blob.released       record  sha256, size, class, reason ("retention": its time is over; "room": and
 *                               others needed it): it is being erased
 *   blob.viewed         record  sha256, size, class, who (as above): somebody is given its bytes
 *   evidence.viewed     record  the same of evidence, and purpose ("view", "export"), reason (of the last)
 *   evidence.marked     record  sha256, size, class (now), from (before), until (absent: for ever), who,
 *                               reason: it matters, or it is of a case
 *   evidence.released   record  the same: no case holds it any more
 *   Of evidence each of these, evidence.uploaded, evidence.adopted, blob.released and blob.damaged has previous: chain.h
 *   evidence.exported   record  sha256, size, class, who, reason, manifest (SHA-256 of the list of all
 *                               files of the export): somebody has it in his hands
 *   evidence.uploaded   record  sha256, sm3, size, class, receipt: the city has it, as it has signed
 *                               (proof/handover.h)
 *   evidence.adopted    record  sha256, sm3, size, class: a file of the log before this one, which goes to
 *                               the city as one of this log (heirs.h)
 *   blob.adopted        record  count, bytes: files whose rows a damaged journal has taken with it
 *   blob.damaged        alarm   sha256, size, class, reason ("changed", "missing", "unreadable", "key");
 *                               or count, when all are, because the box's key was lost
 *   capture.recorded    record  instance, plugin, reason ("alarm", "error", "crash", "asked"), who (of
 *                               the last), sha256, size, from, until, pieces, suppressed: what its
 *                               devices said is kept (committed by freezer.h's process)
 *   clock.jumped        record  from, to, seconds: the wall clock was set
 *   clock.corrected     record  boot, mono, utc: it is right at last, and what its times were
 */
#ifndef KEEPER_SELF_H
#define KEEPER_SELF_H

#include "keeper/children/group.h"

/* Adds one event to the group, `data` being one JSON object. What cannot be recorded is logged, and
 * is a negative errno. */
int self_record(struct group *group, const char *type, const char *data);

#endif
