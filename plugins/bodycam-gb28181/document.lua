-- document - where an XML document ends among other bytes. Pure.
--
-- Who sends it may have counted its bytes wrong, or have sent what stood behind it in memory; the
-- document itself says where it ends. No letter of GBK, GB18030 or UTF-8 has "<", "/" or ">" in it.
local document = {}

-- Where the first document from `from` on has its last byte, nil when it has not ended; and where
-- its first element begins, nil when there is none.
function document.ending(bytes, from)
    local begin, root = bytes:match("()<([%a_][%w_.:-]*)", from)
    if not begin then
        return nil
    end
    local _, stop = bytes:find(("</%s%%s*>"):format(root:gsub("[.:-]", "%%%0")), begin)
    return stop, begin
end

return document
