/* What plugins require that is written in C, in their own sandbox; and that a confined process has it.
 * Runs from the root of the tree, where lua/ is. */
#include "host/module/module.h"

#include <dirent.h>
#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/file.h"
#include "host/boundary/confine.h"
#include "host/boundary/sandbox.h"

static const char ISAPI[] = "../shared/vectors/isapi";
static const char GB28181[] = "../shared/vectors/gb28181";

static struct sandbox sandbox = {.library = "lua"};

static int open_sandbox(lua_State *L)
{
    sandbox_open(L, &sandbox);
    return 0;
}

static int new_state(void **state)
{
    lua_State *L = luaL_newstate();
    lua_pushcfunction(L, open_sandbox);
    *state = L;
    return lua_pcall(L, 0, 0, 0);
}

static int close_state(void **state)
{
    lua_close(*state);
    return 0;
}

/* What the chunk returns as texts with blanks between, or its error; `bytes` is its argument. */
static const char *said_of(lua_State *L, const char *chunk, const char *bytes,
                           size_t length)
{
    static struct buffer out;
    buffer_clear(&out);
    lua_settop(L, 0);
    if (luaL_loadstring(L, chunk) == LUA_OK) {
        lua_pushlstring(L, bytes, length);
        lua_pcall(L, 1, LUA_MULTRET, 0);
    }
    int count = lua_gettop(L);
    for (int i = 1; i <= count; i++) {
        buffer_append_text(&out, i == 1 ? "" : " ");
        buffer_append_text(&out, luaL_tolstring(L, i, NULL));
        lua_pop(L, 1);
    }
    return buffer_text(&out);
}

static const char *said(lua_State *L, const char *chunk)
{
    return said_of(L, chunk, "", 0);
}

static void assert_says(lua_State *L, const char *chunk, const char *wanted)
{
    const char *got = said(L, chunk);
    if (strstr(got, wanted) == NULL)
        fail_msg("%s:\nexpected \"%s\"\n     got \"%s\"", chunk, wanted, got);
}

static void json_is_read_and_written(void **state)
{
    lua_State *L = *state;
    assert_string_equal(said(L,
                             "local j = require 'json' local v = j.decode "
                             "'{\"a\":[1,2.5,null],\"b\":\"x\",\"c\":9007199254740993}' "
                             "return v.a[1], v.a[2], v.a[3] == j.null, v.b, v.c"),
                        "1 2.5 true x 9007199254740993");
    assert_string_equal(said(L, "return require('json').encode { 1, 'x', true }"),
                        "[1,\"x\",true]");
    assert_string_equal(said(L, "local j = require 'json' "
                                "return j.encode { a = {} }, j.encode { a = j.array() }"),
                        "{\"a\":{}} {\"a\":[]}");
    assert_string_equal(said(L, "local j = require 'json' return j.encode(j.null), "
                                "j.decode 'null' == j.null"),
                        "null true");
    assert_string_equal(said(L, "return require 'json' == require 'json'"), "true");
}

static void an_empty_array_stays_one_behind_a_schema(void **state)
{
    assert_string_equal(
        said(*state, "local j, schema = require 'json', require 'schema' "
                     "local list = schema.record { a = schema.list(schema.any {}) } "
                     "return j.encode(list:check { a = j.array() }), "
                     "j.encode(list:check(j.decode '{\"a\":[]}')), "
                     "j.encode(list:check { a = { 1 } })"),
        "{\"a\":[]} {\"a\":[]} {\"a\":[1]}");
}

static void foreign_json_never_raises(void **state)
{
    lua_State *L = *state;
    static const char *const BAD[] = {
        "''", "'{'", "'<a/>'", "'[1,]'", "'\\0'", "('['):rep(32) .. (']'):rep(32)"};
    char chunk[100];
    for (size_t i = 0; i < countof(BAD); i++) {
        snprintf(chunk, sizeof(chunk), "return require('json').decode(%s)", BAD[i]);
        assert_says(L, chunk,
                    "nil expected JSON nested at most 31 deep, got something else");
    }
    assert_says(L, "return require('json').decode((' '):rep(1 << 20) .. '1')",
                "nil expected JSON of at most 1048576 bytes, got 1048577");
    assert_says(L, "return require('json').encode(print or pairs)",
                "nil expected a value that JSON can say, got a function");
    assert_says(L, "local t = {} t.t = t return require('json').encode(t)",
                "nested too deep, or in a circle");
    assert_says(L, "return require('json').encode(('x'):rep(1 << 20))", "got too long");
    assert_says(L, "return require('json').decode {}", "string expected, got table");
}

