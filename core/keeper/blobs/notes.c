/* notes - see notes.h.
 *
 * Keys of the store's instance "courier": "SHA256" is the note, and "aside/SHA256" when it may go
 * again (UTC us), how long that is in all (ms), 8 bytes each with the highest first, and why: so that
 * SQL compares times as it compares bytes. */
#include "keeper/blobs/notes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/now.h"

static const char OWN[] = "courier";
static const char ASIDE[] = "aside/", BEHIND_ASIDE[] = "aside0";

enum { KEY_ROOM = 8 + 2 * DIGEST_BYTES, NUMBER = NOTES_BOUND_BYTES };

static void print_key(char key[KEY_ROOM], const char *before, const struct digest *digest)
{
    char digits[2 * DIGEST_BYTES + 1];
    hex_encode(digits, digest->bytes, DIGEST_BYTES);
    snprintf(key, KEY_ROOM, "%s%s", before, digits);
}

static void put_number(uint8_t bytes[NUMBER], int64_t number)
{
    for (int i = 0; i < NUMBER; i++)
        bytes[i] = (uint8_t)((uint64_t)number >> 8 * (NUMBER - 1 - i));
}

static int64_t read_number(const uint8_t bytes[NUMBER])
{
    uint64_t number = 0;
    for (int i = 0; i < NUMBER; i++)
        number = number << 8 | bytes[i];
    return (int64_t)number;
}

int notes_put(struct store *store, const struct digest *digest, const void *note,
              size_t length)
{
    char key[KEY_ROOM];
    print_key(key, "", digest);
    return store_put(store, OWN, key, note, length);
}

int notes_get(struct store *store, const struct digest *digest, struct buffer *note)
{
    char key[KEY_ROOM];
    print_key(key, "", digest);
    return store_get(store, OWN, key, note);
}

int notes_set_aside(struct store *store, const struct digest *digest, int64_t ms,
                    const void *why, size_t length)
{
    struct buffer value = {0};
    uint8_t numbers[2 * NUMBER];
    char key[KEY_ROOM];
    print_key(key, ASIDE, digest);
    put_number(numbers, now_utc_us() + ms * 1000);
    put_number(numbers + NUMBER, ms);
    buffer_append(&value, numbers, sizeof(numbers));
    buffer_append(&value, why, length < NOTES_WHY_MAX ? length : NOTES_WHY_MAX);
    int err = store_put(store, OWN, key, value.bytes, value.length);
    buffer_free(&value);
    return err;
}

int notes_aside_ms(struct store *store, const struct digest *digest, int64_t *ms)
{
    struct buffer value = {0};
    char key[KEY_ROOM];
    print_key(key, ASIDE, digest);
    int err = store_get(store, OWN, key, &value);
    if (!err && value.length < 2 * NUMBER)
        err = -EBADMSG;
    if (!err)
        *ms = read_number((const uint8_t *)value.bytes + NUMBER);
    buffer_free(&value);
    return err;
}

int notes_forget(struct store *store, const struct digest *digest)
{
    char key[KEY_ROOM];
    print_key(key, "", digest);
    int err = store_remove(store, OWN, key);
    print_key(key, ASIDE, digest);
    return err ? err : store_remove(store, OWN, key);
}

void notes_bounds(uint8_t from[NOTES_BOUND_BYTES], uint8_t until[NOTES_BOUND_BYTES],
                  int64_t now_us)
{
    put_number(from, now_us + 1);
    put_number(until, now_us + NOTES_ASIDE_MAX_MS * 1000 + 1);
}

struct count {
    uint8_t from[NUMBER], until[NUMBER];
    int64_t *count;
    struct buffer *why;
};

static int count_one(void *owner, const char *key, const void *value, size_t length)
{
    const struct count *count = owner;
    (void)key;
    if (length < 2 * NUMBER || memcmp(value, count->from, NUMBER) < 0 ||
        memcmp(value, count->until, NUMBER) >= 0)
        return 0;
    if ((*count->count)++ == 0)
        buffer_append(count->why, (const char *)value + 2 * NUMBER, length - 2 * NUMBER);
    return 0;
}

int notes_count_aside(struct store *store, int64_t *count, struct buffer *why)
{
    struct count all = {.count = count, .why = why};
    *count = 0;
    notes_bounds(all.from, all.until, now_utc_us());
    return store_each_key(store, OWN, ASIDE, BEHIND_ASIDE, count_one, &all);
}
