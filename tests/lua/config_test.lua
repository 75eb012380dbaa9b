local config = require "config"
local schema = require "schema"
local t = require "testing"

local MANIFEST = {
    api = 1, name = "wristband", needs = { "modbus" },
    config = schema.record {
        url = schema.text { max = 80 },
        low_battery = schema.integer { min = 0, max = 100, default = 25 },
        profile = schema.sheet { names = { "alpha" }, folder = "profiles", optional = true,
            check = function(sheet) return sheet end },
        station = schema.text { optional = true },
    },
    check = function(checked)
        if checked.station and not checked.profile then
            return 'station: expected a profile with it, got "' .. checked.station .. '"'
        end
    end,
    events = { ["wristband.seen"] = { lane = "telemetry" } },
}

local NEEDS = { mistyped = { "modbus", "serail" }, foreign = { "gbk", "telepathy" },
    named = { modbus = true }, loud = { "Modbus" }, numbered = { 7 }, texted = "modbus",
    needy = { "serial", "gbk" } }

-- The plugins that there are.
local function found(name)
    if name == "wristband" then
        return MANIFEST, "/plugins/wristband"
    elseif name == "asked" then
        return { api = 1, name = "asked", config = schema.record {},
            actions = { forget = { role = "technician", doc = "d", run = print } },
            views = { bands = { role = { "officer" }, doc = "d", run = print } } },
            "/plugins/asked"
    elseif name == "deaf" then
        return { api = 1, name = "deaf", config = schema.record {},
            actions = { forget = { role = "anybody", doc = "d", run = print } } },
            "/plugins/deaf"
    elseif NEEDS[name] then
        return { api = 1, name = name, config = schema.record {}, needs = NEEDS[name] },
            "/plugins/" .. name
    elseif name == "recorder" then
        return { api = 1, name = "recorder",
            config = schema.record { record = schema.text {} } }, "/plugins/recorder"
    elseif name == "broken" then
        return { api = 2, name = "broken" }, "/plugins/broken"
    elseif name == "second" or name == "halved" then
        return { api = 1, name = name, config = schema.record {},
            state = name == "second" and 2 or 0.5 }, "/plugins/" .. name
    elseif name == "forger" or name == "keeper" then
        return { api = 1, name = name, config = schema.record {},
            events = { ["journal.thinned"] = { lane = "record" } } }, "/plugins/" .. name
    end
    return nil, "there is no folder /plugins/" .. name
end

-- Runs the text as the host does: as a chunk with nothing but the configuration's words.
local function read(text)
    local function where()
        for level = 2, 20 do
            local at = debug.getinfo(level, "Sl")
            if at and at.source == "@outpost.lua" then
                return "outpost.lua:" .. at.currentline
            end
        end
        return "outpost.lua:1"
    end
    local env, finish = config.begin {
        where = where, text = text,
        plugin = function(name)
            local manifest, folder = found(name)
            if manifest then
                manifest.start = manifest.start or print
            end
            return manifest, folder
        end,
        names = function() return { "wristband", "example" } end,
        needs = function() return { "modbus", "serial", "gbk" } end,
        zone = function(name) return name == "Asia/Shanghai" or name == "UTC" end,
        path = function(path) return path:find("^/") and path or "/etc/outpost/" .. path end,
        sheet = function(path)
            if path == "/plugins/wristband/profiles/alpha.lua" or path == "/etc/outpost/my.lua" then
                return { from = path }
            end
            return nil, "there is no file " .. path
        end,
    }
    local chunk = assert(load(text, "@outpost.lua", "t", env))
    chunk()
    return finish()
end

local OFFICE = 'office { id = "350105-003" }\n'

local function refuses(text, ...)
    local checked, errors = read(text)
    t.equal(checked, nil)
    t.equal(errors, { ... })
end

