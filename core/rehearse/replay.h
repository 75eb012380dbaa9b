/* replay - a plugin over a recorded journal: the real host, the journal's events at the journal's times.
 *
 * Standard input is what there is to replay; each record is a line, and behind it so many bytes:
 *
 *   capture LENGTH                           what was recorded of its devices (recording.h); may be absent
 *   start UTC LENGTH                         the plugin's START, as JSON; before all events
 *   event SEQ LANE UTC MONO BOOT TYPE LENGTH an event as the journal has it. UTC and MONO are in
 *                                            microseconds; BOOT is 1 when the box had started anew
 *   end UTC                                  the slice is over then; 0: with its last event
 *
 * Standard output is what the plugin emits, each as one line
 * {"at","lane","type","subject","of","data"}: `of` is "event" when a handler of host.on emitted it, else
 * "timer". The last line is {"replayed","raised","errors","restarts","unrecorded","why"}.
 *
 * The clock since boot goes on as the journal's did, and the wall clock shows what the box's showed.
 * When the box started anew, so does the plugin, from its store. Devices answer what was recorded of them, or as
 * unrecorded.h says;
 * every commit is durable at once. Memory is bounded: events that all handlers have been given go. */
#ifndef REHEARSE_REPLAY_H
#define REHEARSE_REPLAY_H

/* Returns the exit code: 0 replayed, 1 it could not be, which the last line says. */
int replay_run(void);

#endif