static void gbk_is_read_and_written(void **state)
{
    lua_State *L = *state;
    assert_string_equal(said(L, "return require('gbk').decode '\xd6\xb4\xb7\xa8'"),
                        "\xe6\x89\xa7\xe6\xb3\x95 0");
    assert_string_equal(said(L, "return require('gbk').decode '\xd6'"), "\xef\xbf\xbd 1");
    assert_string_equal(said(L, "return require('gbk').encode '\xe6\x89\xa7'"),
                        "\xd6\xb4 0");
    assert_string_equal(
        said(L, "return require('gbk').encode('\xf0\x9f\x98\x80', 'gbk')"), "? 1");
    assert_says(L, "return require('gbk').encode('x', 'big5')", "invalid option 'big5'");
    assert_says(L, "return require('gbk').decode(('x'):rep(1 << 20) .. 'x')",
                "nil expected a text of at most 1048576 bytes, got 1048577");
    assert_says(L, "return #require('gbk').decode(('x'):rep(1 << 20))", "1048576");
}

static void xml_is_read_as_a_tree(void **state)
{
    lua_State *L = *state;
    assert_string_equal(
        said(L, "local xml = require 'xml' local t, replaced = xml.decode "
                "'<t:R xmlns:t=\"u\" v=\"1\"><L n=\"2\"><I>a</I><I> b </I></L></t:R>' "
                "return t.name, t.attributes.v, #t, t[1][2].text, xml.text(t, 'L/I'), "
                "#xml.all(t, 'L/I'), t.text == '', replaced"),
        "R 1 1 b a 2 true 0");
    assert_says(L, "return require('xml').decode '<a>'", "nil line 1: no element found");
    assert_says(L, "return require('xml').decode('<a/>', { encoding = 'latin' })",
                "nil encoding: expected UTF-8, GB2312, GBK or GB18030, got \"latin\"");
    assert_says(L, "return require('xml').decode '<!DOCTYPE a><a/>'",
                "expected no document type");
    assert_says(L,
                "local t, n = require('xml').decode '<a>\xe6\x89</a>' return t.text, n",
                "\xef\xbf\xbd\xef\xbf\xbd 2");
}

static void xml_is_written_as_it_is_read(void **state)
{
    lua_State *L = *state;
    assert_string_equal(
        said(L, "local xml = require 'xml' "
                "local t = xml.decode '<a x=\"&quot;&#10;\"><b>&lt;&amp;</b><c/></a>' "
                "local again = xml.decode(xml.encode(t)) "
                "return xml.encode(again) == xml.encode(t), again.attributes.x, "
                "again[1].text"),
        "true \"\n <&");
    assert_string_equal(
        said(L, "return require('xml').encode({ name = 'N', text = '\xe6\x89\xa7' }, "
                "{ encoding = 'GB2312' })"),
        "<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<N>\xd6\xb4</N>");
}

