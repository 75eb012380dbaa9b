"""Fixtures of the stories: the town, started in order and stopped in reverse."""
import os
import sys

import pytest

HERE = os.path.dirname(__file__)  # the faults use these fixtures too
sys.path[:0] = [os.path.join(HERE, "..", "sim"), HERE]
import promised  # noqa: E402
import town  # noqa: E402


@pytest.fixture
def started():
    """started(program) starts it and stops it at the end; the last started is stopped first."""
    programs = []

    def start(program):
        programs.append(program)
        return program if program.runs() else program.start()
    yield start
    town.stop_all(reversed(programs))
    for program in programs:
        assert "Sanitizer" not in program.text() and "runtime error" not in program.text(), (
            program.log_path)
        if isinstance(program, town.City):
            promised.check_all(program.events())


@pytest.fixture
def closing():
    """closing(thing) is the thing, which is closed at the end; the last one first."""
    things = []
    yield lambda thing: things.append(thing) or thing
    for thing in reversed(things):
        thing.close()


@pytest.fixture
def broker(tmp_path, started):
    return started(town.Broker(tmp_path))


@pytest.fixture
def city(tmp_path, broker, started):
    return started(town.City(tmp_path, broker))


@pytest.fixture
def station(tmp_path, started):
    """Twelve bands on Modbus TCP in a slot table, heard every second."""
    return started(town.Station(tmp_path))


@pytest.fixture
def office(tmp_path, city, broker, station, started):
    """An office that reads the station ten times a second and has seen every band."""
    office = started(town.Office(tmp_path / "office", city, broker, station.plugin(poll='"100ms"')))
    city.wait_for("wristband.seen", 12)
    return office
