-- ways - how a terminal is heard: which of push, stream and poll really delivers. Pure.
--
-- Terminals promise more than they keep: some save httpHosts and never post, some open a stream
-- and say nothing in it. So a way counts when it has brought a record that was new. A push that
-- delivers is preferred to a stream, because it frees the terminal's only session; what the search
-- finds again and again before both of them takes their word back.
local ways = {}

local MISSED_MAX = 3 -- records that only the search brought, until nobody is believed any more

-- `mode` is "auto", "push", "stream" or "poll"; `can_push`: there is a place to push to.
-- `before` is the way that was found in an earlier life.
function ways.new(mode, can_push, before)
    return { mode = mode, can_push = can_push, missed = 0,
        way = mode ~= "auto" and mode or before }
end

-- A live record came by "push" or "stream"; whether it was news. True when the way changes.
function ways.heard(self, by)
    self.missed = 0
    if self.mode ~= "auto" or self.way == by or self.way == "push" then
        return false
    end
    self.way = by
    return true
end

-- The search has brought so many records that no way had brought in time.
function ways.missed_some(self, count)
    self.missed = count > 0 and self.missed + count or self.missed
    if self.mode ~= "auto" or self.way == "poll" or self.missed < MISSED_MAX then
        return false
    end
    self.missed, self.way = 0, "poll"
    return true
end

-- Whether a stream is wanted: not while a push delivers.
function ways.wants_stream(self)
    return self.mode == "stream" or self.mode == "auto" and self.way ~= "push"
end

function ways.wants_push(self)
    return self.can_push and (self.mode == "push" or self.mode == "auto")
end

-- Whether records come as they happen, so that the search is only what stands behind.
function ways.is_live(self)
    return self.way == "push" or self.way == "stream"
end

-- ---- Heartbeats

local BEATS_KEPT = 8

-- The longest silence that is usual: between two parts of a stream of which the second was a
-- heartbeat, the longest of the last few; `guess` until some are known. In seconds.
function ways.beat(self, silence)
    self.beats = self.beats or {}
    table.insert(self.beats, 1, silence)
    self.beats[BEATS_KEPT + 1] = nil
end

function ways.usual_silence(self, guess)
    local longest = 0
    for _, silence in ipairs(self.beats or {}) do
        longest = math.max(longest, silence)
    end
    return #(self.beats or {}) > 1 and math.max(longest, 1) or guess
end

-- ---- Backing off

-- Waits between attempts: the first, then twice as long each time, up to the last.
function ways.wait_ms(failures, first, last)
    return math.min(last, first << math.min(failures, 20))
end

return ways
