/* outbox - see outbox.h. */
#include "city/outbox.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static struct outbox_letter *find(struct outbox *outbox, const char *office)
{
    for (size_t i = 0; i < outbox->count; i++)
        if (strcmp(outbox->letters[i].office, office) == 0)
            return &outbox->letters[i];
    return NULL;
}

static struct outbox_letter *add(struct outbox *outbox, const char *office)
{
    if (outbox->count == OUTBOX_MAX)
        return NULL;
    if (outbox->count == outbox->room) {
        outbox->room = outbox->room == 0 ? 1 : outbox->room * 2;
        outbox->letters =
            mem_resize(outbox->letters, outbox->room * sizeof(outbox->letters[0]));
    }
    struct outbox_letter *letter = &outbox->letters[outbox->count++];
    memset(letter, 0, sizeof(*letter));
    snprintf(letter->office, sizeof(letter->office), "%s", office);
    return letter;
}

void outbox_put(struct outbox *outbox, const char *office, const void *note,
                size_t length, bool began)
{
    struct outbox_letter *letter = find(outbox, office);
    if (letter == NULL)
        letter = add(outbox, office);
    if (letter == NULL)
        return;
    buffer_clear(&letter->note);
    buffer_append(&letter->note, note, length);
    letter->began |= began;
}

const struct outbox_letter *outbox_first(const struct outbox *outbox)
{
    return outbox->count > 0 ? &outbox->letters[0] : NULL;
}

void outbox_drop(struct outbox *outbox)
{
    buffer_free(&outbox->letters[0].note);
    outbox->count--;
    memmove(outbox->letters, outbox->letters + 1,
            outbox->count * sizeof(outbox->letters[0]));
}

void outbox_free(struct outbox *outbox)
{
    while (outbox->count > 0)
        buffer_free(&outbox->letters[--outbox->count].note);
    mem_free(outbox->letters);
    memset(outbox, 0, sizeof(*outbox));
}
