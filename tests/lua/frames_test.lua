local crc = require "crc"
local frames = require "frames"
local t = require "testing"

local JT808 = { mark = "\x7e", max = 64,
    escapes = { ["\x7d\x02"] = "\x7e", ["\x7d\x01"] = "\x7d" } }

local function sized(max)
    return frames.sized { head = 3, max = max, length = function(head)
        return head:byte(1) == 0x55 and 3 + (head:byte(2) << 8 | head:byte(3)) or nil
    end }
end

local function headed(max)
    return frames.headed { max = max, length = function(head)
        return tonumber(head:match "L=(%d+)")
    end }
end

local function all_of(reader, pieces)
    local found = {}
    for _, piece in ipairs(pieces) do
        for _, frame in ipairs(reader:feed(piece)) do
            found[#found + 1] = frame
        end
    end
    return found
end

t.test("a_frame_is_the_same_in_whatever_pieces_it_comes", function()
    local cases = {
        { function() return frames.marked(JT808) end, "\x7eab\x7d\x02c\x7e\x7ed\x7d\x01\x7e",
            { "ab\x7ec", "d\x7d" } },
        { function() return frames.lines { max = 64, ending = "\r\n" } end, "one\r\n\r\ntwo\rx\r\n",
            { "one", "", "two\rx" } },
        { function() return sized(64) end, "\x55\0\2ab\x55\0\0\x55\0\1c",
            { "\x55\0\2ab", "\x55\0\0", "\x55\0\1c" } },
        { function() return headed(64) end, "a L=3\r\n\r\n\r\n!\r\n\r\nb L=0\r\n\r\n"
            .. "\r\nc L=1\r\n\r\nx",
            { "a L=3\r\n\r\n\r\n!", "b L=0\r\n\r\n", "c L=1\r\n\r\nx" } },
    }
    for _, case in ipairs(cases) do
        local make, stream, wanted = table.unpack(case)
        for size = 1, #stream do
            local pieces = {}
            for from = 1, #stream, size do
                pieces[#pieces + 1] = stream:sub(from, from + size - 1)
            end
            local reader = make()
            t.equal(all_of(reader, pieces), wanted)
            t.equal(reader.lost, 0)
        end
    end
end)

t.test("frames_are_popped_one_by_one_as_they_were_pushed", function()
    local reader = frames.lines { max = 64 }
    t.equal(reader:pop(), nil)
    reader:push("one\ntwo\nth")
    reader:push("ree\n")
    t.equal({ reader:pop(), reader:pop(), reader:pop() }, { "one", "two", "three" })
    t.equal(reader:pop(), nil)
    for number = 1, 1000 do
        reader:push(("%d\n"):format(number))
        t.equal(reader:pop(), tostring(number))
    end
    t.equal(next(reader.ready), nil) -- nothing piles up
end)

t.test("one_mark_may_end_a_frame_and_begin_the_next", function()
    t.equal(frames.marked(JT808):feed("\x7ea\x7eb\x7e"), { "a", "b" })
end)

t.test("noise_is_counted_and_the_stream_found_again", function()
    local reader = frames.marked(JT808)
    t.equal(reader:feed("noise\x7eab\x7e"), { "ab" })
    t.equal(reader.lost, 5)
    reader = sized(64)
    t.equal(reader:feed("xx\x55\xff\xff\x55\0\1a"), { "\x55\0\1a" })
    t.equal(reader.lost, 5)
end)

t.test("an_escape_of_nothing_makes_no_frame", function()
    local reader = frames.marked(JT808)
    t.equal(reader:feed("\x7ea\x7d\x03b\x7e\x7ec\x7e"), { "c" })
    t.equal(reader:feed("\x7ed\x7d\x7e"), {})
    t.equal(reader.lost > 0, true)
end)

t.test("a_letter_can_be_the_escape", function()
    local reader = frames.marked { mark = "|", escapes = { ["dd"] = "d", ["dp"] = "|" }, max = 16 }
    t.equal(reader:feed("|addbdpc|"), { "adb|c" })
end)

t.test("nothing_longer_than_max_is_kept", function()
    local readers = { frames.marked(JT808), frames.lines { max = 64 }, sized(64), headed(64) }
    for _, reader in ipairs(readers) do
        local sent = 0
        local pieces = { "\x7e" .. ("a"):rep(1000), ("\x55\0\60"):rep(100), ("b"):rep(63) }
        for _, piece in ipairs(pieces) do
            reader:feed(piece)
            sent = sent + #piece
            t.equal(#reader.kept <= 64, true)
        end
        reader:reset()
        t.equal(reader.kept, "")
        t.equal(reader.lost <= sent and reader.lost > 0, true)
    end
end)

t.test("a_frame_of_max_bytes_is_one_and_a_longer_one_is_lost", function()
    local reader = frames.lines { max = 8 }
    t.equal(reader:feed("1234567\n12345678\nok\n"), { "1234567", "ok" })
    t.equal(reader.lost, 9)
    t.equal(reader:feed(("x"):rep(100) .. "\nok\n"), { "ok" })
    t.equal(sized(8):feed("\x55\0\5abcde"), { "\x55\0\5abcde" })
    t.equal(sized(7):feed("\x55\0\5abcde"), {})
    t.equal(frames.marked { mark = "|", max = 4 }:feed("|ab|abc||c|"), { "ab", "c" })
    t.equal(headed(11):feed("L=4\r\n\r\n1234"), { "L=4\r\n\r\n1234" })
    t.equal(headed(10):feed("L=4\r\n\r\n1234"), {})
end)

t.test("a_head_that_tells_no_length_is_dropped_and_counted", function()
    local reader = headed(64)
    t.equal(reader:feed("L=x\r\n\r\nL=1\r\n\r\nz"), { "L=1\r\n\r\nz" })
    t.equal(reader.lost, 7)
end)

-- Real frames of other people's devices, when they are there.
t.test("the_frames_of_real_trackers_are_cut_and_their_checks_are_good", function()
    local file = io.open("../shared/vectors/jt808_more.jsonl")
    if not file then
        print("skipped: ../shared/vectors/jt808_more.jsonl is not here")
        return
    end
    local count = 0
    local reader = frames.marked { mark = JT808.mark, escapes = JT808.escapes, max = 2048 }
    for line in file:lines() do
        local hex = line:match('"hex": "(7e%x+7e)"')
        if hex and line:find('"bcc_ok": true', 1, true) then
            local bytes = hex:gsub("%x%x", function(pair)
                return string.char(tonumber(pair, 16))
            end)
            local found = reader:feed(bytes)
            if bytes:find(JT808.mark, 2, true) == #bytes then -- else the sample is of several
                t.equal(#found, 1)
                t.equal(crc.bcc(found[1]), 0)
                count = count + 1
            end
        end
    end
    file:close()
    t.equal(count > 100, true)
end)

return t.finish()
