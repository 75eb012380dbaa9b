"""The power fails at every operation of the disk, in thousands of ways: see powercut/disk.h.

The programs under powercut/ link the product's own libraries, note what they ask of the disk, make
what a disk may hold after a cut, and open that again. Each also runs its controls, with something left
out that must not be, and fails unless they lose events. STATES says how many states, SEED repeats.

powercut/nth lets each call to the disk, and some allocations, fail: see there. STEP=1 is every one.
"""
import os
import subprocess

import pytest
import town

PROGRAMS = os.path.join(town.BUILD, "tests", "faults", "powercut")
STEP = os.environ.get("STEP", "2")
STATES = os.environ.get("STATES", "24000")


def cut(program, states, seed):
    done = subprocess.run([os.path.join(PROGRAMS, program), "--states", str(states), "--seed", str(seed)],
                          stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout.strip())
    assert done.returncode == 0


def test_some_cuts_under_the_keeper_lose_nothing(seed):
    cut("keeper", 1000, seed)


def test_some_cuts_under_the_city_lose_nothing_that_a_receipt_has_told(seed):
    cut("city", 1000, seed)


def test_some_cuts_under_blobs_lose_nothing_that_was_told_done(seed):
    cut("blobs", 800, seed)


def fail(*options):
    done = subprocess.run([os.path.join(PROGRAMS, "nth"), *options], stdout=subprocess.PIPE, text=True,
                          check=False)
    print(done.stdout.strip())
    assert done.returncode == 0


def test_some_calls_that_fail_once_or_for_good_are_never_answered_with_done():
    fail("--step", "37")


@pytest.mark.slow
def test_every_call_that_fails_once_or_for_good_is_never_answered_with_done():
    fail("--step", STEP)


@pytest.mark.slow
def test_cuts_at_every_operation_of_the_keeper_lose_nothing(seed):
    cut("keeper", STATES, seed)


@pytest.mark.slow
def test_cuts_at_the_operations_of_the_city_lose_nothing_that_a_receipt_has_told(seed):
    cut("city", int(STATES) // 3, seed)


@pytest.mark.slow
def test_cuts_at_the_operations_of_blobs_lose_nothing_that_was_told_done(seed):
    cut("blobs", int(STATES) // 2, seed)
