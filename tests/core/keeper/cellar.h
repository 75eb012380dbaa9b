/* cellar - a house that takes blobs, and what a host does to store one. */
#ifndef TESTS_KEEPER_CELLAR_H
#define TESTS_KEEPER_CELLAR_H

#include <signal.h>

#include "base/hex.h"
#include "base/mem.h"
#include "keeper/blobs/adoption.h"
#include "keeper/blobs/eraser.h"
#include "keeper/house.h"
#include "wire/rights.h"

struct cellar {
    struct house house;
    struct blobs blobs;
    char state[256]; /* the folder of blobs/ and keys/ */
};

static inline void cellar_open_blobs(struct cellar *cellar)
{
    assert_int_equal(blobs_open(&cellar->blobs, cellar->house.loop, &cellar->house.group,
                                cellar->house.config, cellar->state),
                     0);
    cellar->house.blobs = &cellar->blobs;
    cellar->house.children.blobs = &cellar->blobs;
}

static inline void cellar_open(struct cellar *cellar)
{
    signal(SIGPIPE, SIG_IGN);
    house_open(&cellar->house);
    fixture_folder(cellar->state, sizeof(cellar->state));
    cellar_open_blobs(cellar);
    house_greet(&cellar->house);
}

static inline void cellar_close(struct cellar *cellar)
{
    group_commit(&cellar->house.group);
    cellar->house.children.blobs = NULL;
    blobs_close(&cellar->blobs);
    cellar->house.blobs = NULL;
    house_close(&cellar->house);
    fixture_remove(cellar->state);
}

static inline int cellar_host(const struct cellar *cellar)
{
    return cellar->house.ends[HOUSE_HOST];
}

/* Asks for a spool: the errno of the answer; its number and pipe when that is 0. */
static inline int cellar_ask(struct cellar *cellar, const char *class, int64_t most,
                             int64_t *number, int *fd)
{
    struct heard *heard = &cellar->house.heard;
    struct buffer frame = {0};
    frame_begin(&frame, TALK_SPOOL, 31);
    frame_put_text(&frame, TAG_NAME, class);
    frame_put_number(&frame, TAG_LIMIT, most);
    ends_say(cellar_host(cellar), &frame);
    buffer_free(&frame);
    assert_true(ends_run(cellar->house.loop, cellar_host(cellar), ENDS_PATIENCE_MS));
    ssize_t length =
        rights_receive(cellar_host(cellar), heard->bytes, sizeof(heard->bytes), fd);
    assert_true(length > 0);
    assert_int_equal(frame_read(&heard->frame, heard->bytes, (size_t)length), 0);
    assert_int_equal(heard->frame.type, TALK_SPOOLED);
    assert_int_equal(heard->frame.id, 31);
    int err = (int)ends_number(&heard->frame.fields, TAG_ERROR);
    assert_int_equal(err == 0, *fd >= 0);
    *number = ends_number(&heard->frame.fields, TAG_SPOOL);
    return -err;
}

static inline void cellar_write(int fd, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = write(fd, at, length);
        assert_true(written > 0);
        at += written;
        length -= (size_t)written;
    }
}

static inline void cellar_say(struct cellar *cellar, enum talk_type type, uint32_t id,
                              int64_t number)
{
    struct buffer frame = {0};
    frame_begin(&frame, (uint8_t)type, id);
    frame_put_number(&frame, TAG_SPOOL, number);
    ends_say(cellar_host(cellar), &frame);
    buffer_free(&frame);
}

/* Closed, and asked for: the errno, and (0) the digest. */
static inline int cellar_seal(struct cellar *cellar, int64_t number, int fd,
                              struct digest *digest)
{
    struct heard *heard = &cellar->house.heard;
    struct field field;
    char digits[TALK_DIGEST_HEX + 1];
    close(fd);
    cellar_say(cellar, TALK_SEAL, 32, number);
    ends_expect(cellar->house.loop, cellar_host(cellar), heard, TALK_SEALED, 32);
    int err = (int)ends_number(&heard->frame.fields, TAG_ERROR);
    if (err == 0) {
        assert_int_equal(fields_find(&heard->frame.fields, TAG_DIGEST, &field), 0);
        assert_int_equal(field_text(&field, digits, sizeof(digits)), 0);
        assert_int_equal(hex_decode(digest->bytes, DIGEST_BYTES, digits), 0);
    }
    return -err;
}

