-- porch - hears whoever pushes, behind a login; see ../../capture_story.py.
local schema = require "schema"

local plugin = {
    api = 1,
    name = "porch",
    summary = "Hears whoever pushes.",
    needs = { "serve" },
    config = schema.record { url = schema.text {} },
}

function plugin.start(host, config)
    host.serve.listen(config.url, { user = "me", password = "hunter22", auth = "basic" },
        function(request)
            return { status = 201, headers = { ["X-Heard"] = "yes" }, body = request.body:upper() }
        end)
    return { host = host }
end

return plugin
