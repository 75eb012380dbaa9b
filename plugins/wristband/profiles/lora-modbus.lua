-- lora-modbus - LoRaWAN receiver with a Modbus table, Modbus TCP (function 4, input registers).
--
-- Every number here is a raw, zero-based address. A register that was never updated reads FFFF
-- (7FFF when signed): such a value is unknown and never becomes a number or an alarm.
--
--   input raw 0-1           receiver serial, LOW word first
--   input raw 2             number of devices; they sit in slots 0 .. number-1
--   input raw 16 + 9*slot   one device:
--     +0 .. +3  DevEUI, 8 bytes, first byte first; the tag id is its 16 hex digits
--               (FFFF.. or 0: empty slot)
--     +4        minutes since the last uplink (FFFF: never)
--     +5        status: bit 0 strap CLOSED (0: open), bit 4 case open (FFFF: unknown)
--     +6        battery, percent (FFFF: unknown)
--     +7        signal, dBm, signed (7FFF: unknown)
--     +8        uplink counter (kept as raw register with each event)
return {
    name = "lora-modbus",
    summary = "LoRaWAN receiver: slot table in input registers, FFFF and 7FFF mean unknown",
    style = "slots",
    unit = 1,
    order = "little",
    most = 64,
    blocks = {
        header = { table = "input", first = 0, length = 3 },
        slot = { table = "input", first = 16, length = 9, stride = 9 },
    },
    fields = {
        station = { block = "header", at = 0, type = "u32" },
        count = { block = "header", at = 2 },
        tag = { block = "slot", at = 0, type = "bytes", length = 4 },
        age = { block = "slot", at = 4, unit = "min", unknown = { 0xFFFF } },
        strap = { block = "slot", at = 5, bit = 0, inverted = true, unknown = { 0xFFFF } },
        case = { block = "slot", at = 5, bit = 4, unknown = { 0xFFFF } },
        battery = { block = "slot", at = 6, unit = "%", unknown = { 0xFFFF } },
        rssi = { block = "slot", at = 7, type = "i16", unit = "dBm", unknown = { 0x7FFF } },
    },
}
