local message = require "message"
local t = require "testing"

local function codes(text)
    local list = {}
    for i, event in ipairs(assert(message.read(text))) do
        list[i] = { event.code, event.action, event.index, event.data.UserID }
    end
    return list
end

t.test("the_semicolon_text_is_an_event_with_its_data", function()
    t.equal(codes 'Code=AccessControl;action=Pulse;index=3;data={\n "UserID" : "22" }',
        { { "AccessControl", "Pulse", 3, "22" } })
    t.equal(codes "Code=VideoLoss;action=Start;index=0\r\n", { { "VideoLoss", "Start", 0 } })
end)

t.test("json_is_one_event_a_list_or_a_list_named_events", function()
    local one = '{"Code":"AccessControl","Action":"Pulse","Index":0,"Data":{"UserID":"7"}}'
    local wanted = { { "AccessControl", "Pulse", 0, "7" } }
    t.equal(codes(one), wanted)
    t.equal(codes(("[%s,%s]"):format(one, one)), { wanted[1], wanted[1] })
    t.equal(codes(('{"Events":[%s]}'):format(one)), wanted)
    t.equal(codes '{"code":"A","data":{"UserID":"7"}}', { { "A", nil, nil, "7" } })
end)

t.test("names_that_are_no_json_cost_no_event", function()
    for _, name in ipairs { "a\tb\1", "a\\xb", "\x84\x5C", "a\\\\", 'a\\"b', "\xE7\x8E\x8B\\w" } do
        t.equal({ name, codes('Code=A;action=Pulse;index=0;data={"CardName":"' .. name
            .. '","UserID":"7",}') }, { name, { { "A", "Pulse", 0, "7" } } })
    end
    t.equal({ message.read "HeartBeat\r\n" }, { {}, "heartbeat" })
end)

t.test("a_byte_order_mark_before_it_is_no_part_of_it", function()
    t.equal(codes '\xEF\xBB\xBF{"Code":"A","Data":{"UserID":"7"}}', { { "A", nil, nil, "7" } })
end)

t.test("members_may_stand_beside_the_code_and_data_may_be_a_text", function()
    t.equal(codes '{"Code":"_DoorFace_","action":"Pulse","index":"0","UserID":"7"}',
        { { "_DoorFace_", "Pulse", 0, "7" } })
    t.equal(codes [[{"Code":"A","data":"{\n \"UserID\" : \"7\" }"}]], { { "A", nil, nil, "7" } })
end)

t.test("pairs_are_events_by_their_index", function()
    t.equal(codes("Events[0].Code=AccessControl\r\nEvents[0].Data.UserID=7\r\n"
        .. "Events[1].Code=DoorStatus\r\nEvents[1].Action=Pulse\r\nEvents[1].Data.Status=Open"),
        { { "AccessControl", nil, nil, "7" }, { "DoorStatus", "Pulse" } })
end)

t.test("a_name_in_gbk_does_not_cost_the_event", function()
    t.equal(codes 'Code=A;action=Pulse;index=0;data={"CardName":"\xD5\xC5\xC8\xFD","UserID":"7"}',
        { { "A", "Pulse", 0, "7" } })
    t.equal(codes 'Code=A;action=Pulse;index=0;data={"CardName":"\x95\x5C","UserID":"7"}',
        { { "A", "Pulse", 0, "7" } })
end)

t.test("a_heartbeat_is_a_sign_of_life_and_nothing_else", function()
    t.equal({ message.read " Heartbeat\r\n" }, { {}, "heartbeat" })
end)

t.test("what_is_no_event_says_what_was_expected", function()
    for _, text in ipairs { "", "Error: x", "Code=", "Code=;action=x", "{", '{"a":1}', "[1,2]",
        "[[[[[[[]]]]]]]", "Events[0].Data.UserID=7", "Events[x].Code=1", '{"Code":7}',
        'Code=A;data={"a":}', '{"Code":"a b"}', ('{"Code":"%s"}'):format(("x"):rep(70)) } do
        local events, why = message.read(text)
        t.equal(events, nil)
        t.holds(why:find("expected", 1, true), text)
    end
end)

t.test("a_list_is_bounded", function()
    local one = '{"Code":"A"}'
    t.equal(#message.read("[" .. (one .. ","):rep(500) .. one .. "]"), 64)
    t.equal(#message.read(("Events[0].Code=A\n"):rep(500)), 1)
end)

return t.finish()
