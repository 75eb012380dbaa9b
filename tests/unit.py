#!/usr/bin/python3
"""unit.py FLAVOUR PROGRAM... - runs C unit tests (cmocka, TAP) and says what failed.

A program without tests is a failure, and so is one that hangs: five minutes are enough on the slowest machine. Two lines
matter: one per failed test while it runs, and the closing line with the counts.
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import time

LIMIT_S = 300
STRICT = {
    "CMOCKA_MESSAGE_OUTPUT": "TAP",
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


def run(program):
    """(program, passed, failed, skipped, output, seconds) of one test program."""
    begun = time.monotonic()
    try:
        done = subprocess.run([os.path.abspath(program)], env={**os.environ, **STRICT},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=LIMIT_S, check=False)
        code, output = done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        code, output = -1, (late.stdout or b"").decode(errors="replace") + "\ntoo slow: killed\n"
    skipped = len(re.findall(r"^(not )?ok \d+ # SKIP", output, re.M))
    passed = len(re.findall(r"^ok \d+(?! # SKIP)\b", output, re.M))
    failed = len(re.findall(r"^not ok \d+(?! # SKIP)\b", output, re.M))
    if passed + failed + skipped == 0 or (code != 0 and failed == 0):
        failed += 1
        output += f"\n{program}: ended with {code} after {passed} tests\n"
    return program, passed, failed, skipped, output, time.monotonic() - begun


def main():
    flavour, programs = sys.argv[1], sys.argv[2:]
    begun = time.monotonic()
    passed = failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for program, good, bad, left, output, seconds in pool.map(run, programs):
            name = re.sub(r".*/tests/core/", "", program)
            print(f"{'FAILED' if bad else 'ok':6} {name} ({good}/{good + bad}, {seconds:.1f} s)",
                  flush=True)
            if bad:
                print(output)
            passed, failed, skipped = passed + good, failed + bad, skipped + left
    print(f"unit ({flavour}): {passed} passed, {failed} failed, {skipped} skipped, "
          f"{len(programs)} programs, {time.monotonic() - begun:.1f} s")
    sys.exit(1 if failed or not programs else 0)


if __name__ == "__main__":
    main()
