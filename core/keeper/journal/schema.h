/* schema - the tables of journal/tail.db, with a word on each column.
 *
 * Others may read them (outpost verify does); only the keeper writes. Each change of the text is a
 * new version and a migration in store.c. */
#ifndef KEEPER_JOURNAL_SCHEMA_H
#define KEEPER_JOURNAL_SCHEMA_H

enum { SCHEMA_VERSION = 2 };

/* Makes an empty file one of SCHEMA_VERSION. */
extern const char schema_sql[];

/* What makes version n one of n + 1, by n. */
extern const char *const schema_migrations[SCHEMA_VERSION];

#endif
