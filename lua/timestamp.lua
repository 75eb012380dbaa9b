-- timestamp - seconds since 1970 as RFC 3339 text in UTC: 2026-11-21T03:04:05.123Z.
local timestamp = {}

-- Year, month, day of a day number (0 is 1970-01-01), proleptic Gregorian calendar: years begin
-- in March, so that the leap day is the last of its year.
local function civil(days)
    local shifted = days + 719468
    local era = shifted // 146097
    local of_era = shifted - era * 146097
    local year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    local of_year = of_era - (365 * year + year // 4 - year // 100)
    local month = (5 * of_year + 2) // 153
    local day = of_year - (153 * month + 2) // 5 + 1
    month = month < 10 and month + 3 or month - 9
    return year + era * 400 + (month <= 2 and 1 or 0), month, day
end

-- Milliseconds are cut, not rounded, so a text never lies in the future of its moment.
function timestamp.format(seconds)
    local ms = math.floor(seconds * 1000)
    local year, month, day = civil(ms // 86400000)
    local of_day = ms % 86400000
    return ("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"):format(year, month, day, of_day // 3600000,
        of_day // 60000 % 60, of_day // 1000 % 60, of_day % 1000)
end

return timestamp
