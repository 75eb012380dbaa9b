"""Devices that misbehave: nothing is ever taken for the answer of another question."""
import os
import statistics
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "sim", "doubles"))
import keeper  # noqa: E402
import modbus  # noqa: E402
import town  # noqa: E402

HOST = os.path.join(town.BUILD, "libexec", "outpost", "host")
LIBRARY = os.path.join(town.ROOT, "lua")
POLLER = os.path.join(town.ROOT, "tests", "sim", "doubles", "poller")

# fault -> what the plugin may be told, over TCP and over a serial line (None: not there)
TOLD = {
    "good": ({"good"}, {"good"}),
    "hang": ({"timeout"}, {"timeout"}),
    "exception": ({"exception 2"}, {"exception 2"}),
    "busy": ({"exception 6"}, {"exception 6"}),
    "short": ({"timeout"}, {"timeout"}),
    "drip": ({"timeout"}, {"timeout", "identity"}),
    "wrong_transaction": ({"identity"}, None),
    "wrong_checksum": (None, {"identity"}),
    "wrong_unit": ({"identity"}, {"identity"}),
    "wrong_function": ({"identity"}, {"identity"}),
    "wrong_length": ({"timeout", "identity"}, {"timeout", "identity"}),
    "fewer": ({"identity"}, {"identity"}),
    "garbage": ({"identity", "timeout"}, {"identity", "timeout"}),
    "twice": ({"good", "identity"}, {"good", "identity"}),
    "late": ({"timeout"}, {"timeout", "identity"}),
    "later": ({"timeout"}, {"timeout", "identity"}),
    "close": ({"closed"}, None),
}


class Poller:
    """A real host with the plugin `poller`."""

    def __init__(self, url, polls, timeout_ms=100, pause_ms=0):
        config = {"url": url, "polls": polls, "timeout": timeout_ms, "count": 4,
                  "pause": pause_ms}
        self.keeper = keeper.KeeperDouble(HOST, POLLER, LIBRARY, config)

    def done(self):
        return any(kind == "poller.done" for kind, _, _ in self.keeper.events)

    def result(self, seconds=180):
        assert self.keeper.run(self.done, seconds), "the poller did not end"
        return [data for kind, _, data in self.keeper.events if kind == "poller.done"][0]

    def close(self):
        self.keeper.close()


def device_on(wire, folder, fault, **settings):
    if wire == "tcp":
        return modbus.TcpDevice(fault, **settings)
    return modbus.SerialDevice(str(folder), fault, **settings)


@pytest.mark.parametrize("wire", ["tcp", "rtu"])
@pytest.mark.parametrize("fault", TOLD)
def test_each_fault_is_told_by_its_name_and_in_time(tmp_path, closing, wire, fault):
    allowed = TOLD[fault][wire == "rtu"]
    if allowed is None:
        pytest.skip("there is no such fault on this wire")
    patience_ms = 100
    if "timeout" not in allowed:  # what is answered at once is no time-out on a busy machine either
        patience_ms = 400 if wire == "rtu" else 2000
    device = closing(device_on(wire, tmp_path, fault, timeout_s=0.2))
    poller = closing(Poller(device.url, polls=5, timeout_ms=patience_ms))
    result = poller.result()
    assert set(result["told"]) <= allowed, result["told"]
    assert sum(result["told"].values()) == 5
    assert result["longest_ms"] < patience_ms + 30000, "a request took far longer than its time-out"


def check_attribution(folder, closing, wire, fault, polls, rate):
    """None of so many answers is taken for that of another question; so often the device misbehaves."""
    device = closing(device_on(wire, folder, fault, rate=rate, timeout_s=0.04))
    poller = closing(Poller(device.url, polls=polls, timeout_ms=40))
    told = poller.result(seconds=240)["told"]
    assert told.get("wrong", 0) == 0, told
    assert told["good"] > polls * 0.1, told  # a busy machine is late too
    assert device.struck > polls * rate * 0.5, "the double did not misbehave"


@pytest.mark.parametrize("wire", ["tcp", "rtu"])
@pytest.mark.parametrize("fault", ["late", "later", "twice"])
def test_no_answer_is_wrongly_attributed(tmp_path, closing, wire, fault):
    check_attribution(tmp_path, closing, wire, fault, 600, 0.05)


@pytest.mark.parametrize("wire", ["tcp", "rtu"])
@pytest.mark.parametrize("fault", ["garbage", "short", "fewer", "wrong_unit", "busy"])
def test_a_device_that_recovers_is_read_again(tmp_path, closing, wire, fault):
    device = closing(device_on(wire, tmp_path, fault, rate=0.1, timeout_s=0.04))
    poller = closing(Poller(device.url, polls=300, timeout_ms=40))
    told = poller.result()["told"]
    assert told.get("wrong", 0) == 0, told
    assert told["good"] > 60, told  # without recovery it is some ten


def median_gap(poller):
    return statistics.median(poller.result()["gaps_ms"])


def test_others_do_not_wait_while_one_device_hangs(closing):
    good = closing(modbus.TcpDevice("good"))
    hanging = closing(modbus.TcpDevice("hang"))
    neighbour = closing(Poller(hanging.url, polls=100000, timeout_ms=4000))
    beside = median_gap(closing(Poller(good.url, polls=100, pause_ms=10)))
    assert neighbour.keeper.process.poll() is None
    assert beside < 1500, "they waited for its time-outs"
