/* scripts - shell scripts that stand for host and uplink. */
#ifndef TESTS_KEEPER_SCRIPTS_H
#define TESTS_KEEPER_SCRIPTS_H

#include "keeper/fixture.h"

/* A program that says HELLO (the eight bytes of its frame) on its line and then does `what`. */
static inline void scripts_put(const char *libexec, const char *name, bool hello,
                               const char *what)
{
    struct buffer text = {0};
    char path[400];
    buffer_append_text(&text, "#!/bin/sh\n");
    if (hello)
        buffer_append_text(&text, "printf 'O\\001\\001\\000\\000\\000\\000\\000' >&3\n");
    buffer_append_text(&text, what);
    buffer_append_text(&text, "\n");
    assert_int_equal(file_join(path, sizeof(path), libexec, name), 0);
    assert_int_equal(file_put(path, text.bytes, text.length, 0700), 0);
    buffer_free(&text);
}

#endif
