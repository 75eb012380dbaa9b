"""forwarders - what stands in an office between its devices and the city: Outpost and its peers.

Each has: start(), send(count) (returns how many it has acknowledged), alarm() (raises one now),
kill() (as `kill -9` does), pids(), stop(), arrived() -> {number: times} and alarms(), as seen at the
city's end; times are monotonic."""
import calendar
import collections
import json
import os
import shutil
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "sim"))
import town  # noqa: E402

import paho.mqtt.client as mqtt  # noqa: E402

MQTT_QOS = 1
NODE_RED = "node-red@4"  # 5 wants a newer node than Debian 12 has
RAW = "x" * 300


class CityBroker(town.Broker):
    """The city's end: a broker that keeps a subscriber's session, and that subscriber."""

    def __init__(self, folder):
        super().__init__(folder)
        conf = self.argv[2]
        with open(conf, "a", encoding="ascii") as out:
            out.write(f"persistence true\npersistence_location {folder}/\nmax_queued_messages 0\n"
                      "max_inflight_messages 1000\n")
        self.seen, self.alarm_at = {}, {}
        self.client = None

    def listen(self):
        """Begins to hear, or goes on."""
        self.client = mqtt.Client("subscriber", clean_session=False)
        self.client.on_message = self.came
        self.client.on_connect = lambda client, *_: client.subscribe("up/#", MQTT_QOS)
        self.client.connect("127.0.0.1", self.port)
        self.client.loop_start()

    def came(self, _client, _owner, message):
        number = json.loads(message.payload)["n"]
        if message.topic.endswith("/alarm"):
            self.alarm_at.setdefault(number, time.monotonic())
        else:
            self.seen[number] = self.seen.get(number, 0) + 1

    def deafen(self):
        self.client.loop_stop()
        self.client.disconnect()


class Sender:
    """Publishes numbered messages to a broker of the office; knows which ones were acknowledged."""

    def __init__(self, port, most_s):
        self.acked, self.most_s = set(), most_s
        self.waiting = collections.deque()  # (number, its publish), oldest first
        self.client = mqtt.Client("devices", clean_session=False)
        self.client.max_inflight_messages_set(200)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def publish(self, number, topic):
        return self.client.publish(topic, json.dumps({"n": number, "raw": RAW}), MQTT_QOS)

    def collect(self, most, end):
        """Until at most so many wait for their acknowledgement."""
        while self.waiting and time.monotonic() < end:
            if self.waiting[0][1].is_published():
                self.acked.add(self.waiting.popleft()[0])
            elif len(self.waiting) > most:
                time.sleep(0.001)
            else:
                return

    def send(self, count):
        end = time.monotonic() + self.most_s
        for number in range(1, count + 1):
            self.collect(400, end)
            if time.monotonic() >= end:
                break
            self.waiting.append((number, self.publish(number, "up/telemetry")))
        self.collect(0, end)
        return len(self.acked)

    def stop(self):
        self.client.loop_stop()
        self.client.disconnect()


class Peer:
    """A forwarder that is fed by MQTT and delivers by MQTT."""

    def __init__(self, folder, most_s=120):
        self.folder, self.most_s = str(folder), most_s
        os.makedirs(self.folder, exist_ok=True)
        self.city = CityBroker(self.folder).start()
        self.city.listen()
        time.sleep(0.5)
        self.city.deafen()
        self.city.stop()  # the session is kept; from here on the city is away
        self.programs, self.sender, self.raised = [], None, {}

    def feed(self, port):
        if self.sender is None:
            self.sender = Sender(port, self.most_s)

    def send(self, count):
        return self.sender.send(count)

    def alarm(self):
        number = len(self.raised) + 1
        self.raised[number] = time.monotonic()
        self.sender.publish(number, "up/alarm")

    def open_city(self):
        self.city.start()
        self.city.listen()

    def arrived(self):
        return dict(self.city.seen)

    def expected(self):
        return self.sender.acked

    def alarms(self):
        """{number: (raised, arrived or None)}"""
        return {n: (at, self.city.alarm_at.get(n)) for n, at in self.raised.items()}

    def pids(self):
        return [program.pid for program in self.programs if program.runs()]

    def kill(self):
        for program in self.programs:
            program.kill()

    def stop(self):
        if self.sender:
            self.sender.stop()
        if self.city.client:
            self.city.deafen()
        town.stop_all([*self.programs, self.city])


class Bridge(Peer):
    """mosquitto, bridging to the city's broker: as it comes, or with everything turned to safe."""

    def __init__(self, folder, tuned):
        super().__init__(folder)
        self.port = town.free_port()
        conf = os.path.join(self.folder, "bridge.conf")
        text = (f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\n"
                f"persistence_location {self.folder}/local/\nconnection city\n"
                f"address 127.0.0.1:{self.city.port}\ntopic up/# out 1\ncleansession false\n"
                "restart_timeout 1\n")
        if tuned:
            text += ("max_queued_messages 0\nmax_inflight_messages 1000\nautosave_interval 1\n"
                     "autosave_on_changes true\n")
        os.makedirs(os.path.join(self.folder, "local"), exist_ok=True)
        with open(conf, "w", encoding="ascii") as out:
            out.write(text)
        self.programs = [town.Program(self.folder, "bridge", town.mosquitto(), "-c", conf)]

    def start(self):
        for program in self.programs:
            program.start()
        town.wait_for(lambda: town.listens(self.port), 30, "the bridge to listen")
        self.feed(self.port)


