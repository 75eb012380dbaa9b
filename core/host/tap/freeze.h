/* freeze - a process of its own that makes a blob of what is in a ring: `host freeze`.
 *
 * It has a line to the keeper and the ring, as a host has, and its START says whose ring it is and why
 * it is kept. It copies the ring at once, is confined, stores the copy as pcapng, and commits one
 * event `capture.recorded` that names it. So what a plugin, or an attacker in it, left in the ring is
 * read by nobody else. */
#ifndef HOST_TAP_FREEZE_H
#define HOST_TAP_FREEZE_H

/* Takes over both descriptors. The exit code: 0 when the event is on disk. */
int freeze_run(int line, int ring);

#endif
