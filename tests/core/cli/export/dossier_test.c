/* What a file is called in an export. The rest of it is tests/stories/custody_story.py. */
#include "cli/export/dossier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const char SHA256[] =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static void expect(const char *data, const char *wanted)
{
    struct json *json = NULL;
    char name[DOSSIER_NAME_MAX + 1], bin[DOSSIER_NAME_MAX + 1];
    snprintf(bin, sizeof(bin), "%s.bin", SHA256);
    if (data != NULL)
        assert_int_equal(json_parse(&json, data, strlen(data)), 0);
    dossier_name(name, json, SHA256);
    assert_string_equal(name, wanted != NULL ? wanted : bin);
    json_free(json);
}

static void it_is_the_last_part_of_its_path(void **state)
{
    (void)state;
    expect("{\"path\":\"ftp://dock/DCIM/20261121/012345_A.mp4\"}", "012345_A.mp4");
    expect("{\"path\":\"a.mp4\"}", "a.mp4");
}

static void what_is_not_harmless_is_called_by_its_hash(void **state)
{
    (void)state;
    expect(NULL, NULL);
    expect("{}", NULL);
    expect("{\"path\":\"\"}", NULL);
    expect("{\"path\":\"a/\"}", NULL);
    expect("{\"path\":\"a/..\"}", NULL);
    expect("{\"path\":\"-rf\"}", NULL);
    expect("{\"path\":\"a b.mp4\"}", NULL);
    expect("{\"path\":\"a\\nb.mp4\"}", NULL);
    expect("{\"path\":\"\xe5\xbd\x95.mp4\"}", NULL);
}

static void a_name_has_a_bound(void **state)
{
    char data[200], name[DOSSIER_NAME_MAX + 2];
    (void)state;
    memset(name, 'a', sizeof(name));
    name[DOSSIER_NAME_MAX] = '\0';
    snprintf(data, sizeof(data), "{\"path\":\"%s\"}", name);
    expect(data, name);
    snprintf(data, sizeof(data), "{\"path\":\"%sa\"}", name);
    expect(data, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_last_part_of_its_path),
        cmocka_unit_test(what_is_not_harmless_is_called_by_its_hash),
        cmocka_unit_test(a_name_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
