"""maps - the registers of six base stations, written from their manuals' tables.

One class a model, named as in plugins/wristband/profiles/. A map answers what one register holds
right now, or raises KeyError when the model has no such register. This is the counterpart of those
profiles and shares nothing with them: a wrong number in either shows as a failed story.
"""
UNKNOWN = 0xFFFF
UNKNOWN_SIGNED = 0x7FFF


def signed(number):
    return number & 0xFFFF


def high(number):
    return number >> 16 & 0xFFFF


def low(number):
    return number & 0xFFFF


def words(text, count):
    """`count` registers of text, first byte first, filled up with zero bytes."""
    filled = text.ljust(2 * count, b"\0")
    return [filled[2 * i] << 8 | filled[2 * i + 1] for i in range(count)]


def or_unknown(number, unknown=UNKNOWN):
    return unknown if number is None else number


class Model:
    """What the six have in common. `tables` says per table which addresses may be read."""
    unit = 1
    room = 0
    serial = 0x00A1B2C3

    def __init__(self, station):
        self.station = station
        self.bands = list(station.bands.values())

    def tag(self, number):
        """The id of band `number`: four bytes for most models."""
        return (0x00B30000 + number).to_bytes(4, "big")

    def name_of(self, tag):
        """How people write such an id: a number for four bytes, else hex."""
        return str(int.from_bytes(tag, "big")) if len(tag) == 4 else tag.hex()

    def slot(self, index, now, at):
        """Register `at` of the block of slot `index`; empty slots are zero."""
        if index >= len(self.bands):
            return 0
        return self.block(self.bands[index], now)[at]

    def write(self, table, address, value):
        """Returns the reading that this write gave up, None, or raises KeyError."""
        raise KeyError(address)


class MonnitTcp(Model):
    name = "monnit-tcp"

    def read(self, table, address, now):
        if table != "holding" or not (address < 4 or 100 <= address < 900):
            raise KeyError(address)
        if address < 4:
            return [high(self.serial), low(self.serial), 0x0102, len(self.bands)][address]
        return self.slot((address - 100) // 8, now, (address - 100) % 8)

    def block(self, band, now):
        tag = int.from_bytes(band.tag, "big")
        percent = max(0, min(100, band.rssi + 110))
        return [high(tag), low(tag), 9, or_unknown(band.age(now)), int(band.heard is not None),
                band.flags(), 200 + band.battery, percent]


class MonnitSerial(Model):
    name = "monnit-serial"
    unit = 95

    def read(self, table, address, now):
        if table == "coil" and 2000 <= address < 2200:
            return self.coil((address - 2000) // 4, (address - 2000) % 4)
        if table != "holding":
            raise KeyError(address)
        if 1 <= address <= 3:
            return [high(self.serial), low(self.serial), len(self.bands)][address - 1]
        if 100 <= address < 200:
            return self.listed((address - 100) // 2, address % 2)
        if 1000 <= address < 1350:
            return self.slot((address - 1000) // 7, now, (address - 1000) % 7)
        raise KeyError(address)

    def coil(self, index, at):
        if index >= len(self.bands):
            return 0
        band = self.bands[index]
        return [int(band.heard is not None), int(band.open), 0, 0][at]

    def listed(self, index, half):
        tag = 0xFFFFFFFF
        if index < len(self.bands):
            tag = int.from_bytes(self.bands[index].tag, "big")
        return low(tag) if half else high(tag)

    def block(self, band, now):
        if band.heard is None:
            return [0] * 7
        return [or_unknown(band.age(now)), int(band.case), 0, 0, 0, 200 + band.battery,
                signed(band.rssi)]


class Enless(Model):
    name = "enless"

    def read(self, table, address, now):
        if table != "holding" or not 31000 <= address < 31003 + 11 * 100:
            raise KeyError(address)
        if address < 31003:
            return [len(self.bands), 0, 0][address - 31000]
        return self.slot((address - 31003) // 11, now, (address - 31003) % 11)

    def block(self, band, now):
        tag = int.from_bytes(band.tag, "big")
        quarter = 0 if band.battery > 75 else 1 if band.battery > 50 else 2 if band.battery > 25 else 3
        status = UNKNOWN if band.heard is None else band.flags() | quarter << 2
        rssi = UNKNOWN_SIGNED if band.heard is None else signed(band.rssi)
        return [0x0A01, or_unknown(band.age(now)), rssi, high(tag), low(tag), status, 0, 0, 0, 0, 0]


class LoraModbus(Model):
    name = "lora-modbus"

    def tag(self, number):
        return bytes.fromhex("70b3d57ed00000") + bytes([number & 0xFF])

    def read(self, table, address, now):
        if table != "input" or not (address < 3 or 16 <= address < 16 + 9 * 64):
            raise KeyError(address)
        if address < 3:
            return [low(self.serial), high(self.serial), len(self.bands)][address]
        return self.slot((address - 16) // 9, now, (address - 16) % 9)

    def block(self, band, now):
        eui = words(band.tag, 4)
        if band.heard is None:
            return eui + [UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN_SIGNED, 0]
        minutes = int(now - band.heard) // 60
        status = int(not band.open) | int(band.case) << 4
        return eui + [minutes, status, band.battery, signed(band.rssi), 1]


class InveoRfid(Model):
    name = "inveo-rfid"
    room = 1

    def tag(self, number):
        return b"BAND-%04d" % number

    def read(self, table, address, now):
        if table == "coil" and address == 1016:
            return int(bool(self.station.entries))
        if table != "holding" or not 1000 <= address <= 1011:
            raise KeyError(address)
        return self.mailbox()[address - 1000]

    def mailbox(self):
        if not self.station.entries:
            return [0] * 12
        entry = self.station.entries[0]
        return [1, 0] + words(entry.band.tag, 8) + [entry.flags | entry.battery << 8,
                                                    signed(entry.rssi)]

    def write(self, table, address, value):
        if table != "coil" or address != 1016:
            raise KeyError(address)
        return self.station.pop() if not value and self.station.entries else None


class Rf433Fifo(Model):
    name = "rf433-fifo"
    room = 64

    def read(self, table, address, now):
        if table != "holding" or address > 10:
            raise KeyError(address)
        return self.head(now)[address]

    def head(self, now):
        head = [high(self.serial), low(self.serial), 0x0200, len(self.station.entries)]
        if not self.station.entries:
            return head + [self.station.sequence] + [0] * 6
        entry = self.station.entries[0]
        tag = int.from_bytes(entry.band.tag, "big")
        return head + [self.station.sequence, low(tag), high(tag), entry.flags, entry.battery,
                       signed(entry.rssi), min(int(now - entry.at), 0xFFFE)]

    def write(self, table, address, value):
        if table != "holding" or address != 20:
            raise KeyError(address)
        oldest = self.station.entries and value == self.station.sequence
        return self.station.pop() if oldest else None


MODELS = {m.name: m for m in (MonnitTcp, MonnitSerial, Enless, LoraModbus, InveoRfid, Rf433Fifo)}