t.test("a_whole_configuration_becomes_one_table", function()
    local checked, errors = read [[
office { id = "350105-003", name = "demo", timezone = "Asia/Shanghai" }
city { url = "mqtts://city.example:8883", verifier = "city.pub", ca = "ca.pem",
       cert = "office.pem", key = "/keys/office.key" }
plugin "wristband" "gate" { url = "a", profile = "alpha" }
plugin "wristband" "yard" { url = "b", profile = "/etc/outpost/my.lua", low_battery = 5 }
]]
    t.equal(errors, nil)
    t.equal(checked, {
        office = { id = "350105-003", name = "demo", timezone = "Asia/Shanghai" },
        city = { url = "mqtts://city.example:8883", verifier = "/etc/outpost/city.pub",
            ca = "/etc/outpost/ca.pem", cert = "/etc/outpost/office.pem",
            key = "/keys/office.key" },
        plugins = {
            { plugin = "wristband", instance = "gate", folder = "/plugins/wristband",
                needs = { "modbus" }, events = { ["wristband.seen"] = "telemetry" }, paths = {},
                config = { url = "a", low_battery = 25,
                    profile = { from = "/plugins/wristband/profiles/alpha.lua" } } },
            { plugin = "wristband", instance = "yard", folder = "/plugins/wristband",
                needs = { "modbus" }, events = { ["wristband.seen"] = "telemetry" },
                paths = { "/etc/outpost/my.lua" },
                config = { url = "b", low_battery = 5,
                    profile = { from = "/etc/outpost/my.lua" } } },
        },
    })
end)

t.test("every_plugin_may_have_its_devices_recorded", function()
    local text = OFFICE .. 'plugin "wristband" "a" { url = "a", record = %s }'
    local plugin = assert(read(text:format "true")).plugins[1]
    t.equal({ plugin.record, plugin.config.record }, { true })
    t.equal(assert(read(text:format "false")).plugins[1].record, nil)
    refuses(text:format '"yes"',
        'outpost.lua:2: plugin "wristband" "a": record: expected true or false, got "yes"')
    refuses(OFFICE .. 'plugin "recorder" "a" { record = "x" }',
        'outpost.lua:2: plugin: expected the name of a plugin, got "recorder" (its manifest '
        .. "declares the setting record, which every plugin has)")
end)

t.test("what_may_be_opened_is_what_the_configuration_says_and_no_default", function()
    local function paths(url, more)
        local text = OFFICE .. 'plugin "wristband" "a" { url = "%s", %s }'
        return assert(read(text:format(url, more or ""))).plugins[1].paths
    end
    t.equal(paths "modbus-tcp://10.0.0.1/x", {})
    t.equal(paths "/mnt/dock", { "/mnt/dock" })
    t.equal(paths("x:///dev/b?c", 'station = "/a", profile = "alpha"'), { "/a", "x:///dev/b?c" })
end)

t.test("a_path_with_a_dot_names_the_users_own_sheet", function()
    local text = OFFICE .. 'plugin "wristband" "a" { url = "a", profile = "my.lua" }'
    local checked = assert(read(text))
    t.equal(checked.plugins[1].config.profile, { from = "/etc/outpost/my.lua" })
end)

t.test("an_office_and_nothing_else_is_enough", function()
    t.equal(assert(read(OFFICE)).plugins, {})
end)

t.test("an_error_names_the_line_of_its_setting", function()
    refuses(OFFICE .. 'plugin "wristband" "gate" {\n    url = "a",\n    low_battery = "low",\n}\n',
        'outpost.lua:4: plugin "wristband" "gate": low_battery: expected an integer, at least 0, '
        .. 'at most 100, got "low"')
    refuses(OFFICE .. 'plugin "wristband" "gate" {\n    url = "a",\n    ["low_batery"] = 3,\n}\n',
        'outpost.lua:4: plugin "wristband" "gate": low_batery: expected a known name, perhaps '
        .. '"low_battery", got 3')
end)

t.test("what_is_not_set_is_told_at_the_statement", function()
    refuses(OFFICE .. 'plugin "wristband" "gate" {\n}\nplugin "wristband" "yard" { url = "a" }',
        'outpost.lua:2: plugin "wristband" "gate": url: expected a text of at most 80 bytes, '
        .. "got nothing")
end)

