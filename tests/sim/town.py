"""town - the programs of an end-to-end test as objects: broker, city, office, station.

Each starts as a process of its own on free ports of loopback, writes its log into the folder it was
given, and is stopped by its process id and by nothing else. The programs under test are those of
OUTPOST_BUILD (build/release when it is not set).
"""
import getpass
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("OUTPOST_BUILD", os.path.join(ROOT, "build", "release"))
OUTPOST = os.path.join(BUILD, "bin", "outpost")
OUTPOST_CITY = os.path.join(BUILD, "bin", "outpost-city")
OFFICE_ID = "350105-003"
PORTS_AT_ONCE = 50
PATIENCE = 3  # a busy machine takes so many times longer than what is usual
STALL_S = 20


def ports():
    """Below those that the kernel gives to whoever connects, and each once. Some in a row are ours, and of no other
    tests on this machine, as long as a socket has their name, of which the kernel takes care."""
    blocks = range(20000, 32000, PORTS_AT_ONCE)
    for block in random.SystemRandom().sample(blocks, len(blocks)):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0outpost-tests-{block}")
        except OSError:
            claim.close()
            continue
        CLAIMS.append(claim)
        yield from range(block, block + PORTS_AT_ONCE)
    raise AssertionError("all ports are used up")


CLAIMS = []
PORTS = ports()


def free_port():
    """Nobody has it by chance before it is used, or while its server is away. Never the same again."""
    for port in PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def own_name():
    """This machine's name, and what connecting to a shut port of it comes to: a bare installation may not
    know its own name."""
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, 1)
    except socket.gaierror:
        return name, "resolve"
    return name, "refused"


