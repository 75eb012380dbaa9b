/* thread - the two ends of the simulated line (line.c) between keeper and uplink. */
#ifndef SIM_THREAD_H
#define SIM_THREAD_H

enum thread_end { THREAD_UPLINK, THREAD_KEEPER, THREAD_ENDS };

/* File descriptor of the keeper's end; the uplink's is LINE_CHILD_FD. */
enum { THREAD_KEEPER_FD = 4 };

/* No line is there any more, and nothing on its way. */
void thread_begin(void);
/* The program at that end has died. */
void thread_cut(enum thread_end end);

#endif
