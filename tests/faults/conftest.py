"""The faults use the fixtures of the stories."""
import os
import sys

TESTS = os.path.join(os.path.dirname(__file__), "..")
sys.path[:0] = [TESTS, os.path.join(TESTS, "stories")]
from stories.conftest import broker, city, office, started, station  # noqa: E402,F401
