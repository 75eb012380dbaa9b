"""Body cameras of GB/T 28181: sipp (Debian's sip-tester) and cameras on plain sockets with the quirks of real ones."""
import hashlib
import itertools
import json
import os
import re
import socket
import subprocess
import time

import pytest
import town

HERE = os.path.dirname(os.path.abspath(__file__))
PLATFORM, REALM = "35010500002000000001", "3501050000"
IDS = [f"3501050000132000000{number}" for number in range(1, 6)]
PASSWORD = "Test-Pass-1"


class Office(town.Office):
    """An office with this plugin alone, heard over UDP and TCP at the same port."""

    def __init__(self, folder, city, broker, settings=""):
        self.port = town.free_port()
        cameras = ", ".join(f'["{one}"] = {{ password = "{PASSWORD}" }}' for one in IDS)
        super().__init__(folder, city, broker, (
            f'plugin "bodycam-gb28181" "street" {{ id = "{PLATFORM}", '
            f'udp = "udp://127.0.0.1:{self.port}", tcp = "tcp://127.0.0.1:{self.port}", '
            f"cameras = {{ {cameras} }}, {settings} }}\n"))

    def start(self):
        super().start()
        town.wait_for(lambda: town.listens(self.port), 15, "the port of the cameras")
        return self

    def ask(self, word, *more, expect=0):
        return self.command(word, "street", *more, expect=expect).stdout


@pytest.fixture
def office(tmp_path, city, broker, started):
    return started(Office(tmp_path / "office", city, broker))


# ---- A camera on plain sockets

def parse(bytes_):
    head, _, body = bytes_.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.lower(), value.strip())
    return first, headers, body


