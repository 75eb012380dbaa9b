/* challenge_fuzz - any bytes as what a server asks of who logs in: what is answered has one line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/web/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const struct challenge_login LOGIN = {
        .user = "u\"", .password = "p", .method = "GET", .target = "/", .cnonce = "c"};
    static const char NAME[] = "WWW-Authenticate: ";
    struct headers head = {0};
    struct buffer line = {0}, answer = {0};
    struct challenge asked;
    if (digest_open() != 0)
        abort();
    buffer_append_text(&line, NAME);
    buffer_append(&line, bytes, length);
    headers_add(&head, line.bytes, line.length);
    challenge_names(&head, "Basic");
    if (challenge_read(&asked, &head)) {
        challenge_answer(&answer, &asked, &LOGIN);
        if (strpbrk(buffer_text(&answer), "\r\n") != NULL)
            abort();
    }
    buffer_free(&line);
    buffer_free(&answer);
    headers_free(&head);
    return 0;
}
