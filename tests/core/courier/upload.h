/* upload - a file on its way, as far as a test wants it. */
#ifndef TESTS_COURIER_UPLOAD_H
#define TESTS_COURIER_UPLOAD_H

#include "courier/tus.h"

#define URL "https://city.example:8443/files/0123"

static inline enum tus_verdict say(struct tus *tus, int status, int64_t offset)
{
    const struct tus_answer answer = {.status = status,
                                      .offset = offset,
                                      .length = -1,
                                      .is_tus = true,
                                      .location = URL};
    return tus_answer(tus, &answer);
}

static inline enum tus_verdict break_off(struct tus *tus, enum tus_fault fault)
{
    const struct tus_answer answer = {.fault = fault, .offset = -1, .length = -1};
    return tus_answer(tus, &answer);
}

/* At SEND of 100 bytes, nothing confirmed. */
static inline void create(struct tus *tus)
{
    tus_begin(tus, 100, "", false);
    assert_int_equal(tus->deed, TUS_CREATE);
    assert_int_equal(say(tus, 201, -1), TUS_GO);
    assert_int_equal(tus->deed, TUS_NOTE);
    assert_string_equal(tus->url, URL);
    assert_int_equal(tus_noted(tus), TUS_GO);
    assert_int_equal(tus->deed, TUS_SEND);
    assert_int_equal(tus->offset, 0);
}

static inline void send_all(struct tus *tus)
{
    create(tus);
    assert_int_equal(say(tus, 204, 100), TUS_GO);
    assert_int_equal(tus->deed, TUS_NOTE);
    assert_true(tus->is_sent);
    assert_int_equal(tus_noted(tus), TUS_GO);
    assert_int_equal(tus->deed, TUS_FETCH);
}

#endif
