/* What a tus server wrote of an upload, and the event that names the file. */
#include "city/ticket.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SM3    "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"
#define BEGIN  "{\"id\":\"x\",\"size\":7,\"offset\":0,\"metadata\":{"
#define NAMES  "\"office\":\"350105-003\",\"log\":\"9c41e07a\",\"seq\":\"12\","
#define HASHES "\"sha256\":\"" SHA256 "\",\"sm3\":\"" SM3 "\","
#define REST   "\"size\":\"7\",\"class\":\"important\"}}"

static int read_text(struct ticket *ticket, const char *text)
{
    return ticket_read(ticket, text, strlen(text));
}

static void what_the_courier_said_is_read(void **state)
{
    (void)state;
    struct ticket ticket;
    assert_int_equal(read_text(&ticket, BEGIN NAMES HASHES REST), 0);
    assert_string_equal(ticket.office, "350105-003");
    assert_string_equal(ticket.log, "9c41e07a");
    assert_string_equal(ticket.sha256, SHA256);
    assert_string_equal(ticket.sm3, SM3);
    assert_int_equal(ticket.seq, 12);
    assert_int_equal(ticket.size, 7);
    assert_int_equal(ticket.class, CLASS_IMPORTANT);
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "{}",
        "[]",
        BEGIN HASHES REST,
        BEGIN NAMES REST,
        BEGIN NAMES HASHES "\"size\":\"8\",\"class\":\"important\"}}",
        BEGIN NAMES HASHES "\"size\":\"7\",\"class\":\"none\"}}",
        BEGIN NAMES HASHES "\"size\":7,\"class\":\"case\"}}",
        BEGIN "\"office\":\"../x\",\"log\":\"l\",\"seq\":\"1\"," HASHES REST,
        BEGIN "\"office\":\"o\",\"log\":\"l\",\"seq\":\"-1\"," HASHES REST,
        BEGIN "\"office\":\"o\",\"log\":\"l\",\"seq\":\"01\"," HASHES REST,
        BEGIN
        "\"office\":\"o\",\"log\":\"l\",\"seq\":\"9223372036854775808\"," HASHES REST,
        BEGIN NAMES "\"sha256\":\"../" SHA256 "\",\"sm3\":\"" SM3 "\"," REST,
        BEGIN NAMES "\"sha256\":\"E" SHA256 "\",\"sm3\":\"" SM3 "\"," REST,
    };
    struct ticket ticket;
    for (size_t i = 0; i < countof(BAD); i++)
        assert_int_equal(read_text(&ticket, BAD[i]), -EPROTO);
}

static void capital_digits_would_be_another_name_for_the_same_file(void **state)
{
    (void)state;
    struct ticket ticket;
    char text[] = BEGIN NAMES HASHES REST;
    strstr(text, "e3b0")[0] = 'E';
    assert_int_equal(read_text(&ticket, text), -EPROTO);
}

static void too_many_bytes_are_refused(void **state)
{
    (void)state;
    static char text[TICKET_BYTES_MAX + 2];
    struct ticket ticket;
    memset(text, ' ', TICKET_BYTES_MAX + 1);
    memcpy(text, BEGIN NAMES HASHES REST, strlen(BEGIN NAMES HASHES REST));
    text[TICKET_BYTES_MAX] = '\0';
    assert_int_equal(read_text(&ticket, text), 0);
    text[TICKET_BYTES_MAX] = ' ';
    assert_int_equal(read_text(&ticket, text), -EPROTO);
}

static int look(const char *members)
{
    struct ticket ticket;
    char body[1024];
    assert_int_equal(read_text(&ticket, BEGIN NAMES HASHES REST), 0);
    snprintf(body, sizeof(body), "{\"type\":\"x.y\",\"data\":{%s}}", members);
    return ticket_is_named(&ticket, body, strlen(body));
}

static void an_event_names_the_file_by_its_hash(void **state)
{
    (void)state;
    assert_int_equal(look("\"sha256\":\"" SHA256 "\",\"size\":7"), 1);
    assert_int_equal(look("\"sha256\":\"" SHA256 "\",\"size\":7,\"sm3\":\"" SM3 "\""), 1);
    assert_int_equal(look("\"picture\":\"" SHA256 "\""), 1);
    assert_int_equal(look("\"sha256\":\"" SM3 "\",\"size\":7"), 0);
    assert_int_equal(look("\"other\":\"" SHA256 "\""), 0);
    assert_int_equal(look(""), 0);
}

static void one_that_contradicts_is_told_apart(void **state)
{
    (void)state;
    assert_int_equal(look("\"sha256\":\"" SHA256 "\",\"size\":8"), -EBADMSG);
    assert_int_equal(look("\"sha256\":\"" SHA256 "\",\"sm3\":\"" SHA256 "\""), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_courier_said_is_read),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(capital_digits_would_be_another_name_for_the_same_file),
        cmocka_unit_test(too_many_bytes_are_refused),
        cmocka_unit_test(an_event_names_the_file_by_its_hash),
        cmocka_unit_test(one_that_contradicts_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
