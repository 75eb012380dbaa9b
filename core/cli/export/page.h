/* page - the page of an export, made of its template (etc/evidence/page.html): words between '@' are
 * filled in, everything foreign escaped. */
#ifndef CLI_EXPORT_PAGE_H
#define CLI_EXPORT_PAGE_H

#include "cli/export/history.h"

struct page_facts {
    const char *sha256;
    const char *sm3; /* or empty */
    const char *name;
    const char *office;
    const char *log;
    const char *key;
    const struct history *history;
};

/* Appends the page; a negative errno when the template cannot be read, -EPROTO when it is none. */
int page_print(struct buffer *out, const struct page_facts *facts);

/* The same with the template at hand. */
int page_fill(struct buffer *out, const char *text, size_t length,
              const struct page_facts *facts);

#endif
