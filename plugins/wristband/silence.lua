-- silence - tells one wristband that went away from a station that hears nothing. Pure.
--
-- Who is not heard for `lost_after` is overdue. Whether that is the wristband's silence or the
-- station's deafness (a jammed or broken radio) is told by the others:
--
--   another was heard within half of lost_after    the station hears: the overdue ones are lost
--   all are overdue                                the station is deaf: one alarm for all
--   between                                        wait; it is decided before lost_after is half
--                                                  over again
--
-- A canary tag, fixed in the office, is one that cannot walk away: with it, wristbands that all
-- leave together are lost one by one as long as the canary is heard. A single wristband without a
-- canary cannot be told from a deaf station and is lost.
local silence = {}

-- bands = list of { tag =, silence = seconds, lost =, canary =, heard = }. Returns the list of tags
-- that are lost now, and whether the station is deaf.
function silence.judge(bands, lost_after)
    local overdue, present, canary, freshest = {}, 0, false, math.huge
    for _, one in ipairs(bands) do
        if not one.lost then
            present = present + 1
            canary = canary or one.canary
            freshest = math.min(freshest, one.silence)
            overdue[#overdue + 1] = one.silence > lost_after and one.tag or nil
        end
    end
    if #overdue == 0 then
        return {}, false
    end
    if freshest <= lost_after / 2 then
        return overdue, false
    end
    if freshest <= lost_after then
        return {}, false
    end
    if present == 1 and not canary then
        return overdue, false
    end
    return {}, true
end

-- Whether a deaf station hears again: anybody was really heard (`heard` seconds ago; `silence` may
-- be excused) within the limit.
function silence.is_over(bands, lost_after)
    for _, one in ipairs(bands) do
        if one.heard <= lost_after then
            return true
        end
    end
    return false
end

return silence
