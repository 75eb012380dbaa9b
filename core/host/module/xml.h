/* xml - an XML document as a row of tokens.
 *
 * Every byte is foreign. A document type is refused, and with it every entity that a document could
 * declare: nothing grows, nothing outside is read. Namespaces are dropped: of "tt:Name" the token
 * says "Name", and declarations (xmlns) are left out. Comments and processing instructions are
 * passed over.
 *
 * An element is OPEN (its name), then NAME and VALUE for each attribute, then the elements in it,
 * then CLOSE with its own text, from which white space at both ends is cut. */
#ifndef HOST_MODULE_XML_H
#define HOST_MODULE_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

enum {
    XML_BYTES_MAX = 1024 * 1024,
    XML_DEPTH_MAX = 32,
    XML_ELEMENTS_MAX = 10000,
    XML_ATTRIBUTES_MAX = 32, /* of an element */
    XML_WHY_ROOM = 120
};

enum xml_kind { XML_OPEN, XML_NAME, XML_VALUE, XML_CLOSE };

struct xml_token {
    enum xml_kind kind;
    const char *bytes; /* in the buffer */
    size_t length;
};

/* Loads what the others need, for the rest of the process's life, as charset_open() does, and that too;
 * before the process is confined. 0 or a negative errno. */
int xml_open(void);

/* Appends the document's text as UTF-8, whatever it is in: `charset` when somebody knows it (or NULL),
 * else what its first line says, else UTF-8. `replaced` counts bytes that belonged to no letter. 0,
 * or -EPROTO and why. */
int xml_decode(struct buffer *out, const char *charset, const void *bytes, size_t length,
               size_t *replaced, char why[XML_WHY_ROOM]);

/* Appends the tokens of a document in UTF-8. 0, or -EPROTO and why, with the line. */
int xml_read(struct buffer *tokens, const char *text, size_t length,
             char why[XML_WHY_ROOM]);

/* The token at `*at` of what xml_read() has appended, which moves on; false at the end. */
bool xml_next(const struct buffer *tokens, size_t *at, struct xml_token *token);

#endif
