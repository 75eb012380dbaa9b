-- Plugins and libraries are pure: no io, os, coroutine or debug. What they may do comes in as
-- `host`. Tests run under plain lua5.4 and may read files.
local pure = {
    "_VERSION", "assert", "error", "getmetatable", "ipairs", "math", "next", "pairs", "pcall",
    "rawequal", "rawget", "rawlen", "rawset", "require", "select", "setmetatable", "string",
    "table", "tonumber", "tostring", "type", "utf8",
}

stds.pure = { read_globals = pure }
std = "pure"
max_line_length = 100
include_files = {
    "lua/**/*.lua", "plugins/**/*.lua", "tests/lua/**/*.lua", "tests/fuzz/**/*.lua", "etc/**/*.lua",
    "docs/**/*.lua",
}

files["docs/**/*.lua"] = { std = "lua54" }
files["tests/lua/**/*.lua"] = { std = "lua54" }
files["**/test/*.lua"] = { std = "lua54" }
files["lua/test/**/*.lua"] = { std = "lua54" }
files["etc/**/*.lua"] = { globals = { "office", "city", "plugin" } }