class NodeRed(Peer):
    """Node-RED between a local mosquitto and the city's: plain, or with a queue in a file."""

    def __init__(self, folder, mode, install):
        super().__init__(folder)
        self.port, http = town.free_port(), town.free_port()
        self.home = os.path.join(self.folder, "node-red")
        os.makedirs(self.home, exist_ok=True)
        town.run("node", os.path.join(HERE, "flow.js"), self.home, str(self.port), str(self.city.port),
                 mode, str(http))
        conf = os.path.join(self.folder, "local.conf")
        with open(conf, "w", encoding="ascii") as out:
            out.write(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
        self.local = town.Program(self.folder, "local", town.mosquitto(), "-c", conf)
        self.programs = [town.Program(
            self.folder, "node-red", "node",
            os.path.join(install, "node_modules", "node-red", "red.js"), "--userDir", self.home)]

    def start(self):
        if not self.local.runs():
            self.local.start()
            town.wait_for(lambda: town.listens(self.port), 10, "the local broker")
        before = self.connections()
        self.programs[0].start()
        town.wait_for(lambda: self.connections() > before, 60, "Node-RED to hear the local broker")
        self.feed(self.port)

    def connections(self):
        with open(self.local.log_path, encoding="utf-8", errors="replace") as log:
            return log.read().count(" as red-local ")

    def stop(self):
        super().stop()
        town.stop_all([self.local])


class Outpost:
    """The appliance with tests/bench/peers/counter, its broker and outpost-city."""

    def __init__(self, folder):
        self.folder = str(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.outpost = private_programs(self.folder)
        self.broker = town.Broker(self.folder)
        self.city = town.City(self.folder, self.broker)
        self.count, self.office, self.alarm_at = 0, None, {}

    def start(self):
        if self.office is None:
            return  # it is started with its work
        self.office.start()

    def send(self, count):
        self.count = count
        self.office = town.Office(os.path.join(self.folder, "office"), self.city, self.broker,
                                  'limits { messages = 1000000, bytes = "1024MB" }\n'
                                  f'plugin "counter" "c" {{ count = {count} }}\n')
        self.office.argv = (self.outpost, *self.office.argv[1:])
        self.office.start()
        town.wait_for(lambda: f"acked {count}" in self.office.text(), 120, "the readings")
        return count

    def alarm(self):
        """They are raised all the time, twice a second."""

    def open_city(self):
        self.broker.start()
        self.city.start()

    def arrived(self):
        rows = self.city.rows("SELECT json_extract(body, '$.data.n'), count(*) FROM event "
                              "WHERE type = 'counter.reading' GROUP BY 1")
        return dict(rows)

    def arrived_count(self):
        found = self.city.rows("SELECT count(*) FROM event WHERE type = 'counter.reading'")
        return found[0][0] if found else 0

    def expected(self):
        return set(range(1, self.count + 1))

    def alarms(self):
        """{number: (raised, arrived)}, of those at the city; the rest waits in the journal."""
        for number, recorded in self.city.rows(
                "SELECT json_extract(body, '$.data.n'), json_extract(body, '$.recorded') FROM event "
                "WHERE type = 'counter.alarm'"):
            if number not in self.alarm_at:
                now = time.monotonic()
                self.alarm_at[number] = (now - (time.time() - wall(recorded)), now)
        return dict(self.alarm_at)

    def pids(self):
        if not self.office.runs():
            return []
        return [self.office.pid, *(pid for pids in self.office.children().values() for pid in pids)]

    def kill(self):
        self.office.kill()

    def stop(self):
        town.stop_all([self.office, self.city, self.broker])


def wall(text):
    """RFC 3339 in UTC to seconds."""
    whole, part = text.rstrip("Z").split(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + part)


def private_programs(folder):
    """The programs with a share/ of their own, in which the plugin is."""
    at = os.path.join(folder, "programs")
    plugins = os.path.join(at, "share", "outpost", "plugins")
    os.makedirs(plugins)
    for part in ("bin", "libexec"):
        shutil.copytree(os.path.join(town.BUILD, part), os.path.join(at, part))
    os.symlink(os.path.join(town.ROOT, "lua"), os.path.join(at, "share", "outpost", "lua"))
    os.symlink(os.path.join(HERE, "counter"), os.path.join(plugins, "counter"))
    return os.path.join(at, "bin", "outpost")


def install_node_red(folder):
    """Node-RED from npm, once."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        sys.exit("bench-peers: needs node and npm: apt-get install nodejs npm")
    if not os.path.exists(os.path.join(folder, "node_modules", "node-red", "red.js")):
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder,
                        NODE_RED], check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(folder, "node_modules", "node-red", "package.json"), encoding="utf-8") as package:
        return json.load(package)["version"]