def wait_for(claim, seconds=10.0, what="it", period=0.02):
    """The first true answer of claim(); an AssertionError that names `what` (or says what it returns) when there
    is none. `seconds` are what it may take on a quiet machine: no promise is tested by them, so that they are
    never less than what a disk that stalls may cost."""
    seconds = max(seconds, STALL_S)
    end = time.monotonic() + seconds * PATIENCE
    while True:
        answer = claim()
        if answer:
            return answer
        assert time.monotonic() < end, f"waited {seconds * PATIENCE} s for {what() if callable(what) else what}"
        time.sleep(period)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(*argv, expect=0, **more):
    """Runs to the end; the finished process with its text. `expect` None accepts any code."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60 * PATIENCE,
                          check=False, stdin=subprocess.DEVNULL, **more)
    text = f"{' '.join(argv)}: ended with {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    assert expect is None or done.returncode == expect, text
    return done


class Program:
    """One process that runs until it is told to stop. Its log is FOLDER/NAME.log."""

    def __init__(self, folder, name, *argv):
        self.folder, self.name, self.argv = str(folder), name, argv
        self.log_path = os.path.join(self.folder, name + ".log")
        self.process = None

    def start(self):
        with open(self.log_path, "ab") as log:
            # A session of its own: Ctrl-C reaches the demo only, which then stops all in order.
            self.process = subprocess.Popen(self.argv, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, start_new_session=True)
        return self

    @property
    def pid(self):
        return self.process.pid

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds=15):
        """Asks it to end; its exit code. Kills it, and fails, when it does not."""
        if not self.runs():
            return None if self.process is None else self.process.returncode
        self.process.terminate()
        try:
            return self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop in {seconds * PATIENCE} s") from None

    def kill(self):
        if self.runs():
            self.process.kill()
            self.process.wait()

    def text(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()


class Broker(Program):
    """mosquitto as Debian ships it, without persistence: killed, it forgets everything."""

    def __init__(self, folder):
        self.port = free_port()
        conf = os.path.join(str(folder), "mosquitto.conf")
        with open(conf, "w", encoding="ascii") as out:
            out.write(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
                      f"user {getpass.getuser()}\nlog_dest stderr\n")
        super().__init__(folder, "broker", mosquitto(), "-c", conf)
        self.url = f"mqtt://127.0.0.1:{self.port}"

    def start(self):
        super().start()
        wait_for(lambda: listens(self.port), 10, "the broker to listen")
        return self


def mosquitto():
    sbin = "/usr/sbin/mosquitto"  # not on an ordinary user's PATH
    return sbin if os.path.exists(sbin) else "mosquitto"


class City(Program):
    """outpost-city with its key and database in `folder`."""

    def __init__(self, folder, broker):
        self.key = os.path.join(str(folder), "city.key")
        self.verifier = os.path.join(str(folder), "city.key.pub")
        self.database = os.path.join(str(folder), "city.db")
        if not os.path.exists(self.key):
            run(OUTPOST_CITY, "keygen", "--out", self.key)
        super().__init__(folder, "city", OUTPOST_CITY, "run", "--broker", broker.url,
                         "--database", "sqlite:" + self.database, "--key", self.key)

    def rows(self, query, *values):
        if not os.path.exists(self.database):
            return []
        database = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=60)
        try:
            return database.execute(query, values).fetchall()
        except sqlite3.OperationalError as why:
            if "no such table" in str(why):
                return []
            raise
        finally:
            database.close()

    def events(self, pattern="*"):
        """Bodies of the events whose type matches the pattern, in the order of the journal."""
        found = self.rows("SELECT body FROM event WHERE type GLOB ? ORDER BY log, seq", pattern)
        return [json.loads(body) for body, in found]

    def wait_for(self, pattern, count=1, seconds=15):
        """The events of that type as soon as there are `count`."""
        return wait_for(lambda: len(self.events(pattern)) >= count and self.events(pattern),
                        seconds, f"{count} x {pattern} at the city; {self.census()}")

    def census(self):
        return dict(self.rows("SELECT type, count(*) FROM event GROUP BY type"))

    def verify(self, expect=0):
        return run(OUTPOST_CITY, "verify", "--database", "sqlite:" + self.database, expect=expect)


class Office(Program):
    """outpost run with a configuration in `folder` and its state in folder/state."""

    def __init__(self, folder, city=None, broker=None, plugins="", office=OFFICE_ID):
        os.makedirs(str(folder), exist_ok=True)
        self.config = os.path.join(str(folder), "outpost.lua")
        self.state = os.path.join(str(folder), "state")
        self.office = office
        self.configure(plugins, city, broker)
        super().__init__(folder, "office", OUTPOST, "run", "--config", self.config,
                         "--state", self.state)

    def configure(self, plugins, city=None, broker=None):
        with open(self.config, "w", encoding="utf-8") as out:
            out.write(f'office {{ id = "{self.office}", name = "示范司法所", '
                      'timezone = "Asia/Shanghai" }\n')
            if city:
                out.write(f'city {{ url = "{broker.url}", verifier = "{city.verifier}" }}\n')
            out.write(plugins)

    def command(self, word, *more, expect=0):
        return run(OUTPOST, word, *more, "--state", self.state, expect=expect)

    def check(self, expect=0):
        return run(OUTPOST, "check", "--config", self.config, expect=expect)

    def status(self):
        return json.loads(self.command("status", "--json").stdout)

    def verify(self, *more, expect=0):
        return self.command("verify", *more, expect=expect)

    def children(self):
        """{program: [pid, ...]} of the keeper's children; the keeper is the office's own process. There are none
        before it is: whoever kills a host of the check has no office."""
        return {} if program_of(self.pid) == "outpost" else self.below()

    def below(self):
        found = {}
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as listed:
            for pid in map(int, listed.read().split()):
                found.setdefault(program_of(pid), []).append(pid)
        return found

    def kill(self):
        """As systemd does (KillMode=control-group): nothing of the office is left over. Its
        children end by themselves when the keeper is gone; this waits for them."""
        left = [pid for pids in self.below().values() for pid in pids] if self.runs() else []
        super().kill()
        wait_for(lambda: not any(program_of(pid) for pid in left), 10, "the keeper's children to end")


def program_of(pid):
    """The name of the program that pid runs; None when it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            name, rest = stat.read().split("(", 1)[1].rsplit(")", 1)
        return None if rest.split()[0] == "Z" else name
    except (FileNotFoundError, ProcessLookupError):
        return None