static void bytes_are_named_as_the_standards_say(void **state)
{
    lua_State *L = *state;
    assert_string_equal(
        said(L, "local d = require 'digest' return d.sha256 'abc', d.sha256 ''"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad "
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_string_equal(/* GB/T 32905-2016, A.1 and A.2 */
                        said(L, "local d = require 'digest' return d.sm3 'abc', "
                                "d.sm3(('abcd'):rep(16))"),
                        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
                        " "
                        "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c573"
                        "2");
    assert_string_equal(said(L, "return require('digest').md5 'abc'"), /* RFC 1321 */
                        "900150983cd24fb0d6963f7d28e17f72");
    assert_string_equal(/* RFC 4231, 2 and 6: a key longer than a block */
                        said(L,
                             "local d = require 'digest' "
                             "return d.hmac_sha256('Jefe', 'what do ya want for "
                             "nothing?'), "
                             "d.hmac_sha256(('\xaa'):rep(131), "
                             "'Test Using Larger Than Block-Size Key - Hash Key First')"),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
                        " "
                        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f5"
                        "4");
    assert_says(L, "return require('digest').sha256 {}", "string expected, got table");
}

static void base64_is_strict(void **state)
{
    lua_State *L = *state;
    assert_string_equal(said(L, "local d = require 'digest' return d.base64 'any', "
                                "d.base64 'carnal p', d.base64 '', d.unbase64 'YW55' == "
                                "'any', d.unbase64 '' == ''"),
                        "YW55 Y2FybmFsIHA=  true true");
    assert_string_equal(
        said(L, "local d = require 'digest' local all = {} "
                "for i = 0, 255 do all[#all + 1] = string.char(i) end "
                "all = table.concat(all) return d.unbase64(d.base64(all)) == all"),
        "true");
    static const char *const BAD[] = {
        "YW5", "YW55\\n", "YW5=", "Y W5", "YW55====", "\\0"};
    char chunk[100];
    for (size_t i = 0; i < countof(BAD); i++) {
        snprintf(chunk, sizeof(chunk), "return require('digest').unbase64 '%s'", BAD[i]);
        assert_says(L, chunk, "nil expected base64, padded and without white space");
    }
}

/* So many MiB of one letter. */
static const char MUCH[] =
    "local d = require 'digest' local function much(letter, count) "
    "local t = letter:rep(1 << 20) local all = {} "
    "for i = 1, count do all[i] = t end return table.concat(all) end ";

static void base64_takes_what_an_answer_may_have_and_no_more(void **state)
{
    lua_State *L = *state;
    static const struct {
        const char *call, *says;
    } CASES[] = {
        {"return #d.sm3(much('x', 9))", "64"},
        {"return #d.base64(much('x', 8))", "11184812"},
        {"return d.base64(much('x', 8) .. 'x')", "expected at most 8 MiB"},
        {"return #d.unbase64(much('A', 10) .. ('A'):rep(699052))", "8388609"},
        {"return d.unbase64(much('A', 10) .. ('A'):rep(699056))",
         "nil expected base64 of at most 8 MiB, got 11184816"},
    };
    for (size_t i = 0; i < countof(CASES); i++) {
        char chunk[500];
        snprintf(chunk, sizeof(chunk), "%s%s", MUCH, CASES[i].call);
        assert_says(L, chunk, CASES[i].says);
    }
}

static void what_is_packed_is_unpacked_whatever_its_form(void **state)
{
    lua_State *L = *state;
    /* "aaaaaaaaaa" in raw deflate, with the head and the checksum of zlib */
    static const char CHUNK[] =
        "local i = require 'inflate' return i.decode '\\x4b\\x84\\x03\\x00', "
        "(i.decode('\\x78\\x9c\\x4b\\x84\\x03\\x00\\x14\\xe1\\x03\\xcb'))";
    assert_string_equal(said(L, CHUNK), "aaaaaaaaaa aaaaaaaaaa");
    assert_says(L, "return require('inflate').decode('\\x4b\\x84\\x03\\x00', 9)",
                "nil expected what unpacks to at most 9 bytes");
    assert_says(L, "return require('inflate').decode '{\"Code\":1}'",
                "nil expected gzip, zlib or raw deflate to its end");
    assert_says(L, "return require('inflate').decode('', 0)",
                "expected 1 to 8388608 bytes");
}

/* ---- Samples of real devices, which lie beside the project or not at all */

static int each_sample(lua_State *L, const char *folder, const char *ending,
                       const char *chunk, const char *wanted)
{
    DIR *open = opendir(folder);
    const struct dirent *entry;
    int count = 0;
    if (open == NULL) {
        print_message("skipped: %s is not here\n", folder);
        skip();
    }
    while ((entry = readdir(open)) != NULL) {
        size_t length = strlen(entry->d_name);
        char path[300];
        struct buffer bytes = {0};
        if (length < strlen(ending) ||
            strcmp(entry->d_name + length - strlen(ending), ending) != 0)
            continue;
        assert_int_equal(file_join(path, sizeof(path), folder, entry->d_name), 0);
        assert_int_equal(file_read(&bytes, path, 1 << 20), 0);
        const char *got = said_of(L, chunk, bytes.bytes, bytes.length);
        if (strcmp(got, wanted) != 0)
            fail_msg("%s: expected %s, got %s", path, wanted, got);
        buffer_free(&bytes);
        count++;
    }
    closedir(open);
    return count;
}

static const char ROUND_TRIP[] =
    "local xml = require 'xml' local tree, replaced = xml.decode(...) "
    "if not tree then return replaced end "
    "local text = xml.encode(tree) "
    "return xml.encode((xml.decode(text))) == text and replaced";

static void documents_of_isapi_are_read(void **state)
{
    lua_State *L = *state;
    assert_true(each_sample(L, ISAPI, ".xml", ROUND_TRIP, "0") >= 10);
    assert_true(each_sample(L, ISAPI, ".json",
                            "local j = require 'json' local v, why = j.decode(...) "
                            "return v and type(v) or why",
                            "table") >= 10);
}

static void documents_of_gb28181_are_read(void **state)
{
    lua_State *L = *state;
    char path[200];
    assert_true(each_sample(L, GB28181, ".xml", ROUND_TRIP, "0") >= 6);
    static const char *const CATALOGS[] = {
        "gb2312_declared_gb2312", "gb18030_declared_gb18030", "utf8_declared_gb2312"};
    for (size_t i = 0; i < countof(CATALOGS); i++) {
        struct buffer bytes = {0};
        snprintf(path, sizeof(path), "%s/catalog_cn_%s.xml", GB28181, CATALOGS[i]);
        assert_int_equal(file_read(&bytes, path, 1 << 20), 0);
        assert_string_equal(
            said_of(L,
                    "local xml = require 'xml' "
                    "return xml.text(xml.decode(...), 'DeviceList/Item/Name')",
                    bytes.bytes, bytes.length),
            "\xe6\x89\xa7\xe6\xb3\x95\xe8\xae\xb0\xe5\xbd\x95\xe4\xbb\xaa"
            "01");
        buffer_free(&bytes);
    }
}

/* ---- Behind the boundary, as in host run */

static const char USES_ALL[] = "local xml, gbk = require 'xml', require 'gbk' "
                               "local tree = xml.decode '<?xml version=\"1.0\" "
                               "encoding=\"GB2312\"?><a>\xd6\xb4</a>' "
                               "return tree.text == '\xe6\x89\xa7' and "
                               "gbk.encode(tree.text) == '\xd6\xb4' and 'read'";

/* The sanitizer needs more address space than a confined process has. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED 0
#endif

static void skip_when_sanitized(void)
{
    if (SANITIZED)
        skip();
}

/* Runs the chunk in a process with these needs that has been confined; what it said. */
static void confined(const char *needs, const char *chunk, char *out, size_t room)
{
    int fds[2], status;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct confine told;
        struct confine_wish wish = {.folders = {"lua"}};
        struct json *list;
        void *L;
        if (json_parse(&list, needs, strlen(needs)) != 0 || module_load(list) != 0 ||
            confine(&told, &wish) != 0 || new_state(&L) != 0)
            _exit(1);
        const char *text = said(L, chunk);
        ssize_t written = write(fds[1], text, strlen(text));
        _exit(written < 0);
    }
    close(fds[1]);
    ssize_t length = read(fds[0], out, room - 1);
    close(fds[0]);
    out[length > 0 ? length : 0] = '\0';
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void what_the_manifest_needs_is_there_behind_the_boundary(void **state)
{
    char text[300];
    (void)state;
    skip_when_sanitized();
    confined("[\"modbus\",\"gbk\",\"xml\"]", USES_ALL, text, sizeof(text));
    assert_string_equal(text, "read");
    confined("[]", "return require('json').encode { 1 }", text, sizeof(text));
    assert_string_equal(text, "[1]");
    confined("[\"digest\"]", "return #require('digest').sm3 'x'", text, sizeof(text));
    assert_string_equal(text, "64");
    confined("[\"inflate\"]", "return (require('inflate').decode '\\x4b\\x04\\x00')",
             text, sizeof(text));
    assert_string_equal(text, "a");
}

static void what_it_does_not_need_is_refused_with_the_word_to_add(void **state)
{
    char text[300];
    (void)state;
    skip_when_sanitized();
    confined("[\"modbus\"]", "require 'gbk'", text, sizeof(text));
    assert_non_null(
        strstr(text, "require \"gbk\": expected \"gbk\" among the manifest's needs"));
    confined("[\"gbk\"]", "require 'xml'", text, sizeof(text));
    confined("[\"gbk\"]", "require 'digest'", text, sizeof(text));
    assert_non_null(strstr(text, "expected \"digest\" among the manifest's needs"));
    confined("[\"gbk\"]", "require 'xml'", text, sizeof(text));
    assert_non_null(strstr(text, "expected \"xml\" among the manifest's needs"));
}

static void only_words_that_mean_a_module_are_needs(void **state)
{
    (void)state;
    assert_true(module_is_need("xml") && module_is_need("digest"));
    assert_false(module_is_need("json") || module_is_need("modbus"));
}

#define IN_A_STATE(test) cmocka_unit_test_setup_teardown(test, new_state, close_state)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_STATE(json_is_read_and_written),
        IN_A_STATE(an_empty_array_stays_one_behind_a_schema),
        IN_A_STATE(foreign_json_never_raises),
        IN_A_STATE(gbk_is_read_and_written),
        IN_A_STATE(xml_is_read_as_a_tree),
        IN_A_STATE(xml_is_written_as_it_is_read),
        IN_A_STATE(bytes_are_named_as_the_standards_say),
        IN_A_STATE(base64_is_strict),
        IN_A_STATE(base64_takes_what_an_answer_may_have_and_no_more),
        IN_A_STATE(what_is_packed_is_unpacked_whatever_its_form),
        IN_A_STATE(documents_of_isapi_are_read),
        IN_A_STATE(documents_of_gb28181_are_read),
        cmocka_unit_test(what_the_manifest_needs_is_there_behind_the_boundary),
        cmocka_unit_test(what_it_does_not_need_is_refused_with_the_word_to_add),
        cmocka_unit_test(only_words_that_mean_a_module_are_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