t.test("a_time_zone_must_be_one_that_the_machine_knows", function()
    refuses('office {\n id = "a",\n timezone = "Asia/Shangai" }', 'outpost.lua:3: office: '
        .. 'timezone: expected a time zone of this machine (package tzdata), such as '
        .. '"Asia/Shanghai", got "Asia/Shangai"')
    t.equal(read('office { id = "a", timezone = "UTC" }').office.timezone, "UTC")
    t.equal(read('office { id = "a", suite = "sm3+sm2" }').office.suite, "sm3+sm2")
end)

t.test("the_office_must_be_there_once_and_well_named", function()
    refuses("local x = 1", 'outpost.lua:1: office: expected office { id = "..." }, got nothing')
    refuses('office { id = "a/b" }', 'outpost.lua:1: office: id: expected an id of 1 to 32 letters,'
        .. ' digits, "-", "_" or ":", got "a/b"')
    refuses('office { id = "a", timezone = "+8" }',
        'outpost.lua:1: office: timezone: expected a time zone such as "Asia/Shanghai", got "+8"')
    refuses(OFFICE .. OFFICE,
        "outpost.lua:2: office: expected once, got it again; the first is at outpost.lua:1")
end)

t.test("room_is_counted_in_powers_of_1024_with_defaults", function()
    local function storage(text)
        return assert(read(OFFICE .. text)).storage
    end
    t.equal(storage(""), nil)
    t.equal(storage("storage { }"), { quota = 4 << 30, reserve = 64 << 20,
        keep = { telemetry = 7 * 86400000 },
        blobs = { quota = 4 << 30, reserve = 256 << 20 } })
    t.equal(storage('storage { quota = "64MB", reserve = "16MB", keep = { telemetry = "12h" }, '
        .. 'blobs = { quota = "16MB", reserve = "0MB" } }'),
        { quota = 64 << 20, reserve = 16 << 20, keep = { telemetry = 43200000 },
            blobs = { quota = 16 << 20, reserve = 0 } })
    t.equal(storage('storage { quota = "65536GB" }').quota, 1 << 46)
end)

t.test("what_a_plugin_may_say_is_limited_and_set_in_bytes", function()
    local function limits(text)
        return assert(read(OFFICE .. text)).limits
    end
    t.equal(limits(""), nil)
    t.equal(limits("limits { }"), { messages = 2000, bytes = 2 << 20 })
    t.equal(limits('limits { messages = 200, bytes = "64KB" }'),
        { messages = 200, bytes = 64 << 10 })
    refuses(OFFICE .. 'limits { bytes = "63KB" }', 'outpost.lua:2: limits: bytes: expected 64KB to '
        .. '1024MB, got "63KB"')
    refuses(OFFICE .. 'limits { bytes = "9999999999999999MB" }', 'outpost.lua:2: limits: bytes: '
        .. 'expected a size such as "512KB" or "2MB", got "9999999999999999MB"')
    refuses(OFFICE .. "limits { messages = 199 }", "outpost.lua:2: limits: messages: expected an "
        .. "integer, at least 200, at most 1000000, got 199")
end)

t.test("a_trial_has_a_default_and_bounds", function()
    t.equal(assert(read(OFFICE)).update, nil)
    t.equal(assert(read(OFFICE .. "update { }")).update, { trial = 90000 })
    t.equal(assert(read(OFFICE .. 'update { trial = "2s" }')).update, { trial = 2000 })
    refuses(OFFICE .. 'update { trial = "1s" }', "outpost.lua:2: update: trial: expected a "
        .. 'duration such as "250ms", "10s", "5m", "2h", at least 2s, at most 1h, got "1s"')
end)

t.test("the_state_of_a_plugin_is_a_whole_number", function()
    local function manifest(name)
        return 'plugin "' .. name .. '" "gate" { }'
    end
    t.equal(assert(read(OFFICE .. manifest "second")).plugins[1].state, 2)
    refuses(OFFICE .. manifest "halved", 'outpost.lua:2: plugin: expected the name of a plugin, '
        .. 'got "halved" (its manifest has state = 0.5, expected a whole number, at least 0)')
end)

