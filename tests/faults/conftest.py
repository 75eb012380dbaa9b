"""The faults use the fixtures of the stories."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stories.conftest import broker, city, office, started, station  # noqa: E402,F401
