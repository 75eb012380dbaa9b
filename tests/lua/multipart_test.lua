local multipart = require "multipart"
local t = require "testing"

local TYPE = "multipart/form-data; boundary=b"

local function bodies(body, kind)
    local parts, why = multipart.parts(body, kind or TYPE)
    local list = {}
    for i, part in ipairs(parts or {}) do
        list[i] = part.body
    end
    return parts and list or why
end

t.test("a_boundary_is_taken_as_it_is_said", function()
    t.equal(multipart.boundary "multipart/mixed; boundary=MIME_boundary", "MIME_boundary")
    t.equal(multipart.boundary 'Multipart/mixed;boundary="a b"; charset=x', "a b")
    t.equal(multipart.boundary "multipart/mixed; boundary=<boundary>", "<boundary>")
    t.equal(multipart.boundary "multipart/mixed;boundary=--mine ; x=y", "--mine")
    t.equal(multipart.boundary 'multipart/mixed; BOUNDARY = "a"; x=y', "a")
    t.equal(multipart.boundary "multipart/mixed; boundary =a", "a")
    t.equal(multipart.boundary "multipart/mixed", nil)
    t.equal(multipart.boundary "application/json; boundary=x", nil)
    t.equal(multipart.boundary("multipart/mixed; boundary=" .. ("x"):rep(201)), nil)
    t.equal(multipart.boundary(nil), nil)
end)

t.test("parts_end_where_the_next_begins_with_either_line_end", function()
    for _, eol in ipairs { "\r\n", "\n" } do
        local body = ("--b|A: 1||one|two|--b||three|--b--|"):gsub("|", eol)
        t.equal(bodies(body), { "one" .. eol .. "two", "three" })
    end
end)

t.test("a_length_counts_more_than_a_delimiter_in_a_picture", function()
    local picture = "\xFF\xD8\r\n--b\r\n\xFF\xD9"
    local body = ("--b\r\nContent-Length: %d\r\n\r\n%s\r\n--b\r\n\r\nx\r\n--b--"):format(#picture,
        picture)
    t.equal(bodies(body), { picture, "x" })
end)

t.test("a_wrong_length_is_not_believed", function()
    for _, length in ipairs { "1", "99999", "-1", "3x", "99999999999999999999" } do
        local body = "--b\r\nContent-Length: " .. length
            .. "\r\n\r\nbody\r\n--b\r\n\r\nx\r\n--b--"
        t.equal(bodies(body), { "body", "x" })
    end
end)

t.test("headers_are_in_small_letters_and_without_blanks", function()
    local parts = multipart.parts("--b\r\nContent-TYPE :  text/plain \r\n\r\n\r\n--b--", TYPE)
    t.equal(parts, { { headers = { ["content-type"] = "text/plain" }, body = "" } })
end)

t.test("a_boundary_with_dashes_may_stand_alone", function()
    local kind = "multipart/mixed; boundary=--b"
    t.equal(bodies("--b\r\n\r\nx\r\n--b--\r\n", kind), { "x" })
    t.equal(bodies("----b\r\n\r\nx\r\n----b--\r\n", kind), { "x" })
end)

t.test("what_is_cut_ends_at_its_end", function()
    t.equal(bodies "--b\r\n\r\nabc", { "abc" })
    t.equal(bodies "--b\r\n\r\nabc\r\n--b", { "abc" })
    t.equal(bodies "--b\r\nA: 1\r\n", {})
    t.equal(bodies "--b", {})
end)

t.test("a_line_that_only_begins_like_a_delimiter_is_none", function()
    t.equal(bodies "--b\r\n\r\n--bx\r\n--b-\r\n--b--", { "--bx\r\n--b-" })
end)

t.test("what_is_no_multipart_is_refused", function()
    t.equal(bodies '{"a":1}', "expected parts behind delimiters, got none")
    t.equal(bodies("--b\r\n\r\nx", "text/plain"),
        "expected a multipart content type with a boundary")
end)

t.test("at_most_64_parts_and_8_KiB_of_headers_are_read", function()
    t.equal(#bodies(("--b\r\n\r\nx\r\n"):rep(100)), 64)
    local long = "--b\r\n" .. ("A: 1\r\n"):rep(2000) .. "\r\nx\r\n--b\r\n\r\ny\r\n--b--"
    t.equal(bodies(long), { "y" })
end)

return t.finish()