class Camera:
    """Written from GB/T 28181 and RFC 3261, not from the plugin. `udp` or TCP; what it does otherwise
    than others is in what its methods are given."""

    def __init__(self, office, number, udp=True, host="127.0.0.1"):
        self.office, self.number, self.udp = office, number, udp
        self.line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
        self.line.settimeout(60)
        self.line.bind((host, 0))
        self.line.connect(("127.0.0.1", office.port))
        self.kept, self.said, self.count, self.asked = b"", b"", itertools.count(1), []

    def close(self):
        self.line.close()

    # ---- bytes

    def receive(self):
        if self.udp:
            return self.line.recv(65536)
        while True:
            head, mark, rest = self.kept.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head) if mark else None
            if length and len(rest) >= int(length[1]):
                end = len(head) + 4 + int(length[1])
                message, self.kept = self.kept[:end], self.kept[end:]
                return message
            more = self.line.recv(65536)
            assert more, "the office hung up"
            self.kept += more

    def text(self, method, body=b"", headers=(), to=None, from_=None, cseq=None, call=None, via=None):
        number = next(self.count)
        host, port = self.line.getsockname()
        lines = [f"{method} sip:{PLATFORM}@{REALM} SIP/2.0",
                 via or (f"Via: SIP/2.0/{'UDP' if self.udp else 'TCP'} {host}:{port};rport;"
                         f"branch=z9hG4bK{self.number[-2:]}{number}{time.monotonic_ns()}"),
                 from_ or f"From: <sip:{self.number}@{REALM}>;tag={number}",
                 to or f"To: <sip:{self.number if method == 'REGISTER' else PLATFORM}@{REALM}>",
                 f"Call-ID: {call or f'{number}@{port}'}", f"CSeq: {cseq or number} {method}",
                 *headers, f"Content-Length: {len(body)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def answer(self):
        """The next answer to us. What we are asked meanwhile is kept in `asked`, and answered 200."""
        while True:
            message = self.receive()
            first, headers, body = parse(message)
            if first.startswith("SIP/2.0"):
                return int(first.split()[1]), headers
            self.take(first, headers, body)

    def take(self, first, headers, body):
        self.asked.append(body.decode())
        self.line.sendall("\r\n".join(["SIP/2.0 200 OK", *(
            f"{name}: {headers[name]}" for name in ("via", "from", "to", "call-id", "cseq"))]
            ).encode() + b"\r\nContent-Length: 0\r\n\r\n")

    def next_question(self):
        while not self.asked:
            first, headers, body = parse(self.receive())
            if not first.startswith("SIP/2.0"):
                self.take(first, headers, body)
        return self.asked.pop(0)

    # ---- what cameras do

    def ask(self, *what, **more):
        self.said = self.text(*what, **more)
        self.line.sendall(self.said)
        return self.answer()

    def register(self, expires=3600, password=PASSWORD, realm=None, qop=True, from_=None, to=None):
        headers = [f"Contact: <sip:{self.number}@10.9.9.9:5060>", f"Expires: {expires}"]
        status, told = self.ask("REGISTER", headers=headers, from_=from_, to=to)
        assert status == 401, status
        challenge = dict(re.findall(r'(\w+)="([^"]*)"', told["www-authenticate"]))
        realm, uri = realm or challenge["realm"], f"sip:{PLATFORM}@{REALM}"

        def md5(text):
            return hashlib.md5(text.encode()).hexdigest()
        whose, what = md5(f"{self.number}:{realm}:{password}"), md5(f"REGISTER:{uri}")
        middle = ":00000001:ab12:auth:" if qop else ":"
        said = (f'Authorization: Digest username="{self.number}", realm="{realm}", '
                f'nonce="{challenge["nonce"]}", uri="{uri}", '
                f'response="{md5(whose + ":" + challenge["nonce"] + middle + what)}"')
        said += ', algorithm=MD5, cnonce="ab12", qop=auth, nc=00000001' if qop else ""
        return self.ask("REGISTER", headers=[*headers, said], from_=from_, to=to)

    def notify(self, cmd, fields="", encoding="GB2312", **more):
        body = (f'<?xml version="1.0" encoding="{encoding}"?>\r\n<Notify>\r\n<CmdType>{cmd}</CmdType>\r\n'
                f"<SN>{next(self.count)}</SN>\r\n<DeviceID>{self.number}</DeviceID>\r\n{fields}</Notify>\r\n")
        return self.ask("MESSAGE", body.encode("gb18030"), **more)

    def keepalive(self, **more):
        return self.notify("Keepalive", "<Status>OK</Status>\r\n", **more)[0]


@pytest.fixture
def camera(office, closing):
    numbers = iter(IDS)
    return lambda **more: closing(Camera(office, next(numbers), **more))


def online(city, count=1):
    return [event["data"]["camera"] for event in city.wait_for("bodycam.online", count)]


# ---- Stories

def sipp(folder, office, *more):
    scenario = os.path.join(HERE, "sipp", "camera.xml")
    return town.run(
        "sipp", f"127.0.0.1:{office.port}", "-sf", scenario,
        "-oocsf", os.path.join(HERE, "sipp", "catalogue.xml"), "-key", "platform", PLATFORM, "-s", IDS[0],
        "-au", IDS[0], "-ap", PASSWORD,
        "-m", "1", "-i", "127.0.0.1", "-p", str(town.free_port()), "-timeout", "120s", "-nostdin",
        "-trace_msg", "-message_file", str(folder / "sipp.msg"), "-trace_err", "-error_file", str(folder / "sipp.err"), *more, cwd=str(folder), expect=None)


@pytest.mark.parametrize("transport", ["u1", "t1"])
def test_sipp_registers_with_digest_keeps_alive_and_answers_a_catalogue(tmp_path, office, city, transport):
    done = sipp(tmp_path, office, "-t", transport)
    errors = tmp_path / "sipp.err"
    assert done.returncode == 0, (done.stdout[-3000:], done.stderr, errors.exists() and errors.read_text())
    assert online(city) == [IDS[0]]
    told = city.wait_for("bodycam.catalogue")[0]["data"]
    assert told == {"camera": IDS[0], "sum": 8, "got": 8, "complete": True, "on": 4}
    assert office.ask("show", "channels", f'camera="{IDS[0]}"').count("Camera ") == 8


QUIRKS = {
    "without tags": {"from_": f"From: <sip:{IDS[0]}@{REALM}>", "to": f"To: <sip:{IDS[0]}@{REALM}>"},
    "with a realm of its own": {"realm": "3501050000.spvmn.cn"},
    "with other realms in From and To": {"from_": f"From: <sip:{IDS[0]}@spvmn.cn>;tag=1",
                                         "to": f'To: "Cam" <sip:{IDS[0]}@10.0.0.1:5060>'},
    "with the platform in To": {"to": f"To: <sip:{PLATFORM}@{REALM}>"},
    "without qop": {"qop": False},
    "without anything": {"qop": False, "from_": f"f:sip:{IDS[0]}@x", "to": f"t:sip:{IDS[0]}@y"},
}


@pytest.mark.parametrize("udp", [True, False], ids=["udp", "tcp"])
def test_cameras_with_the_quirks_of_real_ones_register(camera, city, udp):
    one = camera(udp=udp)
    for name, quirk in QUIRKS.items():
        status, told = one.register(**quirk)
        assert (name, status) == (name, 200)
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\d", told["date"])
        assert "tag=" in told["to"]
    assert one.keepalive(to=f"To: <sip:{PLATFORM}@{REALM}>") == 200
    assert online(city) == [IDS[0]]


def test_a_wrong_password_locks_out_who_tried_it_and_nobody_else(office, camera, city):
    wrong, right = camera(), camera()
    assert [wrong.register(password="nearly")[0] for _ in range(5)] == [403] * 5
    assert wrong.ask("REGISTER")[0] == 403
    assert right.register()[0] == 200
    assert [one["data"] for one in city.wait_for("bodycam.auth_failed")] == [
        {"camera": IDS[0], "address": "127.0.0.1", "tries": 5}]
    elsewhere = Camera(office, IDS[0], host="127.0.0.2")
    assert elsewhere.register()[0] == 200
    elsewhere.close()
    assert PASSWORD not in office.text() and "nearly" not in office.text()


def test_what_was_heard_of_a_registration_cannot_be_said_again(office, camera):
    one, thief = camera(), Camera(office, IDS[0], host="127.0.0.2")
    thief.register(password="unknown")
    assert one.register()[0] == 200
    heard = next(line for line in one.said.decode().split("\r\n") if line.startswith("Authorization"))
    for who in one, thief:
        status, told = who.ask("REGISTER", headers=["Expires: 0", heard])
        assert (status, "stale=true" in told["www-authenticate"]) == (401, True)
    thief.close()
    assert one.keepalive() == 200


CITY_NAME = "执法记录仪朱镕基"


def catalogue(number, sn, first, count, sum_, encoding):
    items = "".join(f"<Item><DeviceID>{number[:-3]}{i:03}</DeviceID><Name>{CITY_NAME}{i}</Name>"
                    f"<Status>ON</Status></Item>\r\n" for i in range(first, first + count))
    return (f'<?xml version="1.0" encoding="GB2312"?>\r\n<Response><CmdType>Catalog</CmdType><SN>{sn}</SN>'
            f"<DeviceID>{number}</DeviceID><SumNum>{sum_}</SumNum>\r\n"
            f'<DeviceList Num="{count}">{items}</DeviceList></Response>').encode(encoding)


@pytest.mark.parametrize("udp", [True, False], ids=["udp", "tcp"])
@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_an_answer_of_many_packets_is_read_in_either_charset(office, camera, city, udp, encoding):
    one = camera(udp=udp)
    one.register()
    assert one.keepalive() == 200
    sn = re.search(r"<SN>(\d+)</SN>", one.next_question())[1]
    body = catalogue(IDS[0], sn, 0, 150, 150, encoding)
    assert 15000 < len(body) < 65000  # ten frames of Ethernet and more
    assert one.ask("MESSAGE", body)[0] == 200
    told = city.wait_for("bodycam.catalogue")[0]["data"]
    assert (told["got"], told["complete"]) == (150, True)
    assert f"{CITY_NAME}60" in office.ask("show", "channels", f'camera="{IDS[0]}"')


@pytest.mark.parametrize("told", [-20, 20], ids=["too few", "too many"])
def test_a_content_length_that_counts_letters_is_seen_through_over_udp(camera, city, told):
    one = camera()
    one.register()
    body = alarm(1).replace(b"<AlarmMethod>", "<AlarmDescription>执法记录仪</AlarmDescription><AlarmMethod>"
                            .encode("gbk"))
    one.line.sendall(one.text("MESSAGE", body).replace(b"Content-Length: %d" % len(body),
                                                       b"Content-Length: %d" % (len(body) + told)))
    assert one.answer()[0] == 200
    assert city.wait_for("bodycam.alarm")[0]["data"]["told"] == "2026-11-22T08:00:01"


def test_the_same_alarm_sent_again_is_one_event_and_gets_the_same_answer(camera, city):
    one = camera()
    one.register()
    body = (f"<Notify><CmdType>Alarm</CmdType><SN>5</SN><DeviceID>{IDS[0]}</DeviceID>"
            "<AlarmPriority>1</AlarmPriority><AlarmMethod>2</AlarmMethod></Notify>").encode()
    message, answers = one.text("MESSAGE", body), set()
    for _ in range(5):
        one.line.sendall(message)
        answers.add(str(one.answer()))
    assert len(answers) == 1
    alarm, = city.wait_for("bodycam.alarm")
    assert alarm["data"]["raw"] == hashlib.sha256(body).hexdigest()
    assert one.keepalive() == 200
    assert len(city.events("bodycam.alarm")) == 1


def alarm(number):
    return (f"<Notify><CmdType>Alarm</CmdType><SN>{number}</SN><DeviceID>{IDS[0]}</DeviceID><AlarmMethod>5"
            f"</AlarmMethod><AlarmTime>2026-11-22T08:00:{number:02}</AlarmTime></Notify>").encode()


def is_acknowledged(one, body):
    """One try: false when nothing, or 403, is heard; then it has registered again if it could."""
    try:
        return one.ask("MESSAGE", body)[0] == 200 or one.register()[0] == 0
    except OSError:
        return False


def test_alarms_are_exactly_once_while_the_office_is_killed(office, camera, city):
    """A camera sends an alarm until it hears 200, whatever happens to the office meanwhile."""
    one = camera()
    one.line.settimeout(0.5)
    for number in range(12):
        if number % 3 == 2:
            one.line.sendall(one.text("MESSAGE", alarm(number)))
            time.sleep(0.01 * number)
            office.kill()
            office.start()
        town.wait_for(lambda n=number: is_acknowledged(one, alarm(n)), 30, f"alarm {number}")
    city.wait_for("bodycam.alarm", 12, seconds=30)
    assert [event["data"]["told"][-2:] for event in city.events("bodycam.alarm")] == [
        f"{number:02}" for number in range(12)]
    assert {event["data"]["cause"] for event in city.events("gap.recorded")} == {"plugin_stopped"}


def test_a_camera_behind_a_router_is_followed_to_its_port_and_not_to_another_address(office, camera, city):
    one = camera()
    one.register()
    moved, stranger = Camera(office, IDS[0]), Camera(office, IDS[0], host="127.0.0.2")
    assert moved.keepalive() == 200
    assert "Catalog" in moved.next_question()
    assert stranger.keepalive() == 403
    assert online(city) == [IDS[0]]
    moved.close()
    stranger.close()


def test_silence_is_offline_and_the_return_records_the_gap(tmp_path, city, broker, started, closing):
    office = started(Office(tmp_path / "quick", city, broker, 'keepalive = "5s", missed = 1'))
    one = closing(Camera(office, IDS[0]))
    one.register()
    assert city.wait_for("bodycam.offline")[0]["data"]["cause"] == "silent"
    assert one.keepalive() == 200
    gap, = city.wait_for("gap.recorded")
    assert (gap["data"]["cause"], gap["data"]["camera"]) == ("silent", IDS[0])
    assert len(online(city, 2)) == 2
    assert one.register(expires=0)[0] == 200
    assert city.wait_for("bodycam.offline", 2)[1]["data"]["cause"] == "left"
    assert one.keepalive() == 403


def broken(one):
    """What is no message, in every way that a line of it can be wrong."""
    good = one.text("MESSAGE", b"<Notify><CmdType>Keepalive</CmdType></Notify>")
    lines = good.split(b"\r\n")
    for at in range(len(lines) - 1):
        yield b"\r\n".join(lines[:at] + lines[at + 1:])
        yield b"\r\n".join(lines[:at] + [b"\xff\x00" + lines[at]] + lines[at + 1:])
        yield b"\r\n".join(lines[:at] + [lines[at] * 300] + lines[at + 1:])
    for at in range(0, len(good), 7):
        yield good[:at]
    yield from (b"\r\n\r\n", b"\x00", b"\xff" * 60000, b"SIP/2.0 200 OK\r\n\r\n", good * 100)


def test_nonsense_over_udp_and_tcp_harms_nobody(office, camera, city):
    one = camera()
    one.register()
    pid = office.children()["host"]
    noise = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for message in broken(one):
        noise.sendto(message, ("127.0.0.1", office.port))
        line = socket.create_connection(("127.0.0.1", office.port), timeout=60)
        line.sendall(message)
        line.close()
    noise.close()
    assert one.keepalive() == 200
    assert office.children()["host"] == pid
    assert online(city) == [IDS[0]]


def memory(office):
    """PSS of the plugin's process, in kB."""
    with open(f"/proc/{office.children()['host'][0]}/smaps_rollup", encoding="ascii") as rollup:
        return int(re.search(r"Pss: +(\d+)", rollup.read())[1])


def test_a_flood_of_strangers_costs_no_memory_and_keeps_nobody_out(office, camera, city):
    one, noise = camera(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.register()
    before, pid = memory(office), office.children()["host"]
    for number in range(20000):
        stranger = f"{PLATFORM[:-6]}{number:06}"
        message = one.text("REGISTER", headers=["Expires: 60"], from_=f"From: <sip:{stranger}@x>;tag=1",
                           to=f"To: <sip:{stranger if number % 2 else IDS[1]}@x>")
        noise.sendto(message, ("127.0.0.1", office.port))
    noise.close()
    one.line.settimeout(2)  # what the flood has washed away is said again
    town.wait_for(lambda: is_acknowledged(one, alarm(1)), 10, "an alarm in the flood")
    assert office.children()["host"] == pid
    assert memory(office) - before < 8192
    assert len(office.text().splitlines()) < 100
    assert [event["data"]["camera"] for event in city.wait_for("bodycam.alarm")] == [IDS[0]]


def test_a_question_is_sent_again_until_it_is_answered(office, camera):
    one = camera()
    one.register()
    one.line.sendall(one.text("MESSAGE", (f"<Notify><CmdType>Keepalive</CmdType><DeviceID>{IDS[0]}</DeviceID>"
                              "</Notify>").encode()))
    assert one.answer()[0] == 200
    first, second, third = one.receive(), one.receive(), one.receive()
    assert first == second == third
    one.take(*parse(third))
    assert "<CmdType>Catalog</CmdType>" in one.asked[0]
    assert office.ask("show", "cameras").count("true") == 1


def test_one_address_cannot_take_all_connections(office, camera):
    lines = [socket.create_connection(("127.0.0.1", office.port), timeout=60) for _ in range(50)]
    one_more = socket.create_connection(("127.0.0.1", office.port), timeout=60)
    assert one_more.recv(1) == b""
    elsewhere = Camera(office, IDS[0], udp=False, host="127.0.0.2")
    assert elsewhere.register()[0] == 200
    assert elsewhere.keepalive() == 200
    for line in [*lines, one_more, elsewhere]:
        line.close()
    again = camera(udp=False)
    town.wait_for(lambda: can_register(again), 10, "a connection that is free again")


def can_register(one):
    try:
        return one.register()[0] == 200
    except (OSError, AssertionError):
        one.close()
        one.__init__(one.office, one.number, udp=False)
        return False


def test_over_tcp_messages_come_in_any_pieces(office, camera):
    one = camera(udp=False)
    one.register()
    both = one.text("MESSAGE", alarm(1)) + b"\r\n\r\n" + one.text("MESSAGE", alarm(2))
    for at in range(0, len(both), 40):
        one.line.sendall(both[at:at + 40])
        time.sleep(0.002)
    assert [one.answer()[0], one.answer()[0]] == [200, 200]


RECORDS = [("2026-11-21T07:50:00", "2026-11-21T08:30:00"), ("2026-11-21T08:31:22", "2026-11-21T10:00:00"),
           ("2026-11-21T10:00:00", "2026-11-21T11:00:00")]


def records(number, sn, rows):
    items = "".join(f"<Item><DeviceID>{number}</DeviceID><Name>{CITY_NAME}</Name><StartTime>{a}</StartTime>"
                    f"<EndTime>{b}</EndTime></Item>" for a, b in rows)
    return (f"<?xml version='1.0' encoding='GB2312'?><Response><CmdType>RecordInfo</CmdType><SN>{sn}</SN>"
            f"<DeviceID>{number}</DeviceID><SumNum>{len(RECORDS)}</SumNum><RecordList Num='{len(rows)}'>"
            f"{items}</RecordList></Response>").encode("gb2312", "replace")


def test_who_asks_what_was_recorded_is_told_with_its_gaps(office, camera, city):
    one = camera()
    one.register()
    with subprocess.Popen([town.OUTPOST, "do", "street", "records", "--json", f'camera="{IDS[0]}"',
                           "from=2026-11-21T08:00:00", "to=2026-11-21T12:00:00", "--state", office.state],
                          stdout=subprocess.PIPE, text=True) as asking:
        question = one.next_question()
        assert "<StartTime>2026-11-21T08:00:00</StartTime>" in question
        sn = re.search(r"<SN>(\d+)</SN>", question)[1]
        for row in RECORDS[2], RECORDS[0], RECORDS[0], RECORDS[1]:  # out of order, one of them twice
            assert one.ask("MESSAGE", records(IDS[0], sn, [row]))[0] == 200
        told = json.loads(asking.communicate(timeout=120)[0])
    assert (told["sum"], told["got"], told["complete"]) == (3, 3, True)
    assert [gap["seconds"] for gap in told["gaps"]] == [82]
    assert told["recordings"][0]["from"] == "2026-11-20T23:50:00.000Z"
    assert city.wait_for("bodycam.records")[0]["data"]["gap_seconds"] == 82
