"""The faults use the fixtures of the stories."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stories.conftest import (broker, city, office, pytest_collect_file,  # noqa: E402,F401
                              started, station)


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes; make faults runs it, make test not")
