local timestamp = require "timestamp"
local t = require "testing"

t.test("known_moments_are_written_as_rfc_3339", function()
    t.equal(timestamp.format(0), "1970-01-01T00:00:00.000Z")
    t.equal(timestamp.format(951782399.5), "2000-02-28T23:59:59.500Z")
    t.equal(timestamp.format(951782400), "2000-02-29T00:00:00.000Z")
    t.equal(timestamp.format(1795230245.1239), "2026-11-21T03:04:05.123Z")
end)

t.test("every_day_of_two_centuries_agrees_with_the_c_library", function()
    for day = -25000, 48000, 13 do
        local seconds = day * 86400 + 3661
        t.equal(timestamp.format(seconds), os.date("!%Y-%m-%dT%H:%M:%S.000Z", seconds))
    end
end)

return t.finish()
