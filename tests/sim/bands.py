"""bands - what a simulated base station knows: its wristbands, as its radio heard them.

No registers here (maps.py) and no wires (station.py). Time is handed in, in seconds.
"""
from dataclasses import dataclass, field

NEVER = None


@dataclass
class Band:
    """One wristband. `heard` is when the radio last heard it; a quiet band is not heard any more."""
    number: int
    tag: bytes
    name: str
    open: bool = False
    case: bool = False
    battery: int = 80
    rssi: int = -60
    quiet: bool = False
    heard: float | None = NEVER

    def age(self, now):
        """Whole seconds since it was heard; None when never, or too long ago to count."""
        if self.heard is NEVER or now - self.heard > 65000:
            return None
        return int(now - self.heard)

    def flags(self):
        return int(self.open) | int(self.case) << 1


@dataclass
class Reading:
    """What a FIFO or a mailbox keeps: the band as it was at that moment."""
    band: Band
    flags: int
    battery: int
    rssi: int
    at: float


@dataclass
class Station:
    """All bands, and the entries of a station that queues (`room` 0: it does not queue)."""
    bands: dict
    room: int = 0
    entries: list = field(default_factory=list)
    sequence: int = 0
    dropped: int = 0

    def hear(self, band, now):
        """The radio hears the band. False when the station had no room and the reading is lost."""
        if band.quiet:
            return True
        band.heard = now
        if self.room == 0:
            return True
        if len(self.entries) >= self.room:
            self.dropped += 1
            return False
        self.entries.append(Reading(band, band.flags(), band.battery, band.rssi, now))
        return True

    def hear_all(self, now):
        for band in self.bands.values():
            self.hear(band, now)

    def pop(self):
        self.sequence = (self.sequence + 1) & 0xFFFF
        return self.entries.pop(0)

    def restart(self):
        """Power was cut: nothing is remembered, nobody was heard yet."""
        self.entries.clear()
        self.sequence = 0
        for band in self.bands.values():
            band.heard = NEVER
