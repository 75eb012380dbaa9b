-- asyncapi - the MQTT line between an office and its city as AsyncAPI 3.0, seen from the office.
--
-- What is said here is what core/uplink sends and core/city takes; their READMEs say why.
local events = require "events"

local asyncapi = {}

local LANES = {
    alarm = "must arrive first and is never given up; over the connection <office>-alarm",
    record = "evidence and business; over the connection <office>-bulk",
    telemetry = "positions, readings, health; over the connection <office>-bulk",
}

local OFFICE = { description = "id of the office, as in its configuration" }

local function text(description, more)
    local schema = { type = "string", description = description }
    for name, value in pairs(more or {}) do
        schema[name] = value
    end
    return schema
end

local function ref(path)
    return { ["$ref"] = "#/" .. path }
end

local SEQ = "^(0|[1-9][0-9]*)$"

local function batch_headers(lane)
    return {
        type = "object", description = "user properties of the PUBLISH",
        required = { "log", "lane", "prev", "last" },
        properties = {
            log = text("the log that the events are in"),
            lane = { const = lane },
            prev = text("sequence of the lane's event before the first one here, -1 for none: "
                .. "a gap cannot hide", { pattern = "^(-1|0|[1-9][0-9]*)$" }),
            last = text("sequence of the last event here", { pattern = SEQ }),
            ["content-encoding"] = { const = "zstd",
                description = "when it is there the payload is one zstd frame of the array" },
        },
    }
end

local function batch(lane)
    return {
        name = lane .. "Batch", title = "Events of lane " .. lane,
        summary = "CloudEvents, each byte for byte as the office committed it: " .. LANES[lane],
        contentType = "application/cloudevents-batch+json",
        headers = batch_headers(lane),
        payload = { type = "array", minItems = 1, maxItems = 1024,
            items = ref("components/schemas/" .. lane .. "Event") },
    }
end

local SYNCED = { type = "object", description = "by lane the last sequence that the city's receipt "
    .. "covers, -1 for none", properties = {}, required = { "alarm", "record", "telemetry" } }
for lane in pairs(LANES) do
    SYNCED.properties[lane] = { type = "integer", minimum = -1 }
end

local STATUS = {
    type = "object", required = { "state", "office", "boot", "log" },
    description = "The will has state, office, boot and log alone.",
    properties = {
        state = { enum = { "online", "offline" } },
        office = text("id of the office"),
        boot = text("which boot of the machine this is about: a late will is not believed"),
        log = text("the log that is written to"),
        version = text("version of Outpost"),
        verifier = text("the office's public key line, with which its checkpoints are checked"),
        size = { type = "integer", minimum = 0, description = "events in the log" },
        root = text("root of the log's tree at that size, base64"),
        synced = SYNCED,
    },
}

local function messages()
    local list = {
        status = { name = "status", title = "How the office is", contentType = "application/json",
            payload = STATUS },
        checkpoint = { name = "checkpoint", title = "The newest signed checkpoint of the log",
            contentType = "text/plain",
            payload = text("C2SP signed note: outpost/OFFICE/LOG, size, base64 of the root, an "
                .. "empty line, the signature") },
        receipt = { name = "receipt", title = "The city's word on what it holds",
            summary = "Given after the city's commit. Only this moves an office's synced mark.",
            contentType = "text/plain",
            headers = { type = "object", description = "user properties of the PUBLISH",
                properties = { begin = { const = "1", description = "the city has begun anew: what "
                    .. "came after these marks is to be sent again" } } },
            payload = text("C2SP signed note: outpost-receipt/OFFICE/LOG, a line \"time TIME\", "
                .. "for each lane that holds something \"lane LANE SEQ\", when one was verified "
                .. "\"checkpoint SIZE ROOT\", an empty line, the signature") },
    }
    for lane in pairs(LANES) do
        list[lane] = batch(lane)
    end
    return list
end

-- name -> address below outpost/v1/{office}/, and what it is.
local CHANNELS = {
    status = { "status", "Retained; also the will of the connection <office>-alarm." },
    alarm = { "up/alarm", "Alarms." },
    record = { "up/record", "Records." },
    telemetry = { "up/telemetry", "Telemetry." },
    checkpoint = { "up/checkpoint", "Retained." },
    receipt = { "down/receipt", "Retained; signed by the city." },
}

