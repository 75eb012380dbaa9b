-- inveo-rfid - Inveo RFID reader, Modbus RTU (functions 3 and 5): a mailbox that holds one tag.
--
-- Every number here is a raw, zero-based address.
--
--   holding raw 1000        IsNewTag: 0 empty, otherwise a tag waits (the same flag as coil 1016)
--   holding raw 1001        not used
--   holding raw 1002-1011   ten registers of the tag
--     1002-1009   id, 16 bytes, first byte first; trailing zero bytes are not part of the id
--     1010        what an active wristband writes behind its id: bit 0 strap open, bit 1 case
--                 open, bits 8-15 battery in percent (0 or 255: unknown). A passive tag has 0
--     1011        signal, dBm, signed (0: unknown)
--   coil raw 1016           writing 0 empties the mailbox; only then the next tag is taken
--
-- Flag and tag come with one read, so they belong together. Tags that arrive while the mailbox is
-- full are lost in the reader; nothing tells how many. There is no age: a tag counts as read when
-- it is fetched. There is no register that says which reader it is.
return {
    name = "inveo-rfid",
    summary = "Inveo RFID reader: one-deep mailbox, emptied by writing coil 1016",
    style = "mailbox",
    unit = 1,
    order = "big",
    blocks = {
        entry = { table = "holding", first = 1000, length = 12 },
    },
    fields = {
        count = { block = "entry", at = 0 },
        tag = { block = "entry", at = 2, type = "bytes", length = 8 },
        strap = { block = "entry", at = 10, bit = 0 },
        case = { block = "entry", at = 10, bit = 1 },
        battery = { block = "entry", at = 10, bit = 8, bits = 8, unit = "%", unknown = { 0, 255 } },
        rssi = { block = "entry", at = 11, type = "i16", unit = "dBm", unknown = { 0 } },
    },
    release = { table = "coil", at = 1016, value = 0 },
}
