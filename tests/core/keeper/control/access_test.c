/* Who a Unix user is: roles by the configuration, and what no configuration changes. */
#include "keeper/control/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"

static const char BLOCK[] =
    "{\"officer\":[\"zhang\",\"daemon\"],\"social_worker\":[\"li\"],"
    "\"technician\":[\"zhang\"]}";

static int read_block(void **state)
{
    return json_parse((struct json **)state, BLOCK, sizeof(BLOCK) - 1);
}

static int free_block(void **state)
{
    json_free(*state);
    return 0;
}

static void a_name_has_the_roles_it_is_listed_under(void **state)
{
    assert_int_equal(access_roles(*state, "zhang"), ACCESS_OFFICER | ACCESS_TECHNICIAN);
    assert_int_equal(access_roles(*state, "li"), ACCESS_SOCIAL_WORKER);
    assert_int_equal(access_roles(*state, "wang"), 0);
    assert_int_equal(access_roles(*state, "Zhang"), 0);
    assert_int_equal(access_roles(NULL, "zhang"), 0);
}

static void a_block_that_is_none_gives_nothing(void **state)
{
    static const char *const TEXTS[] = {"[]", "7", "{\"officer\":\"zhang\"}",
                                        "{\"officer\":[7,null,{}]}",
                                        "{\"Officer\":[\"zhang\"]}"};
    (void)state;
    for (size_t i = 0; i < countof(TEXTS); i++) {
        struct json *block;
        assert_int_equal(json_parse(&block, TEXTS[i], strlen(TEXTS[i])), 0);
        assert_int_equal(access_roles(block, "zhang"), 0);
        json_free(block);
    }
}

static void the_kernel_says_who_it_is_and_root_is_a_technician(void **state)
{
    struct access_who who;
    access_local(&who, *state, 0);
    assert_string_equal(who.name, "root");
    assert_string_equal(who.via, "local");
    assert_int_equal(who.roles, ACCESS_TECHNICIAN);
    access_local(&who, *state, 1);
    assert_string_equal(who.name, "daemon");
    assert_int_equal(who.roles & ~ACCESS_TECHNICIAN, ACCESS_OFFICER);
}

static void the_user_of_the_keeper_is_a_technician_without_a_block(void **state)
{
    struct access_who who;
    (void)state;
    access_local(&who, NULL, geteuid());
    assert_int_equal(who.roles, ACCESS_TECHNICIAN);
}

static void a_user_without_a_name_is_a_number_and_nobody(void **state)
{
    static const struct {
        int64_t uid;
        const char *name;
    } USERS[] = {{-1, "uid:-1"}, {4242424242, "uid:4242424242"}, {1LL << 40, NULL}};
    for (size_t i = 0; i < countof(USERS); i++) {
        struct access_who who;
        access_local(&who, *state, USERS[i].uid);
        assert_int_equal(who.roles, 0);
        if (USERS[i].name != NULL)
            assert_string_equal(who.name, USERS[i].name);
    }
}

static void roles_have_names_and_words(void **state)
{
    struct buffer words = {0};
    (void)state;
    assert_int_equal(access_role("officer"), ACCESS_OFFICER);
    assert_int_equal(access_role("social_worker"), ACCESS_SOCIAL_WORKER);
    assert_int_equal(access_role("root"), 0);
    assert_string_equal(access_role_name(ACCESS_TECHNICIAN), "technician");
    assert_null(access_role_name(0));
    assert_null(access_role_name(ACCESS_TECHNICIAN | ACCESS_OFFICER));
    access_print_roles(&words, ACCESS_TECHNICIAN | ACCESS_OFFICER);
    assert_string_equal(buffer_text(&words), "an officer or a technician");
    buffer_clear(&words);
    access_print_roles(&words, 0);
    assert_string_equal(buffer_text(&words), "nobody");
    buffer_free(&words);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, read_block, free_block)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_name_has_the_roles_it_is_listed_under),
        cmocka_unit_test(a_block_that_is_none_gives_nothing),
        CASE(the_kernel_says_who_it_is_and_root_is_a_technician),
        cmocka_unit_test(the_user_of_the_keeper_is_a_technician_without_a_block),
        CASE(a_user_without_a_name_is_a_number_and_nobody),
        cmocka_unit_test(roles_have_names_and_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
