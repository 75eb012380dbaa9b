/* story - what happened, for people: told only while one seed is replayed. */
#ifndef SIM_STORY_H
#define SIM_STORY_H

#include <stdbool.h>

/* `most` last lines are kept for story_print(); 0: each is printed at once. */
void story_tell(int most);
void story_hush(void);
void story_print(void);

void story_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