/* A sealed blob that holds the text. */
static inline struct digest cellar_spool(struct cellar *cellar, const char *text)
{
    struct digest digest;
    int64_t number;
    int fd;
    assert_int_equal(cellar_ask(cellar, "ordinary", (int64_t)strlen(text), &number, &fd),
                     0);
    cellar_write(fd, text, strlen(text));
    assert_int_equal(cellar_seal(cellar, number, fd, &digest), 0);
    return digest;
}

static inline void cellar_put(struct buffer *frame, const struct digest *digest,
                              const char *class, int64_t keep_ms, bool is_prompt)
{
    char digits[TALK_DIGEST_HEX + 1];
    hex_encode(digits, digest->bytes, DIGEST_BYTES);
    size_t mark = frame_open(frame, TAG_BLOB);
    frame_put_text(frame, TAG_DIGEST, digits);
    frame_put_text(frame, TAG_NAME, class);
    frame_put_number(frame, TAG_LIMIT, keep_ms);
    if (is_prompt)
        frame_put(frame, TAG_MORE, "", 0);
    frame_close(frame, mark);
}

/* Commits one event and the blob; hears that errno. */
static inline void cellar_keep(struct cellar *cellar, const struct digest *digest,
                               const char *class, int64_t keep_ms, bool is_prompt,
                               int err)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_COMMIT, 78);
    house_event(&frame, "band.seen", "{}");
    cellar_put(&frame, digest, class, keep_ms, is_prompt);
    ends_say(cellar_host(cellar), &frame);
    buffer_free(&frame);
    ends_done(cellar->house.loop, cellar_host(cellar), &cellar->house.heard, 78, err);
}

static inline struct catalog_blob cellar_row(struct cellar *cellar,
                                             const struct digest *digest)
{
    struct catalog_blob row;
    assert_int_equal(catalog_get(cellar->house.fixture.journal->store, digest, &row), 0);
    return row;
}

static inline bool cellar_has_row(struct cellar *cellar, const struct digest *digest)
{
    struct catalog_blob row;
    int err = catalog_get(cellar->house.fixture.journal->store, digest, &row);
    assert_true(err == 0 || err == -ENOENT);
    return err == 0;
}

/* Whether the blob can be read from its place. */
static inline bool cellar_can_read(struct cellar *cellar, const struct digest *digest)
{
    struct scribe scribe = {.depot = &cellar->blobs.depot, .digest = *digest};
    struct buffer none = {0};
    return scribe_check(&scribe, &none) == 0;
}

static inline int cellar_count_one(void *owner, const struct digest *digest,
                                   int64_t number)
{
    int *count = owner;
    (void)digest;
    (void)number;
    ++*count;
    return 0;
}

/* Files in new/. */
static inline int cellar_count_new(const struct cellar *cellar)
{
    int count = 0;
    assert_int_equal(depot_each_new(&cellar->blobs.depot, cellar_count_one, &count), 0);
    return count;
}

/* Files in their place. */
static inline int cellar_count_placed(const struct cellar *cellar)
{
    int count = 0;
    assert_int_equal(depot_each(&cellar->blobs.depot, cellar_count_one, &count), 0);
    return count;
}

/* One whole round of erasing, in this process. */
static inline void cellar_erase(struct cellar *cellar)
{
    struct buffer left = {0};
    group_commit(&cellar->house.group);
    assert_int_equal(eraser_begin(&cellar->blobs), 0);
    assert_int_equal(eraser_work(&cellar->blobs, &left), 0);
    assert_int_equal(eraser_end(&cellar->blobs, &left), 0);
    buffer_free(&left);
    group_commit(&cellar->house.group);
}

/* How many events of that type the journal has, all not sealed yet. */
static inline int64_t cellar_events(struct cellar *cellar, const char *type)
{
    char sql[256];
    group_commit(&cellar->house.group);
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM event WHERE json_extract(CAST(body AS TEXT), "
             "'$.type') = '%s'",
             type);
    return fixture_ask(&cellar->house.fixture, sql);
}

#endif
