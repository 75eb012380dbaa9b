-- monnit-serial - Monnit / BZ-TECH serial gateway, Modbus RTU, 19200 8N1, unit 95.
--
-- Every number here is a raw, zero-based address. A device is spread over three places:
--
--   holding (function 3)
--     raw 1-2              gateway id, high word first
--     raw 3                number of devices; read again when it changed during a poll
--     raw 100 + 2*slot     id, high word first (FFFFFFFF: empty; there may be holes, so all 50
--                          slots are looked at)
--     raw 1000 + 7*slot    +0 age, seconds; +1..+4 data 0-3; +5 battery, volts x 100;
--                          +6 signal, dBm, signed. All zero when there is nothing new.
--   coils (function 1)
--     raw 2000 + 4*slot    +0 ACTIVE; +1 EXCEPTION: the strap is open
--
-- Data 0 bit 0 is the case switch (1: open); a stock sensor leaves it 0.
-- When ACTIVE is 0, the zeros of the fast block mean "nothing heard", not "strap closed".
return {
    name = "monnit-serial",
    summary = "Monnit serial gateway: device list, fast-read block and coils",
    style = "slots",
    unit = 95,
    order = "big",
    most = 50,
    blocks = {
        header = { table = "holding", first = 1, length = 3 },
        list = { table = "holding", first = 100, length = 2, stride = 2 },
        fast = { table = "holding", first = 1000, length = 7, stride = 7 },
        coils = { table = "coil", first = 2000, length = 2, stride = 4 },
    },
    fields = {
        station = { block = "header", at = 0, type = "u32" },
        sequence = { block = "header", at = 2 },
        tag = { block = "list", at = 0, type = "u32", unknown = { 0, 0xFFFFFFFF } },
        age = { block = "fast", at = 0, unit = "s", unknown = { 0xFFFF } },
        active = { block = "coils", at = 0 },
        strap = { block = "coils", at = 1 },
        case = { block = "fast", at = 1, bit = 0, unknown = { 0xFFFF } },
        battery = {
            block = "fast", at = 5, scale = 0.01, unit = "V", empty = 2.0, full = 3.0,
            unknown = { 0, 0xFFFF },
        },
        rssi = { block = "fast", at = 6, type = "i16", unit = "dBm", unknown = { 0, 0x7FFF } },
    },
}
