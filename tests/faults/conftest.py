"""The faults use the fixtures of the stories."""
import os
import random
import sys

import pytest

TESTS = os.path.join(os.path.dirname(__file__), "..")
sys.path[:0] = [TESTS, os.path.join(TESTS, "stories")]
from stories.conftest import broker, city, closing, office, started, station  # noqa: E402,F401


@pytest.fixture
def seed(request):
    """What chance begins with: SEED, or another each time. But in what `make test` runs always the same: that
    is red for a change, and for nothing else."""
    searches = any(request.node.get_closest_marker(mark) for mark in ("slow", "long"))
    number = int(os.environ.get("SEED", "0")) or (random.randrange(1, 1 << 31) if searches else 1)
    print(f"SEED={number}")
    return number
