"""wharf - docks with clips, as programs of their own that can be killed, each behind a line that can be cut.

The clips come from a seed. Each is mostly holes, with noise at odd places: much fits on a small disk, and
a byte that is lost, doubled or moved is another hash.
"""
import hashlib
import os
import random
import time

import town
from doubles import dock

DOUBLES = os.path.join(town.ROOT, "tests", "sim", "doubles")
SEEN = 1775867415  # 2026-04-11T08:30:15 in China
NOISE, EVERY = 16 << 10, 1 << 20


class Clip:
    """A clip that is to lie on a dock: it is made beside it, and then it is there under its name, all at once."""

    def __init__(self, number, size, important):
        taken = time.strftime("%Y%m%d%H%M%S", time.gmtime(SEEN + 8 * 3600 + 61 * number))
        self.path = f"{taken[:8]}/T1A{number:04}_012345_{taken}{'_IMP' if important else ''}.mp4"
        self.number, self.size, self.important, self.sha256 = number, size, important, None

    def make(self, seed, beside):
        """Where it was written: in the folder `beside`, on the same disk as the docks."""
        chance, digest, at = random.Random(f"{seed} {self.number}"), hashlib.sha256(), 0
        made = os.path.join(str(beside), f"{self.number}.made")
        with open(made, "wb") as file:
            while at < self.size:
                room = min(EVERY, self.size - at)
                noise = chance.randbytes(min(room, NOISE))
                hole = chance.randrange(room - len(noise) + 1)
                file.seek(at + hole)
                file.write(noise)
                for part in (bytes(hole), noise, bytes(room - hole - len(noise))):
                    digest.update(part)
                at += room
            file.truncate(self.size)
        os.utime(made, (SEEN, SEEN))
        self.sha256 = digest.hexdigest()
        return made

    def lay(self, made, root):
        """Whether it lies there now: the folder of a dock may be away."""
        place = os.path.join(root, self.path)
        try:
            if not os.path.isdir(os.path.dirname(place)):
                os.mkdir(os.path.dirname(place))
            os.link(made, place)
        except FileNotFoundError:
            return False
        return True


class Dock(town.Program):
    """A dock over a folder, at a port of its own."""

    def __init__(self, folder, name, script, *more):
        self.root = os.path.join(str(folder), name)
        os.makedirs(self.root)
        self.port = town.free_port()
        super().__init__(folder, name + "-dock", "/usr/bin/python3", "-B",
                         os.path.join(DOUBLES, script), self.root, str(self.port), *map(str, more))

    def start(self):
        super().start()
        town.wait_for(lambda: town.listens(self.port), 20, f"the dock; {self.text()}")
        return self


class Ftp(Dock):
    """pyftpdlib. Its line is another address with the same ports, because it names them itself."""

    def __init__(self, folder, relay, ports=8):
        first = dock.free_range(ports)
        super().__init__(folder, "ftp", "dock.py", first)
        ways = [(port, port) for port in (self.port, *range(first, first + ports))]
        self.relays = [relay(to, ("127.0.0.2", at)) for to, at in ways]
        self.settings = (f'url = "ftp://127.0.0.2:{self.port}?passive={first}-{first + ports - 1}", '
                         'user = "dock", password = "Dock-2026"')


class Web(Dock):
    """http.server, which can go on in the middle of a file."""

    def __init__(self, folder, relay):
        super().__init__(folder, "web", "shelf.py")
        self.relays = [relay(self.port)]
        self.settings = f'url = "http://127.0.0.1:{self.relays[0].port}"'


class Disk:
    """A folder: what is cut is its being there."""

    def __init__(self, folder):
        self.root, self.away = (os.path.join(str(folder), name) for name in ("disk", "disk.away"))
        os.makedirs(self.root)
        self.settings = f'url = "{self.root}"'
        self.relays = [self]

    def cut(self):
        os.rename(self.root, self.away)

    silence = cut

    def mend(self):
        os.rename(self.away, self.root)

    def close(self):
        pass
