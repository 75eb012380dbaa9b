-- sources - the ways to a dock. Each module has
--
--   new(host, config) -> line                 line.shown: what people read; line.clock, if known
--   look(line, is_wanted, breathe) -> path -> entry, { more =, passed = }
--   stat(line, path) -> entry                 code "unknown" where only a look tells
--   open(line, path, from, entry) -> reader, entry       reader:read(), reader:close()
--   read(line, path, most) -> bytes           of small files beside footage
--
-- and answers nil, why, code otherwise. An entry is { kind =, size =, time =, within =, clock = }.
local sources = {}

local KINDS = { ["/"] = "source_folder", ftp = "source_ftp", ftps = "source_ftp",
    ftpes = "source_ftp", sftp = "source_ftp", http = "source_http", https = "source_http" }

function sources.of(config)
    local kind = KINDS[config.url:match "^%l+" or config.url:sub(1, 1)]
    local name = config.api == "isapi" and "source_isapi" or kind
    local source = { is_remote = name ~= "source_folder", is_search = name == "source_isapi" }
    for call, fn in pairs(require(name)) do
        source[call] = fn
    end
    return source
end

return sources
