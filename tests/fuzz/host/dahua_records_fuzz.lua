-- dahua_records_fuzz - what must hold for anything that recordFinder answers; see plugin_fuzz.h.
--
-- Nothing raises, rows and their bytes are bounded, a sweep over such pages ends and hands over
-- no row twice, and what becomes an event is what lua/checkin.lua declares. A byte below 32
-- stands for a word that matters.
local answer = require "answer"
local checkin = require "checkin"
local methods = require "methods"
local records = require "records"
local sweep = require "sweep"
local translate = require "translate"

local EVENTS = checkin.events()
local START = 1790640000
local ABOUT = { terminal = "T", offset = 480, methods = methods.of({}, {}), live = false }
local name_of = checkin.naming({}, function(text) return ("%020x"):format(#text) end)

local WORDS = { [0] = "\r\nrecords[0].", "\r\nrecords[1].", "\r\nrecords[2].", "RecNo=",
    "CreateTime=", "1790640100", "1790640200", "1790640200000", "2026-09-29 15:03:09", "UserID=7",
    "Status=",
    "ErrorCode=16", "Method=15", "Error: No Events", "Error\r\nBad Request!", "found=", "1", "2",
    "totalCount=", "\r\nrecords[99999999].", "UTC=", "=", "\r\n", "1790726000", "CardNo=", "Door=",
    "Similarity=", "Type=Entry", "0", "-1", "9223372036854775808", "records[" }

local function expand(bytes)
    return (bytes:gsub("[%z\1-\31]", function(byte) return WORDS[byte:byte()] end))
end

local function check_row(row)
    local record = translate.row(row, ABOUT)
    record.raw = nil
    local told = checkin.meaning(record, name_of)
    assert(EVENTS[told.type].data:check(told.data))
end

-- Sweeps over pages made of the bytes: each answer begins a little later in them.
local function check_sweep(text)
    local asked, met = 0, {}
    local ok = sweep.run({ count = 3,
        ask = function()
            asked = asked + 1
            return records.read(text:sub(asked * 7 % (#text + 1) + 1), 480)
        end,
        is_known = function() return false end,
        done = function() end,
        take = function(rows)
            for _, row in ipairs(rows) do
                local key = ("%s@%s"):format(row.serial or row.raw, row.time)
                met[key] = (met[key] or 0) + 1
                assert(met[key] <= 3, "a row is handed over again and again") -- once a window
            end
        end }, START, START + 2 * 86400)
    assert(asked <= 3 * 400 and (ok or asked >= 1))
end

return function(bytes)
    local text = expand(bytes)
    local page, why = records.read(text, 480)
    assert(page or type(why) == "string")
    for _, row in ipairs(page and page.rows or {}) do
        assert(#row.raw <= 4096 + 48 and (not row.time or row.time > 0))
        check_row(row)
    end
    local said, words = answer.read(text)
    assert(said or type(words) == "string")
    check_sweep(text)
end
