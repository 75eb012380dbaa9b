"""A device behind a wire that goes dead without a word: the line is found dead, and opened again."""
import os
import time

import nets
import programs
import pytest
import town

READER = os.path.join(town.ROOT, "tests", "sim", "doubles", "reader.py")
KEEPALIVE_S = 3


@pytest.fixture
def net():
    with nets.opened() as net:
        yield net


@pytest.fixture
def reader(tmp_path, net, started):
    port = town.free_port()
    program = town.Program(tmp_path, "reader", *net.inside, "/usr/bin/python3", "-B", READER,
                           net.city_ip, str(port))
    program.port = port
    return started(program)


@pytest.fixture
def office(tmp_path, net, city, broker, reader, started):
    plugins = (f'plugin "lines" "all" {{ trackers = "tcp://127.0.0.1:{town.free_port()}", '
               f'reader = "tcp://{net.city_ip}:{reader.port}", keepalive = "{KEEPALIVE_S}s", '
               f'scale = "serial:///dev/ttyNONE", beacons = "udp://0.0.0.0:{town.free_port()}" }}\n')
    return started(programs.TickingOffice(tmp_path / "office", city, broker, 1, plugins=plugins))


def test_a_line_that_is_half_open_is_found_and_opened_again(office, city, net, reader):
    city.wait_for("reader.card", 10)
    begun = time.monotonic()
    net.half_open(reader.port)
    town.wait_for(lambda: "does not answer any more" in office.text(), 20, "the dead line to be found")
    found_s = time.monotonic() - begun
    assert net.dropped() > 0
    assert found_s > KEEPALIVE_S - 1, f"found after {found_s:.1f} s"
    before = len(city.events("reader.card"))
    city.wait_for("reader.card", before + 10)
    net.heal()
    print(f"half-open line: found after {found_s:.1f} s with keepalive = {KEEPALIVE_S} s")
