-- enless - Enless Wireless receiver, Modbus RTU, table no. 1 at its default address (function 3).
--
-- Every number here is a raw, zero-based address; the start of the table can be changed in the
-- receiver, then copy this file and change `first` of both blocks.
--
--   raw 31000             number of devices; they sit in slots 0 .. number-1
--   raw 31001, 31002      number of slaves, of energy meters (not used)
--   raw 31003 + 11*slot   one device:
--     +0      type (high byte), firmware (low byte)
--     +1      timer since the last reading. Taken as seconds; a receiver that counts minutes
--             needs unit = "min" (FFFF: never heard)
--     +2      signal, dBm, signed (7FFF: unknown)
--     +3 +4   id, high word first (0 or FFFFFFFF: empty slot)
--     +5      data word 1 = status: bit 0 strap open, bit 1 case open,
--             bits 2-3 battery: 0 = 100 %, 1 = 75 %, 2 = 50 %, 3 = 25 % (FFFF: unknown)
--     +6 ..   data words 2-6 (kept as raw registers with each event)
--
-- The receiver has no register that says which receiver it is, so the setting `station` cannot be
-- used with this profile.
return {
    name = "enless",
    summary = "Enless receiver: 11-register slots with a status word",
    style = "slots",
    unit = 1,
    order = "big",
    most = 100,
    blocks = {
        header = { table = "holding", first = 31000, length = 3 },
        slot = { table = "holding", first = 31003, length = 11, stride = 11 },
    },
    fields = {
        count = { block = "header", at = 0 },
        tag = { block = "slot", at = 3, type = "u32", unknown = { 0, 0xFFFFFFFF } },
        age = { block = "slot", at = 1, unit = "s", unknown = { 0xFFFF } },
        strap = { block = "slot", at = 5, bit = 0, unknown = { 0xFFFF } },
        case = { block = "slot", at = 5, bit = 1, unknown = { 0xFFFF } },
        battery = {
            block = "slot", at = 5, bit = 2, bits = 2, values = { 100, 75, 50, 25 },
            unit = "%", unknown = { 0xFFFF },
        },
        rssi = { block = "slot", at = 2, type = "i16", unit = "dBm", unknown = { 0x7FFF } },
    },
}