t.test("room_that_cannot_be_meant_is_refused", function()
    local block = OFFICE .. "storage { "
    refuses(block .. 'quota = "63MB" }', 'outpost.lua:2: storage: quota: expected 64MB to 65536GB, '
        .. 'got "63MB"')
    refuses(block .. 'quota = "65537GB" }', 'outpost.lua:2: storage: quota: expected 64MB to '
        .. '65536GB, got "65537GB"')
    refuses(block .. 'quota = "9999999999999GB" }', 'outpost.lua:2: storage: quota: expected 64MB '
        .. 'to 65536GB, got "9999999999999GB"')
    refuses(block .. 'blobs = { quota = "15MB" } }', 'outpost.lua:2: storage: blobs.quota: '
        .. 'expected 16MB to 65536GB, got "15MB"')
    refuses(block .. 'blobs = { quota = "500MB" } }', 'outpost.lua:2: storage: blobs.reserve: '
        .. 'expected at most half of blobs.quota ("500MB"), got "256MB"')
    refuses(block .. 'reserve = "7MB" }', 'outpost.lua:2: storage: reserve: expected 8MB to a '
        .. 'quarter of quota ("4GB"), got "7MB"')
    refuses(block .. 'quota = "64MB", reserve = "17MB" }', 'outpost.lua:2: storage: reserve: '
        .. 'expected 8MB to a quarter of quota ("64MB"), got "17MB"')
    refuses(block .. 'quota = 4000 }', 'outpost.lua:2: storage: quota: expected a size such as '
        .. '"512MB" or "4GB", got 4000')
    refuses(block .. 'quota = "4gb" }', 'outpost.lua:2: storage: quota: expected a size such as '
        .. '"512MB" or "4GB", got "4gb"')
    refuses(block .. '}\nstorage { }', "outpost.lua:3: storage: expected once, got it again; the "
        .. "first is at outpost.lua:2")
end)

t.test("the_city_is_encrypted_wholly_or_not_at_all", function()
    local city = OFFICE .. 'city { verifier = "v", '
    refuses(city .. 'url = "http://a" }', "outpost.lua:2: city: url: expected mqtt://host[:port] "
        .. 'or mqtts://host[:port], got "http://a"')
    refuses(city .. 'url = "mqtt://a:99999" }', "outpost.lua:2: city: url: expected "
        .. "mqtt[s]://host or mqtt[s]://host:port with a port of 1 to 65535, got "
        .. '"mqtt://a:99999"')
    refuses(city .. 'url = "mqtts://a" }', "outpost.lua:2: city: ca: expected the path of a file, "
        .. "because url is mqtts://, got nothing")
    refuses(city .. 'url = "mqtt://a", ca = "x" }',
        'outpost.lua:2: city: ca: expected an mqtts:// url with it, got "mqtt://a"')
    refuses(city .. 'url = "mqtts://a", ca = "x", cert = "y" }',
        "outpost.lua:2: city: key: expected to be set together with cert, got nothing")
    refuses(city .. 'url = "mqtts://a", ca = "x", cert = "y", key = "z", bulk_cert = "b" }',
        "outpost.lua:2: city: bulk_key: expected to be set together with bulk_cert, got nothing")
    refuses(city .. 'url = "mqtts://a", ca = "x", bulk_cert = "y", bulk_key = "z" }',
        "outpost.lua:2: city: cert: expected to be set together with bulk_cert, got nothing")
    t.equal(assert(read(city .. 'url = "mqtts://a", ca = "x", cert = "/c", key = "/k", '
        .. 'bulk_cert = "b", bulk_key = "/z" }')).city.bulk_cert, "/etc/outpost/b")
    refuses(city .. 'url = "mqtt://a", username = "x" }',
        "outpost.lua:2: city: password_file: expected to be set together with username, "
        .. "got nothing")
    refuses(OFFICE .. 'city { url = "mqtt://a" }', "outpost.lua:2: city: verifier: expected the "
        .. "path of the city's public key file, got nothing")
    t.equal(assert(read(city .. 'url = "mqtt://[::1]:1883" }')).city.url, "mqtt://[::1]:1883")
end)

