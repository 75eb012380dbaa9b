/* A handler that goes beyond its plugin's budget: it ends, and the plugin goes on or starts anew. */
#include "host/instance/task.h"

#include "host/desk.h"

static bool three_errors(void)
{
    struct buffer text = {0};
    metrics_print(&desk.plugin.metrics, &text, 4000);
    bool is_so = strstr(buffer_text(&text), "\"errors\":3") != NULL;
    buffer_free(&text);
    return is_so;
}

/* Not only the first time: Lua takes the hook from a coroutine that it has ended. */
static void a_runaway_is_stopped_each_time(void **state)
{
    (void)state;
    start(ONE_EVENT, "host.every(1, function() while true do end end)");
    desk.plugin.budget.slice_ms = 40;
    budget_stop(&desk.plugin.budget);
    budget_start(&desk.plugin.budget);
    talk_until(three_errors);
    finish(PLUGIN_ENDED);
}

static void what_a_runaway_would_still_close_is_not_run(void **state)
{
    (void)state;
    start(
        ONE_EVENT,
        "local runs = 0\n"
        "host.every(1, function()\n"
        "  runs = runs + 1\n"
        "  if runs > 3 then host.emit { type = 'x.y', data = { n = runs } } return end\n"
        "  local a <close> = setmetatable({}, { __close = function()\n"
        "    while true do end end })\n"
        "  while true do end\n"
        "end)");
    talk_until(some_events);
    assert_string_equal(desk.data[0], "{\"n\":4}");
    finish(PLUGIN_ENDED);
}

static void a_plugin_that_keeps_all_its_memory_starts_anew(void **state)
{
    (void)state;
    start(ONE_EVENT, "local kept = {}\n"
                     "host.every(1, function()\n"
                     "  for _ = 1, 100 do pcall(function()\n"
                     "    kept[#kept + 1] = ('x'):rep(10000) .. #kept end) end\n"
                     "end)");
    talk_until(ended);
    finish(PLUGIN_BROKEN);
}

/* What it held is let go of before it is given another coroutine. */
static void who_swallows_want_of_memory_is_stopped_each_time(void **state)
{
    (void)state;
    start(ONE_EVENT,
          "host.every(1, function()\n"
          "  local t = {}\n"
          "  while true do pcall(function() while true do t[#t + 1] = {} end end) end\n"
          "end)");
    desk.plugin.budget.most_bytes = 3 << 20;
    talk_until(three_errors);
    finish(PLUGIN_ENDED);
}

static void a_plugin_that_wanted_too_much_once_goes_on(void **state)
{
    (void)state;
    start(ONE_EVENT,
          "local runs = 0\n"
          "host.every(1, function()\n"
          "  runs = runs + 1\n"
          "  if runs > 2 then host.emit { type = 'x.y' } return end\n"
          "  local t = {} while true do t[#t + 1] = ('x'):rep(100000) .. #t end\n"
          "end)");
    talk_until(some_events);
    finish(PLUGIN_ENDED);
}

static void the_insides_of_what_a_plugin_holds_are_hidden(void **state)
{
    (void)state;
    start("['x.y'] = { lane = 'record' } }, needs = { 'modbus'",
          "local bus = host.modbus.open('modbus-tcp://127.0.0.1:1')\n"
          "assert(getmetatable(bus) == false)\n"
          "assert(not pcall(setmetatable, bus, {}))\n"
          "local inside = bus.__index\n"
          "assert(inside == nil and bus.__gc == nil and bus.close ~= nil)\n"
          "local b <close> = bus\n"
          "host.emit { type = 'x.y' }");
    talk_until(has_started);
    assert_int_equal(desk.events, 1);
    finish(PLUGIN_ENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_runaway_is_stopped_each_time),
        cmocka_unit_test(what_a_runaway_would_still_close_is_not_run),
        cmocka_unit_test(a_plugin_that_keeps_all_its_memory_starts_anew),
        cmocka_unit_test(who_swallows_want_of_memory_is_stopped_each_time),
        cmocka_unit_test(a_plugin_that_wanted_too_much_once_goes_on),
        cmocka_unit_test(the_insides_of_what_a_plugin_holds_are_hidden),
    };
    return cmocka_run_group_tests(tests, desk_make_folder, desk_remove_folder);
}
