/* child - how a program of ours begins that the keeper has started, and that meets strangers. */
#ifndef WIRE_CHILD_H
#define WIRE_CHILD_H

enum { CHILD_FILES_MAX = 64 };

/* Its log has that name; only the keeper ends it; it gains no rights, leaves no memory behind when it
 * dies (keys and persons are in it), and has few files open. First thing in main(). */
void child_begin(const char *name);

/* LINE_CHILD_FD is no line to a keeper (a negative errno): says what to do about it. */
void child_refuse(int err);

#endif