local COURIER = OFFICE .. 'city { url = "mqtt://a", verifier = "v" }\ncourier { ca = "ca.pem", '

t.test("uploads_have_their_server_their_classes_and_their_hours", function()
    local function courier(text)
        return assert(read(COURIER .. text)).courier
    end
    t.equal(assert(read(OFFICE)).courier, nil)
    t.equal(courier 'url = "https://c:8443/files/" }', { url = "https://c:8443/files/",
        receipts = "https://c:8443/receipts/", ca = "/etc/outpost/ca.pem",
        select = { "important", "case" } })
    t.equal(courier('url = "https://c/a/files/", select = { "ordinary" }, hours = { '
        .. '"22:00-06:00 4Mbit/s", "06:00-22:00 512kbit/s", "00:00-24:00", '
        .. '"20:00-00:00" } }').hours,
        { { from = 1320, ["until"] = 360, rate = 4000000 },
            { from = 360, ["until"] = 1320, rate = 512000 },
            { from = 0, ["until"] = 1440, rate = 0 }, { from = 1200, ["until"] = 1440, rate = 0 } })
    t.equal(courier('url = "https://c/", receipts = "https://c/r/" }').receipts, "https://c/r/")
end)

t.test("uploads_that_cannot_be_meant_are_refused", function()
    local at = "outpost.lua:3: courier: "
    refuses(COURIER .. 'url = "http://c/files/" }', at .. "url: expected "
        .. 'https://host[:port]/folder/, got "http://c/files/"')
    refuses(COURIER .. 'url = "https://c/files" }', at .. "url: expected "
        .. 'https://host[:port]/folder/ that ends with "/", got "https://c/files"')
    refuses(COURIER .. 'url = "https://c:0/files/" }', at .. "url: expected "
        .. 'https://host[:port]/folder/ that ends with "/", got "https://c:0/files/"')
    refuses(COURIER .. 'url = "https://c/" }', at .. 'receipts: expected to be set, because url '
        .. '"https://c/" has no folder to be beside')
    refuses(COURIER .. 'url = "https://c/f/", cert = "x" }', at .. "key: expected to be set "
        .. "together with cert, got nothing")
    refuses(COURIER .. 'url = "https://c/f/", select = { "all" } }', at .. "select.1: expected "
        .. 'one of "picture", "capture", "ordinary", "important", "case", got "all"')
    for _, wrong in ipairs { "24:00-01:00", "06:00-06:00", "06:60-07:00", "06:00-24:01",
        "06:00-07:00 1kbit/s", "06:00-07:00 4Mbit", "06:00-07:00  4Mbit/s" } do
        refuses(COURIER .. 'url = "https://c/f/", hours = { "' .. wrong .. '" } }', at .. "hours: "
            .. 'expected HH:MM-HH:MM of a day and 16kbit/s to 1000Mbit/s, got "' .. wrong .. '"')
    end
    refuses(COURIER .. 'url = "https://c/f/", hours = { "nights" } }', at .. "hours.1: expected "
        .. '"22:00-06:00 4Mbit/s" or "22:00-06:00", got "nights"')
    refuses(OFFICE .. 'courier { ca = "x", url = "https://c/f/" }', "outpost.lua:2: courier: "
        .. "expected city { ... } beside it, whose key signs the receipts, got nothing")
end)

