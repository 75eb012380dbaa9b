/* The table of blobs: what comes back, in which order, and what another file's rows are taken for. */
#include "keeper/blobs/catalog.h"

#include "keeper/blobs/cask.h"
#include "keeper/fixture.h"

static char folder[256], path[300];
static struct store *store;

static int start(void **state)
{
    (void)state;
    fixture_folder(folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/tail.db", folder);
    return store_open(&store, path);
}

static int stop(void **state)
{
    (void)state;
    store_close(store);
    fixture_remove(folder);
    return 0;
}

static struct catalog_blob make(uint8_t name, int class, int64_t until_us)
{
    return (struct catalog_blob){.sha256 = {{name}},
                                 .sm3 = {{1, name}},
                                 .has_sm3 = true,
                                 .size = 100 * name,
                                 .class = class,
                                 .keep_ms = until_us < 0 ? -1 : 5,
                                 .until_us = until_us,
                                 .seq = name,
                                 .stored_us = 1000 + name};
}

static void put(struct catalog_blob blob)
{
    assert_int_equal(catalog_put(store, &blob), 0);
}

struct names {
    int count;
    uint8_t name[16];
};

static int note(void *owner, const struct catalog_blob *blob)
{
    struct names *names = owner;
    names->name[names->count++] = blob->sha256.bytes[0];
    return 0;
}

static void expect(const struct names *names, const char *expected)
{
    assert_int_equal(names->count, strlen(expected));
    assert_memory_equal(names->name, expected, names->count);
}

static void a_row_comes_back_as_it_was(void **state)
{
    struct catalog_blob blob = make(7, CLASS_CASE, -1), back;
    (void)state;
    blob.is_prompt = blob.is_damaged = true;
    put(blob);
    assert_int_equal(catalog_get(store, &blob.sha256, &back), 0);
    assert_true(digest_equal(&back.sha256, &blob.sha256));
    assert_true(back.has_sm3 && digest_equal(&back.sm3, &blob.sm3));
    assert_int_equal(back.size, 700);
    assert_int_equal(back.class, CLASS_CASE);
    assert_true(back.keep_ms == -1 && back.until_us == -1 && back.seq == 7);
    assert_int_equal(back.stored_us, 1007);
    assert_true(back.is_prompt && back.is_damaged && !back.is_released);
    blob.has_sm3 = false;
    blob.sm3 = (struct digest){{0}};
    put(blob);
    assert_int_equal(catalog_get(store, &blob.sha256, &back), 0);
    assert_false(back.has_sm3);
    assert_int_equal(catalog_get(store, &(struct digest){{8}}, &back), -ENOENT);
}

static void who_is_due_comes_by_class_and_age(void **state)
{
    struct names prompt = {0}, due = {0}, later = {0};
    (void)state;
    struct catalog_blob blob = make('a', CLASS_PICTURE, 30);
    put(blob);
    put(make('b', CLASS_PICTURE, 20));
    put(make('c', CLASS_ORDINARY, 10));
    put(make('d', CLASS_PICTURE, -1));
    put(make('e', CLASS_PICTURE, 99));
    blob = make('f', CLASS_IMPORTANT, 5);
    blob.is_prompt = true;
    put(blob);
    blob = make('g', CLASS_PICTURE, 1);
    blob.is_released = true;
    put(blob);
    assert_int_equal(catalog_each_due(store, 50, 10, CLASS_PICTURE, 0, note, &due), 0);
    expect(&due, "ba");
    assert_int_equal(catalog_each_due(store, 50, 1, CLASS_PICTURE, 0, note, &later), 0);
    expect(&later, "b");
    assert_int_equal(catalog_each_prompt(store, 50, 10, 0, note, &prompt), 0);
    expect(&prompt, "f");
    blob = make('h', CLASS_PICTURE, 40);
    blob.uploaded_us = 1; /* the city has it: only such ones go where it is to have all */
    put(blob);
    due.count = 0;
    assert_int_equal(
        catalog_each_due(store, 50, 10, CLASS_PICTURE, 1 << CLASS_PICTURE, note, &due),
        0);
    expect(&due, "h");
}

static void pages_go_on_behind_the_last(void **state)
{
    struct names one = {0}, two = {0};
    (void)state;
    for (const char *name = "cabed"; *name; name++)
        put(make((uint8_t)*name, CLASS_PICTURE, 1));
    assert_int_equal(catalog_each(store, NULL, 2, note, &one), 0);
    expect(&one, "ab");
    assert_int_equal(catalog_each(store, &(struct digest){{'b'}}, 9, note, &two), 0);
    expect(&two, "cde");
}

static void only_what_is_released_is_forgotten(void **state)
{
    struct catalog_blob blob = make('a', CLASS_PICTURE, 1), back;
    (void)state;
    put(blob);
    assert_int_equal(catalog_forget(store, &blob.sha256), 0);
    assert_int_equal(catalog_get(store, &blob.sha256, &back), 0);
    blob.is_released = true;
    put(blob);
    assert_int_equal(catalog_forget(store, &blob.sha256), 0);
    assert_int_equal(catalog_get(store, &blob.sha256, &back), -ENOENT);
}

static void sums_are_of_what_lies_on_disk(void **state)
{
    struct catalog_sum sum;
    static const int64_t SIZES[] = {0, 1, 65536, 65537, 1 << 20};
    int64_t bytes = 0;
    (void)state;
    for (size_t i = 0; i < countof(SIZES); i++) {
        struct catalog_blob blob = make((uint8_t)i, CLASS_PICTURE, 1);
        blob.size = SIZES[i];
        bytes += cask_bytes(SIZES[i]);
        put(blob);
    }
    struct catalog_blob blob = make(99, CATALOG_UNKNOWN, -1);
    blob.is_released = true;
    put(blob);
    assert_int_equal(catalog_sum(store, &sum), 0);
    assert_int_equal(sum.count[CLASS_PICTURE], countof(SIZES));
    assert_int_equal(sum.bytes[CLASS_PICTURE], bytes);
    assert_int_equal(sum.count[CATALOG_UNKNOWN], 0);
    assert_int_equal(sum.released, 1);
    assert_int_equal(sum.released_bytes, cask_bytes(9900));
    assert_int_equal(catalog_damage_all(store), 0);
    assert_int_equal(catalog_sum(store, &sum), 0);
    assert_int_equal(sum.damaged, countof(SIZES));
}

static void what_waits_for_the_city_is_counted_as_it_is_listed(void **state)
{
    struct catalog_sum sum;
    struct names names = {0};
    struct catalog_blob blob[6];
    int64_t waiting = 0;
    (void)state;
    for (uint8_t i = 0; i < countof(blob); i++)
        blob[i] = make('a' + i, CLASS_CASE, -1);
    blob[1].seq = -1;
    blob[2].has_sm3 = false;
    blob[3].is_damaged = true;
    blob[4].uploaded_us = 1;
    blob[5].is_released = true;
    for (size_t i = 0; i < countof(blob); i++) {
        put(blob[i]);
        waiting += catalog_is_parcel(&blob[i]);
    }
    assert_int_equal(catalog_each_parcel(store, CLASS_CASE, 0, 16, note, &names), 0);
    expect(&names, "a");
    assert_int_equal(catalog_sum(store, &sum), 0);
    assert_int_equal(sum.parcels[CLASS_CASE], 1);
    assert_int_equal(sum.uploaded[CLASS_CASE], 1);
    assert_int_equal(waiting, 1);
}

static void a_time_that_has_not_begun_begins_when_it_is_dated(void **state)
{
    struct catalog_blob blob = make('a', CLASS_PICTURE, 7), back;
    int64_t count;
    (void)state;
    blob.until_us = -1;
    put(blob);
    put(make('b', CLASS_CASE, -1));
    assert_int_equal(catalog_count_undated(store, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(catalog_date(store, 50000), 0);
    assert_int_equal(catalog_get(store, &blob.sha256, &back), 0);
    assert_int_equal(back.until_us, 50000 + 5 * 1000);
    assert_int_equal(back.stored_us, 50000);
    assert_int_equal(catalog_get(store, &(struct digest){{'b'}}, &back), 0);
    assert_int_equal(back.until_us, -1);
}

static bool is_there(void *owner, const struct digest *digest)
{
    (void)owner;
    return digest->bytes[0] != 'x';
}

static void rows_of_another_file_are_taken_but_nothing_goes_on_its_word(void **state)
{
    struct store *other = NULL;
    struct catalog_blob blob = make('a', CLASS_PICTURE, 1), back;
    char another[300];
    (void)state;
    put(blob);
    blob = make('r', CLASS_PICTURE, 1);
    blob.is_released = true;
    put(blob);
    blob.sha256.bytes[0] = 'x';
    put(blob);
    snprintf(another, sizeof(another), "%s/other.db", folder);
    assert_int_equal(store_open(&other, another), 0);
    blob = make('a', CLASS_CASE, -1);
    assert_int_equal(catalog_put(other, &blob), 0);
    assert_int_equal(catalog_copy(other, path, true, is_there, NULL), 0);
    assert_int_equal(catalog_get(other, &blob.sha256, &back), 0);
    assert_int_equal(back.class, CLASS_CASE); /* its own stays */
    assert_int_equal(catalog_get(other, &(struct digest){{'r'}}, &back), 0);
    assert_false(back.is_released);
    assert_int_equal(back.seq, -1);
    assert_int_equal(catalog_get(other, &(struct digest){{'x'}}, &back), -ENOENT);
    assert_int_not_equal(catalog_copy(other, "/nowhere/tail.db", true, is_there, NULL),
                         0);
    store_close(other);
}

static void classes_have_names(void **state)
{
    (void)state;
    assert_string_equal(catalog_class_name(CLASS_PICTURE), "picture");
    assert_string_equal(catalog_class_name(CATALOG_UNKNOWN), "unknown");
}

#define with_a_store(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_a_store(a_row_comes_back_as_it_was),
        with_a_store(who_is_due_comes_by_class_and_age),
        with_a_store(pages_go_on_behind_the_last),
        with_a_store(only_what_is_released_is_forgotten),
        with_a_store(sums_are_of_what_lies_on_disk),
        with_a_store(what_waits_for_the_city_is_counted_as_it_is_listed),
        with_a_store(a_time_that_has_not_begun_begins_when_it_is_dated),
        with_a_store(rows_of_another_file_are_taken_but_nothing_goes_on_its_word),
        with_a_store(classes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
