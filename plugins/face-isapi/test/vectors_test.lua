-- What real terminals have said, and what is read from it. The samples are in ../shared/vectors,
-- beside the tree; without them this says so and looks at its own.
local rehearsal = require "rehearsal"
local t = require "testing"
local vectors = require "vectors"

local OURS = rehearsal.folder .. "/test/samples"
local THEIRS = rehearsal.folder .. "/../../../shared/vectors/isapi"

local function check(folder)
    local results, faults, skipped = vectors.check(folder), {}, 0
    for _, one in ipairs(results) do
        skipped = skipped + (one.skipped and 1 or 0)
        if one.fault then
            faults[#faults + 1] = ("%s (%s): %s"):format(one.file, one.kind, one.fault)
        end
    end
    t.equal(faults, {})
    print(("%d samples in %s, %d of them not for this plugin"):format(#results, folder, skipped))
end

t.test("our_own_samples_are_read_as_their_index_says", function() check(OURS) end)

if vectors.check(THEIRS) then
    t.test("samples_of_real_terminals_are_read_as_their_index_says", function() check(THEIRS) end)
    t.test("codes_are_named_as_the_vendor_names_them", function()
        local faults = vectors.codes(THEIRS)
        if faults then
            t.equal(faults, {})
        else
            print "skipped: the vendor's table of codes is not among the samples"
        end
    end)
else
    print("skipped: samples of real terminals, because there is no " .. THEIRS)
end

return t.finish()
