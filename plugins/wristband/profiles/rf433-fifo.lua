-- rf433-fifo - 433 MHz base station with a FIFO, Modbus TCP or RTU (functions 3 and 6).
--
-- Every number here is a raw, zero-based address. One read of holding raw 0-10 brings the serial,
-- the count and the oldest entry, so they belong together:
--
--   raw 0-1   station serial, high word first
--   raw 2     firmware (not used)
--   raw 3     entries waiting (0: the registers below mean nothing)
--   raw 4     sequence of the oldest entry: counts up by one per entry, wraps from FFFF to 0.
--             A hole means that the FIFO was full and entries were lost
--   raw 5-6   tag id, LOW word first (0 or FFFFFFFF: noise, not a tag)
--   raw 7     flags: bit 0 strap open, bit 1 case open (FFFF: unknown)
--   raw 8     battery, percent (FFFF: unknown)
--   raw 9     signal, dBm, signed (7FFF: unknown)
--   raw 10    age: seconds since the radio heard it, still counting while it waits (FFFF: unknown)
--   raw 20    write the sequence of an entry: it is dropped if it is still the oldest one, and
--             nothing happens otherwise; so writing twice never drops an unread entry
return {
    name = "rf433-fifo",
    summary = "433 MHz base station: FIFO of readings, popped by writing the sequence",
    style = "fifo",
    unit = 1,
    order = "big",
    blocks = {
        entry = { table = "holding", first = 0, length = 11 },
    },
    fields = {
        station = { block = "entry", at = 0, type = "u32" },
        count = { block = "entry", at = 3 },
        sequence = { block = "entry", at = 4 },
        tag = {
            block = "entry", at = 5, type = "u32", order = "little", unknown = { 0, 0xFFFFFFFF },
        },
        age = { block = "entry", at = 10, unit = "s", unknown = { 0xFFFF } },
        strap = { block = "entry", at = 7, bit = 0, unknown = { 0xFFFF } },
        case = { block = "entry", at = 7, bit = 1, unknown = { 0xFFFF } },
        battery = { block = "entry", at = 8, unit = "%", unknown = { 0xFFFF } },
        rssi = { block = "entry", at = 9, type = "i16", unit = "dBm", unknown = { 0x7FFF } },
    },
    release = { table = "holding", at = 20, value = "sequence" },
}
