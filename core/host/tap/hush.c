/* hush - see hush.h. */
#include "host/tap/hush.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"

static const char *const SECRETS[] = {"authorization:", "proxy-authorization:", "cookie:",
                                      "set-cookie:", "authentication-info:"};

static void cover(char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != '\r' && bytes[i] != '\n')
            bytes[i] = '*';
}

/* How much of the line is the name of such a header; 0: it is another. */
static size_t secret_at(const char *line, size_t length)
{
    for (size_t i = 0; i < countof(SECRETS); i++) {
        size_t name = strlen(SECRETS[i]);
        if (length >= name && strncasecmp(line, SECRETS[i], name) == 0)
            return name;
    }
    return 0;
}

/* A line that begins with a blank goes on with the header before. */
void hush_head(char *head, size_t length)
{
    char *end = head + length;
    bool goes_on = false;
    while (head < end) {
        char *next = memchr(head, '\n', (size_t)(end - head));
        size_t line = (size_t)((next != NULL ? next + 1 : end) - head);
        size_t name = secret_at(head, line);
        goes_on = name > 0 || (goes_on && (*head == ' ' || *head == '\t'));
        if (goes_on)
            cover(head + name, line - name);
        head += line;
    }
}

void hush_command(char *line, size_t length)
{
    if (length > 5 &&
        (strncasecmp(line, "PASS ", 5) == 0 || strncasecmp(line, "ACCT ", 5) == 0))
        cover(line + 5, length - 5);
}

void hush_word(char *bytes, size_t length, const char *word)
{
    size_t size = word != NULL ? strlen(word) : 0;
    char *at = bytes;
    if (size < HUSH_WORD_LEAST)
        return;
    while ((at = memmem(at, (size_t)(bytes + length - at), word, size)) != NULL)
        memset(at, '*', size);
}
