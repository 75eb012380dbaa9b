-- monnit-tcp - Monnit Ethernet gateway, Modbus TCP (manual: "40001" = raw 0, function 3).
--
-- Every number here is a raw, zero-based address. `at` counts from the first register of the
-- field's block.
--
--   raw 0-1            gateway id, high word first
--   raw 2              firmware
--   raw 3              number of devices; they sit in slots 0 .. number-1
--   raw 100 + 8*slot   one device:
--     +0 +1  id, high word first (0 or FFFFFFFF: empty slot)
--     +2     device type (not used)
--     +3     age of the newest reading, seconds (FFFF: never heard)
--     +4     1 active, 0 no data in this slot
--     +5     "aware": bit 0 strap open. Bit 1 case open; a stock gateway never sets it
--     +6     battery, volts x 100 (2.00 V is empty, 3.00 V is full)
--     +7     signal, 0-100 %
return {
    name = "monnit-tcp",
    summary = "Monnit Ethernet gateway: slot table in holding registers",
    style = "slots",
    unit = 1,
    order = "big",
    most = 100,
    blocks = {
        header = { table = "holding", first = 0, length = 4 },
        slot = { table = "holding", first = 100, length = 8, stride = 8 },
    },
    fields = {
        station = { block = "header", at = 0, type = "u32" },
        count = { block = "header", at = 3 },
        tag = { block = "slot", at = 0, type = "u32", unknown = { 0, 0xFFFFFFFF } },
        age = { block = "slot", at = 3, unit = "s", unknown = { 0xFFFF } },
        active = { block = "slot", at = 4, unknown = { 0xFFFF } },
        strap = { block = "slot", at = 5, bit = 0, unknown = { 0xFFFF } },
        case = { block = "slot", at = 5, bit = 1, unknown = { 0xFFFF } },
        battery = {
            block = "slot", at = 6, scale = 0.01, unit = "V", empty = 2.0, full = 3.0,
            unknown = { 0, 0xFFFF },
        },
        rssi = { block = "slot", at = 7, unit = "%", unknown = { 0xFFFF } },
    },
}