local RETAINED = { status = true, checkpoint = true, receipt = true }

local function channels()
    local made = {}
    for name, row in pairs(CHANNELS) do
        made[name] = { address = "outpost/v1/{office}/" .. row[1], description = row[2],
            parameters = { office = OFFICE },
            messages = { [name] = ref("components/messages/" .. name) } }
    end
    return made
end

local function operations()
    local made = {}
    for name in pairs(CHANNELS) do
        local sent = name ~= "receipt"
        made[(sent and "send" or "receive") .. name:gsub("^%l", string.upper)] = {
            action = sent and "send" or "receive", channel = ref("channels/" .. name),
            messages = { ref("channels/" .. name .. "/messages/" .. name) },
            bindings = { mqtt = { qos = 1, retain = RETAINED[name] or false,
                bindingVersion = "0.2.0" } },
        }
    end
    return made
end

local ID = "^[A-Za-z0-9][A-Za-z0-9_:-]*$"
local MOMENT = "RFC 3339 in UTC, with microseconds"

local ENVELOPE = {
    type = "object", description = "CloudEvents 1.0. The bytes of an event never change: their "
        .. "hash is a leaf of the log that the office signs.",
    required = { "specversion", "id", "source", "type", "time", "subject", "datacontenttype",
        "office", "log", "sequence", "lane", "recorded", "boot", "mono", "clock", "salt", "data" },
    properties = {
        specversion = { const = "1.0" },
        id = text("OFFICE/LOG/SEQ: nothing else has it"),
        source = text("/OFFICE/PLUGIN/INSTANCE; of the appliance's own /OFFICE/keeper/keeper"),
        type = text("what happened", { maxLength = 64 }),
        time = text("when it happened, as the device said, corrected; " .. MOMENT,
            { format = "date-time" }),
        subject = text("person/ID, device/KIND/SERIAL or office", { maxLength = 80 }),
        datacontenttype = { const = "application/json" },
        office = text("id of the office", { pattern = ID }),
        log = text("id of the log, made with it", { pattern = ID }),
        sequence = text("the event's number in its log from 0 without holes, 16 digits or more",
            { pattern = "^[0-9]{16,19}$" }),
        lane = { enum = { "alarm", "record", "telemetry" } },
        recorded = text("when the office committed it; " .. MOMENT, { format = "date-time" }),
        boot = text("which boot of the machine it was recorded in"),
        mono = text("microseconds since that boot", { pattern = SEQ }),
        clock = { enum = { "synced", "holdover", "unset" },
            description = "whether the wall clock could be believed" },
        salt = text("128 random bits, so that a hash alone reveals nothing once the body is erased",
            { pattern = "^[0-9a-f]{32}$" }),
        data = { type = "object", description = "by type: components/schemas, docs/schemas" },
    },
}

local function lane_event(all, lane)
    local kinds = {}
    for _, event in ipairs(all) do
        if events.is_in(event, lane) then
            kinds[#kinds + 1] = { properties = { type = { const = event.type },
                data = ref("components/schemas/" .. event.type) } }
        end
    end
    return { title = "An event of lane " .. lane, allOf = { ref("components/schemas/event"),
        { properties = { lane = { const = lane } } }, { oneOf = kinds } } }
end

local function schemas(all)
    local made = { event = ENVELOPE }
    for lane in pairs(LANES) do
        made[lane .. "Event"] = lane_event(all, lane)
    end
    for _, event in ipairs(all) do
        made[event.type] = events.schema(event)
    end
    return made
end

-- The document as a table.
function asyncapi.document(all, version)
    return {
        asyncapi = "3.0.0",
        info = {
            title = "Outpost: an office's line to its city", version = version,
            description = "An office hands its journal to the city over MQTT 5, each event exactly "
                .. "once: the city stores by (office, log, sequence) and answers with signed "
                .. "receipts. "
                .. "Made by make docs from lua/appliance.lua and the plugins' manifests.",
        },
        defaultContentType = "application/json",
        servers = {
            city = { host = "city.example:8883", protocol = "mqtts", protocolVersion = "5",
                description = "the city's broker; etc/mosquitto configures one" },
        },
        channels = channels(), operations = operations(),
        components = { messages = messages(), schemas = schemas(all) },
    }
end

return asyncapi