class Station(Program):
    """The simulated base station (station.py) and its remote control."""

    def __init__(self, folder, model="monnit-tcp", device=None, bands=12, beat=1.0, name="station"):
        self.model, self.device = model, device
        self.happened_path = os.path.join(str(folder), name + ".jsonl")
        wire = ["--serial", device] if device else ["--tcp", f"127.0.0.1:{free_port()}"]
        super().__init__(folder, name, "/usr/bin/python3", "-B",
                         os.path.join(ROOT, "tests", "sim", "station.py"), "--model", model, *wire,
                         "--bands", str(bands), "--beat", str(beat), "--log", self.happened_path)
        self.line = None

    def start(self):
        super().start()
        wait_for(lambda: self.text().endswith("}\n"), 10, "the station to start")
        said = json.loads(self.text().splitlines()[-1])
        self.line = socket.create_connection(("127.0.0.1", said["control"])).makefile("rw")
        port = said["modbus"]
        self.url = (f"modbus-rtu://{self.device}?baud=19200&parity=N&stop=1" if self.device
                    else f"modbus-tcp://127.0.0.1:{port}")
        return self

    def ask(self, word, **more):
        self.line.write(json.dumps({"do": word, **more}) + "\n")
        self.line.flush()
        return json.loads(self.line.readline())

    def do(self, word, band=None, **more):
        """Makes it happen, now; the line of the log."""
        answer = self.ask(word, **({"band": band} if band else {}), **more)
        assert answer["ok"], answer
        return answer

    def may(self, word, **more):
        return self.ask(word, **more)["ok"]

    def happened(self):
        with open(self.happened_path, encoding="utf-8") as log:
            return [json.loads(line) for line in log]

    def plugin(self, instance="gate", **settings):
        """The configuration of a wristband plugin that reads this station."""
        given = {"url": f'"{self.url}"', "profile": f'"{self.model}"', **settings}
        return f'plugin "wristband" "{instance}" {{ {", ".join(f"{k} = {v}" for k, v in given.items())} }}\n'


class FaceTerminal(Program):
    """The simulated ISAPI face terminal (isapi.py) and its remote control. Killed and started again
    it is the same terminal at the same place, with its memory."""

    def __init__(self, folder, name="terminal", beat=25.0, page=30, quirks=(), serial=None):
        self.port, self.control = free_port(), free_port()
        self.state = os.path.join(str(folder), name)
        os.makedirs(self.state, exist_ok=True)
        self.serial = serial or f"SIM-{name}"
        super().__init__(folder, name, "/usr/bin/python3", "-B",
                         os.path.join(ROOT, "tests", "sim", "isapi.py"), "--folder", self.state,
                         "--port", str(self.port), "--control", str(self.control), "--beat", str(beat),
                         "--page", str(page), "--serial", self.serial,
                         *(word for quirk in quirks for word in ("--quirk", quirk)))
        self.url = f"http://127.0.0.1:{self.port}"
        self.line = None

    def start(self):
        super().start()
        wait_for(lambda: listens(self.control) and listens(self.port), 10, "the terminal to start")
        self.line = socket.create_connection(("127.0.0.1", self.control)).makefile("rw")
        return self

    def do(self, word, **more):
        self.line.write(json.dumps({"do": word, **more}) + "\n")
        self.line.flush()
        answer = json.loads(self.line.readline())
        assert answer["ok"], answer
        return answer

    def recorded(self):
        """What it has recorded, in that order; where its numbers began again there is {"reset": ...}."""
        with open(os.path.join(self.state, "records.jsonl"), encoding="utf-8") as log:
            return [json.loads(line) for line in log]

    def plugin(self, instance="hall", **settings):
        """The configuration of a face-isapi plugin that reads this terminal."""
        given = {"url": f'"{self.url}"', "user": '"outpost"', "password": '"Outpost-2026"', **settings}
        return f'plugin "face-isapi" "{instance}" {{ {", ".join(f"{k} = {v}" for k, v in given.items())} }}\n'


def serial_pair(folder):
    """Two pseudo terminals joined like a cable (socat): (program, one end, other end)."""
    ends = [os.path.join(str(folder), end) for end in ("office.tty", "station.tty")]
    cable = Program(folder, "cable", "socat", *(f"pty,raw,echo=0,link={end}" for end in ends)).start()
    wait_for(lambda: all(os.path.exists(end) for end in ends), 10, "the serial cable")
    return cable, *ends


def stop_all(programs):
    """Stops them in the order given; every one is gone afterwards, whatever happens."""
    for program in programs:
        if program is not None:
            try:
                program.stop()
            except AssertionError:
                pass


def interruptible():
    """Ctrl-C and SIGTERM end the demo in order, also when it was started in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
