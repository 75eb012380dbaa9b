"""nets - a city behind a wire of our own, and all that can be wrong on the way.

The city's side is a network namespace, joined to the machine's own by a pair of veth. Faults are
nftables and tbf inside that namespace, so nothing outside is touched, and deleting the namespace takes
everything with it. The city's programs run inside (Net.inside), the office outside.
"""
import contextlib
import itertools
import os
import re
import subprocess

import pytest
import town

NUMBERS = itertools.count()
ALL = "meta length > 0"
RULES = """table inet fault {{
    chain come {{ type filter hook input priority 0;
        {come}
    }}
    chain leave {{ type filter hook output priority 0;
        {leave}
    }}
}}
"""


def command(*argv, text=None, check=True):
    done = subprocess.run(argv, input=text, check=False, capture_output=True, text=True, timeout=20)
    assert not check or done.returncode == 0, f"{' '.join(argv)}: {text or ''}{done.stderr}"
    return done


def why_not():
    """Why no namespace can be made here; None when one can."""
    if os.geteuid() != 0:
        return "network namespaces need root: sudo make faults"
    probe = f"op{os.getpid()}x"
    made = command("ip", "netns", "add", probe, check=False)
    command("ip", "netns", "delete", probe, check=False)
    return f"network namespaces are not permitted here: {made.stderr.strip()}" if made.returncode else None


class Net:
    """The wire. Both ends are up when it is opened, and healthy."""

    def __init__(self):
        number = next(NUMBERS)
        self.name = f"op{os.getpid()}n{number}"
        subnet = f"10.{200 + number % 50}.{os.getpid() >> 6 & 255}"
        at = (os.getpid() & 63) * 4
        self.office_ip, self.city_ip = f"{subnet}.{at + 1}", f"{subnet}.{at + 2}"
        self.outside = f"{self.name}v"[-15:]
        self.inside = ("ip", "netns", "exec", self.name)

    def open(self):
        command("ip", "netns", "add", self.name)
        command("ip", "link", "add", self.outside, "type", "veth", "peer", "name", "wire", "netns", self.name)
        command("ip", "address", "add", f"{self.office_ip}/30", "dev", self.outside)
        command("ip", "link", "set", self.outside, "up")
        self.run("ip", "address", "add", f"{self.city_ip}/30", "dev", "wire")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "set", "wire", "up")
        town.wait_for(lambda: command("ping", "-c1", "-W1", self.city_ip, check=False).returncode == 0
                      if os.path.exists("/bin/ping") else True, 10, "the wire")

    def close(self):
        command("ip", "link", "delete", self.outside, check=False)
        command("ip", "netns", "delete", self.name, check=False)

    def run(self, *argv, text=None, check=True):
        return command(*self.inside, *argv, text=text, check=check)

    # ---- Faults; heal() ends them all.

    def rules(self, come="", leave=""):
        """What is dropped of that which comes over the wire and of that which leaves by it."""
        come = come and f'iifname "wire" {come} counter drop'
        leave = leave and f'oifname "wire" {leave} counter drop'
        self.run("nft", "-f", "-", text="add table inet fault\ndelete table inet fault\n"
                 + RULES.format(come=come, leave=leave))

    def partition(self):
        self.rules(ALL, ALL)

    def deaf(self):
        """What the office sends is lost; what is sent to it arrives."""
        self.rules(come=ALL)

    def mute(self):
        """What is sent to the office is lost; what it sends arrives."""
        self.rules(leave=ALL)

    def loss(self, percent=30):
        some = f"numgen random mod 100 < {percent}"
        self.rules(some, some)

    def big_are_lost(self, most=500):
        """A router that drops what is bigger and says nothing: an MTU black hole."""
        self.rules(f"meta length > {most}", f"meta length > {most}")

    def half_open(self, port):
        """The connections of this moment are dead both ways; new ones are not."""
        listed = self.run("ss", "-Htn", "state", "established", f"( sport = :{port} )").stdout
        peers = {line.split()[3].rsplit(":", 1)[1] for line in listed.splitlines()
                 if line.split()[3].startswith(self.office_ip)}
        assert peers, f"no connection of the office: {listed!r}"
        ports = ", ".join(sorted(peers))
        self.rules(f"tcp sport {{ {ports} }}", f"tcp dport {{ {ports} }}")

    def rate(self, kbit=64):
        """Both directions, with a queue of two seconds as cheap routers have it."""
        limit = ("root", "tbf", "rate", f"{kbit}kbit", "burst", "3kb", "latency", "2s")
        command("tc", "qdisc", "add", "dev", self.outside, *limit)
        self.run("tc", "qdisc", "add", "dev", "wire", *limit)

    def down(self):
        self.run("ip", "link", "set", "wire", "down")

    def dropped(self):
        """Packets that the rules of now have dropped: a fault that drops none was none."""
        listed = self.run("nft", "list", "table", "inet", "fault").stdout
        return sum(map(int, re.findall(r"counter packets (\d+)", listed)))

    def heal(self):
        self.run("nft", "delete", "table", "inet", "fault", check=False)
        command("tc", "qdisc", "delete", "dev", self.outside, "root", check=False)
        self.run("tc", "qdisc", "delete", "dev", "wire", "root", check=False)
        self.run("ip", "link", "set", "wire", "up")


@contextlib.contextmanager
def opened():
    """A net for the length of a test; the test is skipped where there can be none."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    net = Net()
    try:
        net.open()
        yield net
    finally:
        net.close()


class Broker(town.Broker):
    """mosquitto on the city's side of the wire."""

    def __init__(self, folder, net):
        super().__init__(folder)
        self.net, self.port = net, 1883
        conf = os.path.join(str(folder), "mosquitto.conf")
        with open(conf, encoding="ascii") as file:
            rest = file.read().split("\n", 1)[1]
        with open(conf, "w", encoding="ascii") as out:
            out.write(f"listener {self.port}\n{rest}")
        self.argv = (*net.inside, *self.argv)
        self.url = f"mqtt://{net.city_ip}:{self.port}"

    def start(self):
        town.Program.start(self)
        town.wait_for(lambda: town.socket.socket().connect_ex((self.net.city_ip, self.port)) == 0, 10,
                      "the broker to listen")
        return self


class City(town.City):
    """outpost-city beside that broker."""

    def __init__(self, folder, broker, net):
        super().__init__(folder, broker)
        self.argv = (*net.inside, *self.argv)
