local cutter = require "cutter"
local t = require "testing"

local ONE = 'Code=AccessControl;action=Pulse;index=0;data={"UserID":"1"}'
local TWO = 'Code=AccessControl;action=Pulse;index=0;data={\n   "UserID" : "2",\n'
    .. '   "a" : [ 1, 2 ]\n}'

local function part(text, head)
    return ("--myboundary\r\nContent-Type: text/plain\r\n%s\r\n%s\r\n"):format(
        head or ("Content-Length:%d\r\n"):format(#text), text)
end

-- What comes out however the bytes are split; every split must give the same.
local function cut(bytes, options)
    local function feed(piece)
        local one, texts = cutter.new(options), {}
        local function keep(items)
            for _, item in ipairs(items) do
                texts[#texts + 1] = item.text or { item.picture, item.type }
            end
        end
        for at = 1, #bytes, piece do
            keep(one:feed(bytes:sub(at, at + piece - 1)))
        end
        keep(one:finish())
        return texts, one.dropped
    end
    local whole, dropped = feed(#bytes + 1)
    for piece = 1, math.min(#bytes, 60) do
        t.equal({ feed(piece) }, { whole, dropped })
    end
    return whole, dropped
end

t.test("parts_with_a_length_are_cut_by_it", function()
    t.equal({ cut(part "Heartbeat" .. part(ONE) .. part(TWO)) }, { { "Heartbeat", ONE, TWO }, 0 })
end)

t.test("parts_without_a_length_end_with_their_last_brace", function()
    t.equal({ cut(part("Heartbeat", "") .. part(ONE, "") .. part(TWO, "")) },
        { { "Heartbeat", ONE, TWO }, 0 })
end)

t.test("a_message_without_a_length_is_there_with_its_last_brace", function()
    local one = cutter.new()
    t.equal(one:feed(("--b\r\nContent-Type: text/plain\r\n\r\n%s"):format(TWO)), { { text = TWO } })
end)

t.test("messages_with_nothing_around_them_are_cut_too", function()
    t.equal({ cut("Heartbeat\r\n" .. ONE .. "\r\n" .. TWO .. "\n\nHeartbeat") },
        { { "Heartbeat", ONE, TWO, "Heartbeat" }, 0 })
end)

t.test("braces_and_quotes_in_strings_do_not_count", function()
    local odd = [[Code=A;action=Pulse;index=0;data={"n":"a \"}{\" ;data={ \\","b":"]}"}]]
    t.equal({ cut(odd .. "\n" .. ONE) }, { { odd, ONE }, 0 })
    t.equal({ cut(part(odd, "") .. part(ONE)) }, { { odd, ONE }, 0 })
end)

t.test("a_wrong_length_is_not_believed", function()
    for _, length in ipairs { 1, 20, #TWO - 1, #TWO + 1, #TWO + 30, 9999 } do
        local head = ("Content-Length: %d\r\n"):format(length)
        t.equal({ cut(part(TWO, head) .. part(ONE) .. part "Heartbeat") },
            { { TWO, ONE, "Heartbeat" }, 0 })
    end
end)

t.test("a_message_that_was_cut_off_costs_only_itself", function()
    local open = 'Code=A;action=Pulse;index=0;data={"a":"b'
    for _, broken in ipairs { open, open .. '",', 'Code=A;action=Pulse;index=0;data={"a":' } do
        t.equal({ cut(broken .. "\n" .. ONE) }, { { ONE }, 1 })
        t.equal({ cut(part(broken, "") .. part(ONE)) }, { { ONE }, 1 })
    end
    t.equal({ cut("--myboundary\r\nContent-Type: text/plain\r\n" .. part(ONE)) }, { { ONE }, 0 })
    t.equal({ cut(open) }, { {}, 1 })
end)

t.test("an_event_without_data_ends_with_its_line", function()
    t.equal({ cut("Code=VideoLoss;action=Start;index=0\r\n" .. ONE) },
        { { "Code=VideoLoss;action=Start;index=0", ONE }, 0 })
    t.equal({ cut(part("Code=X;action=Start;index=0", "") .. part(ONE)) },
        { { "Code=X;action=Start;index=0", ONE }, 0 })
end)

t.test("pictures_are_skipped_by_their_length_or_to_the_next_part", function()
    local jpeg = "\xFF\xD8\r\n--myboundar\r\n{\0\xFF\xD9"
    local head = ("--myboundary\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n")
        :format(#jpeg, jpeg)
    t.equal({ cut(head .. part(ONE)) }, { { ONE }, 0 })
    t.equal({ cut(head .. part(ONE), { pictures = true }) }, { { { jpeg, "image/jpeg" }, ONE }, 0 })
    t.equal({ cut("--myboundary\r\nContent-Type: image/jpeg\r\n\r\n" .. jpeg .. "\r\n"
        .. part(ONE)) }, { { ONE }, 0 })
end)

t.test("pairs_end_with_an_empty_line_or_the_next_part", function()
    local text = "Events[0].Code=AccessControl\r\nEvents[0].Data.UserID=7"
    t.equal({ cut(part(text, "") .. part(text)) }, { { text, text }, 0 })
    t.equal({ cut(text .. "\r\n\r\n" .. ONE) }, { { text, ONE }, 0 })
end)

t.test("what_is_too_long_is_dropped_and_what_follows_is_heard", function()
    local long = 'Code=A;action=Pulse;index=0;data={"a":"' .. ("x"):rep(3000) .. '"}'
    t.equal({ cut(part(long) .. part(ONE), { most = 1000 }) }, { { ONE }, 1 })
    t.equal({ cut(part(long, "") .. part(ONE), { most = 1000 }) }, { { ONE }, 1 })
    t.equal({ cut(long .. "\n" .. ONE .. "\n" .. ONE, { most = 1000 }) }, { { ONE, ONE }, 1 })
end)

t.test("no_more_than_the_bound_waits_whatever_comes", function()
    for _, noise in ipairs { "Code=A;action=Pulse;index=0;data={", "--", "--b\r\nA: ", "{", "x",
        "\n", "--b\r\nContent-Type: image/jpeg\r\n\r\n", "--b\r\n\r\nEvents[0].A=", '"' } do
        local one = cutter.new { most = 2000 }
        for _ = 1, 3000 do
            one:feed(noise:rep(7))
            t.holds(#one.rest <= 2000 + 4096 + 7 * #noise, noise)
        end
        local items = one:feed("\r\n\r\n" .. part(ONE) .. part(ONE))
        t.equal(items[#items], { text = ONE })
    end
end)

t.test("other_boundaries_and_bare_line_ends_are_seen", function()
    local text = ("--a b=\nContent-Type: text/plain\nContent-Length: %d\n\n%s\n"):format(#TWO, TWO)
    t.equal({ cut(text .. text .. "--a b=--\n") }, { { TWO, TWO }, 0 })
    t.equal({ cut(part(ONE) .. "--myboundary--\r\n" .. part(ONE)) }, { { ONE, ONE }, 0 })
end)

return t.finish()
