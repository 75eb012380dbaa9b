/* hush - bytes of HTTP and FTP without what is secret in them, for who keeps them. Pure.
 *
 * What is left out becomes stars of the same length, so that lengths that the bytes speak of hold. */
#ifndef HOST_TAP_HUSH_H
#define HOST_TAP_HUSH_H

#include <stddef.h>

enum { HUSH_WORD_LEAST = 4 }; /* a shorter password would be found everywhere */

/* The values of headers with which somebody logs in, in the lines of a head or in one of them. */
void hush_head(char *head, size_t length);
/* What stands behind PASS or ACCT, where a line of FTP begins so. */
void hush_command(char *line, size_t length);
/* The word, wherever it stands; NULL, or too short: nothing. */
void hush_word(char *bytes, size_t length, const char *word);

#endif
