/* host.folder as a plugin calls it. */
#include "host/bind/bind.h"

#include "host/desk.h"

#include <sys/stat.h>

#include "host/boundary/boundary.h"

static char root[] = "/tmp/outpost-dock-XXXXXX";
static struct boundary boundary; /* which is not raised: only its roots count */

static void put(const char *name, const char *bytes, size_t length)
{
    char path[100];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    assert_int_equal(file_put(path, bytes, length, 0600), 0);
}

static int make_root(void **state)
{
    static char much[100000];
    char path[100];
    (void)state;
    if (mkdtemp(root) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/day", root);
    mkdir(path, 0700);
    memset(much, 'x', sizeof(much));
    put("day/a.mp4", much, sizeof(much));
    put("sn.txt", "012345", 6);
    boundary.roots[0] = root;
    return desk_make_folder(state);
}

static int remove_root(void **state)
{
    char command[100];
    snprintf(command, sizeof(command), "rm -rf %s", root);
    assert_int_equal(system(command), 0);
    return desk_remove_folder(state);
}

static bool has_told(void)
{
    return desk.events > 0;
}

/* Runs the body, in which `root` is the folder, and tells what it returns. */
static void told(const char *body, const char *text)
{
    char code[3000], wanted[300];
    snprintf(code, sizeof(code),
             "local root = '%s'\n"
             "local function run()\n%s\nend\n"
             "host.after(100, function()\n"
             "local list = { pcall(run) }\n"
             "for i = 1, 6 do list[i] = tostring(list[i]) end\n"
             "host.emit { type = 'x.y', data = { t = table.concat(list, '|', 2) } }\n"
             "end)",
             root, body);
    desk_start("'folder'", 0, ONE_EVENT, code);
    talk_until(has_started);
    desk.plugin.boundary = &boundary;
    talk_until(has_told);
    snprintf(wanted, sizeof(wanted), "{\"t\":\"%s\"}", text);
    assert_string_equal(desk.data[0], wanted);
    finish(PLUGIN_ENDED);
}

static void a_folder_is_told_as_a_file_servers_is(void **state)
{
    (void)state;
    told("local list = host.folder.list(root)\n"
         "table.sort(list, function(a, b) return a.name < b.name end)\n"
         "local a, b = list[1], list[2]\n"
         "return #list, a.name .. a.kind .. tostring(a.size), b.name .. b.kind .. "
         "b.size,\n"
         "math.type(b.time), host.folder.stat(root .. '/sn.txt').size",
         "2|dayfoldernil|sn.txtfile6|integer|6");
}

static void a_file_is_read_in_pieces_from_anywhere(void **state)
{
    (void)state;
    told("local file, fact = host.folder.open(root .. '/day/a.mp4', { from = 10 })\n"
         "local a, b = file:read(), file:read(1000)\n"
         "local rest = file:read(1 << 20)\n"
         "local _, why, code = file:read()\n"
         "file:close()\n"
         "return #a, #b, #rest, code, select(3, file:read())",
         "65536|1000|33454|closed|closed");
}

static void a_small_file_is_read_at_once_and_a_big_one_is_not(void **state)
{
    (void)state;
    told("local bytes, fact = host.folder.read(root .. '/sn.txt', { most = 6 })\n"
         "return bytes, fact.size, select(3, host.folder.read(root .. '/sn.txt', { most "
         "= 5 })),\n"
         "#host.folder.read(root .. '/day/a.mp4')",
         "012345|6|too_big|100000|nil");
}

static void what_may_not_be_read_says_why_without_its_path(void **state)
{
    (void)state;
    told("local _, why, code = host.folder.list('/etc')\n"
         "return why, code, select(3, host.folder.open(root .. '/none')),\n"
         "select(3, host.folder.stat(root .. '/../x')), "
         "select(3, host.folder.open(root .. '/sn.txt', { from = 7 }))",
         "folder: the configuration names no folder above it|denied|missing|argument|"
         "argument");
}

static void wrong_arguments_raise(void **state)
{
    (void)state;
    told("local well = pcall(host.folder.list)\n"
         "local zero = pcall(host.folder.list, root .. '\\0')\n"
         "local option = pcall(host.folder.open, root .. '/sn.txt', { form = 1 })\n"
         "local from = pcall(host.folder.open, root .. '/sn.txt', { from = -1 })\n"
         "local file <close> = host.folder.open(root .. '/sn.txt')\n"
         "return well, zero, option, from, (pcall(file.read, file, 0))",
         "false|false|false|false|false");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_told_as_a_file_servers_is),
        cmocka_unit_test(a_file_is_read_in_pieces_from_anywhere),
        cmocka_unit_test(a_small_file_is_read_at_once_and_a_big_one_is_not),
        cmocka_unit_test(what_may_not_be_read_says_why_without_its_path),
        cmocka_unit_test(wrong_arguments_raise),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
