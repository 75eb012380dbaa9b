/* table - a JSON value for people: an array of objects as a table, an object as lines. Pure.
 *
 * What could disturb a terminal is shown as '?'. */
#ifndef CLI_OFFICE_TABLE_H
#define CLI_OFFICE_TABLE_H

#include "base/json.h"

enum { TABLE_COLUMNS_MAX = 24 };

/* Appends it, each line ended. Columns and members are sorted by name; rows with more than
 * TABLE_COLUMNS_MAX names among them, and what is no object, are a line of JSON each. */
void table_print(struct buffer *out, const struct json *value);

/* Appends a text of somebody else's in the same way. */
void table_put_text(struct buffer *out, const char *text);

#endif