t.test("names_of_the_appliances_own_programs_are_no_names_of_instances", function()
    refuses(OFFICE .. 'plugin "wristband" "courier" { }', 'outpost.lua:2: plugin "wristband": '
        .. [[expected another instance name: "courier" is the appliance's own]])
end)

t.test("the_bandwidth_is_told_in_bits_a_second", function()
    local city = OFFICE .. 'city { verifier = "v", url = "mqtt://a", bandwidth = '
    t.equal(assert(read(city .. '"512kbit/s" }')).city.bandwidth, 512000)
    t.equal(assert(read(city .. '"16kbit/s" }')).city.bandwidth, 16000)
    t.equal(assert(read(city .. '"1000Mbit/s" }')).city.bandwidth, 1000000000)
    local expected = "outpost.lua:2: city: bandwidth: expected "
    for _, wrong in ipairs { "15kbit/s", "1001Mbit/s", "0kbit/s", "999999999kbit/s" } do
        refuses(city .. '"' .. wrong .. '" }',
            expected .. '16kbit/s to 1000Mbit/s, got "' .. wrong .. '"')
    end
    for _, wrong in ipairs { "512", "512 kbit/s", "-1kbit/s", "1.5Mbit/s", "1kB/s" } do
        refuses(city .. '"' .. wrong .. '" }',
            expected .. '"512kbit/s" or "2Mbit/s", got "' .. wrong .. '"')
    end
end)

t.test("a_plugin_that_is_not_there_is_guessed", function()
    refuses(OFFICE .. 'plugin "wristbnd" "gate" { }', 'outpost.lua:2: plugin: expected the name of '
        .. 'a plugin, perhaps "wristband", got "wristbnd" (there is no folder /plugins/wristbnd)')
    refuses(OFFICE .. 'plugin "broken" "gate" { }', "outpost.lua:2: plugin: expected the name of "
        .. 'a plugin, got "broken" (its manifest has api = 2, name = "broken", expected api = 1, '
        .. 'name = "broken")')
end)

t.test("what_the_appliance_records_itself_no_plugin_may", function()
    refuses(OFFICE .. 'plugin "forger" "a" { }', 'outpost.lua:2: plugin: expected the name of a '
        .. 'plugin, got "forger" (its manifest declares the event "journal.thinned", which only '
        .. "the appliance records)")
    refuses(OFFICE .. 'plugin "keeper" "a" { }', 'outpost.lua:2: plugin: expected the name of a '
        .. 'plugin, got "keeper" (that name is the appliance\'s own)')
end)

t.test("an_instance_is_named_well_and_once", function()
    refuses(OFFICE .. 'plugin "wristband" "Gate 1" { url = "a" }', 'outpost.lua:2: plugin '
        .. '"wristband": expected an instance name of 1 to 32 small letters, digits, "-" or "_", '
        .. 'got "Gate 1"')
    refuses(OFFICE .. 'plugin "wristband" "a" { url = "a" }\nplugin "wristband" "a" { url = "b" }',
        'outpost.lua:3: plugin "wristband" "a": expected an instance name not used yet, got the '
        .. "one used at outpost.lua:2")
    refuses(OFFICE .. 'plugin "wristband" "a" { url = "a" }\nplugin "other" "a" { }',
        'outpost.lua:3: plugin "other" "a": expected an instance name not used yet, got the '
        .. "one used at outpost.lua:2")
    refuses(OFFICE .. 'plugin "wristband" { url = "a" }', 'outpost.lua:2: plugin "wristband": '
        .. "expected an instance name before the settings, got a table")
    refuses(OFFICE .. 'plugin "wristband" "gate"', 'outpost.lua:2: plugin "wristband": expected '
        .. '"instance" { settings }, got no settings')
    refuses(OFFICE .. "plugin(7)", "outpost.lua:2: plugin: expected a name, got 7")
end)

t.test("a_plugin_may_check_what_its_settings_say_together", function()
    refuses(OFFICE .. 'plugin "wristband" "a" {\n url = "a",\n station = "7" }',
        'outpost.lua:4: plugin "wristband" "a": station: expected a profile with it, got "7"')
end)

t.test("a_sheet_that_is_not_there_is_told", function()
    local _, errors = read(OFFICE .. 'plugin "wristband" "a" { url = "a", profile = "x/y.lua" }')
    t.holds(errors[1]:find("there is no file /etc/outpost/x/y.lua", 1, true), errors[1])
    _, errors = read(OFFICE .. 'plugin "wristband" "a" { url = "a", profile = "alpa" }')
    t.holds(errors[1]:find('perhaps "alpha"', 1, true), errors[1])
    _, errors = read(OFFICE .. 'plugin "wristband" "a" { url = "a", profile = "../secret" }')
    t.holds(errors[1]:find("there is no file /etc/outpost/../secret", 1, true), errors[1])
end)

t.test("all_errors_come_at_once", function()
    local _, errors = read('office { id = "" }\ncity { }\nplugin "x" "y" { }\n')
    t.equal(#errors, 4)
end)

t.test("what_a_plugin_can_be_asked_for_goes_to_the_keeper", function()
    local plugin = assert(read(OFFICE .. 'plugin "asked" "a" {}')).plugins[1]
    t.equal(plugin.actions, { forget = { roles = { "technician" }, doc = "d" } })
    t.equal(plugin.views, { bands = { roles = { "officer" }, doc = "d" } })
    refuses(OFFICE .. 'plugin "deaf" "d" {}', 'outpost.lua:2: plugin: expected the name of a '
        .. 'plugin, got "deaf" (its manifest: actions: forget: role: expected "officer", '
        .. '"social_worker", "technician" or a list of them, got "anybody")')
end)

t.test("access_names_the_unix_users_of_each_role", function()
    t.equal(assert(read(OFFICE)).access, nil)
    t.equal(assert(read(OFFICE .. 'access { officer = { "zhang", "li-2" } }')).access,
        { officer = { "zhang", "li-2" }, social_worker = {}, technician = {} })
end)

t.test("what_is_no_user_or_no_role_is_named", function()
    refuses(OFFICE .. 'access { officers = { "zhang" } }',
        'outpost.lua:2: access: officers: expected a known name, perhaps "officer", got a table')
    refuses(OFFICE .. 'access { officer = "zhang" }',
        'outpost.lua:2: access: officer: expected a list of at most 64 values, got "zhang"')
    refuses(OFFICE .. 'access { officer = { "Zhang San" } }', 'outpost.lua:2: access: officer.1: '
        .. 'expected the name of a Unix user such as "zhang", got "Zhang San"')
    refuses(OFFICE .. 'access { officer = { "a", "b", "a" } }',
        'outpost.lua:2: access: officer: expected each name once, got "a" again')
    refuses(OFFICE .. 'access {}\naccess {}',
        "outpost.lua:3: access: expected once, got it again; the first is at outpost.lua:2")
end)

t.test("only_officers_decide_so_nobody_else_is_one_and_root_is_nobody", function()
    refuses(OFFICE .. 'access { officer = { "li" },\n social_worker = { "li" } }',
        'outpost.lua:3: access: social_worker: expected nobody who is an officer, because only '
        .. 'officers may decide, got "li"')
    refuses(OFFICE .. 'access { officer = { "root" } }', 'outpost.lua:2: access: officer: expected '
        .. 'the Unix user of a person, got "root", which is a technician always and nobody by name')
    assert(read(OFFICE .. 'access { officer = { "li" }, technician = { "li" } }'))
end)

t.test("what_a_manifest_needs_and_no_host_has_is_told_with_the_word_that_was_meant", function()
    for name, fault in pairs {
        mistyped = 'expected a word of this host, perhaps "serial", got "serail"',
        foreign = 'expected some of modbus, serial, gbk, got "telepathy"',
        loud = 'expected a word of this host, perhaps "modbus", got "Modbus"',
        numbered = "expected some of modbus, serial, gbk, got 7",
        named = "expected a list of texts, got a table",
        texted = 'expected a list of texts, got "modbus"',
    } do
        local checked, errors = read('office { id = "1" }\nplugin "' .. name .. '" "gate" {}')
        t.equal(checked, nil)
        t.equal(#errors, 1)
        t.holds(errors[1]:find("its manifest: needs: " .. fault, 1, true), errors[1])
    end
    t.holds(read 'office { id = "1" }\nplugin "needy" "gate" {}')
end)

return t.finish()
