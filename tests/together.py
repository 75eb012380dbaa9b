#!/usr/bin/python3
"""together.py NAME FOLDER [OPTION...] - runs the test files of a folder, each by a pytest of its own, some at once.

Stories and faults wait most of their time: for devices that beat, lines that are down, processes that come
back. One needs a fifth of a core, so two for each core run at once. No two have a port in common
(sim/town.py), and each has a folder of its own, which is gone when it was green. Two lines matter: one per
file as it ends, with why a test was skipped, and the closing line with the counts. What a file that failed
said is shown whole.
"""
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NOTHING_CHOSEN = 5  # what pytest ends with when no test of the file is wanted
NOTHING_TOLD = -1  # it ended well, and did not say with how many
COUNTED = ("passed", "failed", "error", "skipped")
LONG = ("powercut_fault.py", "exports_fault.py", "dock_story.py", "isapi_story.py", "thinning_story.py", "doubles_story.py",
        "evidence_story.py", "privacy_story.py", "checker_story.py")  # though they look short


def files(folder):
    """Long ones first, so that none is left over that begins when all the others are done."""
    found = glob.glob(os.path.join(ROOT, folder, "*_story.py")) + glob.glob(os.path.join(ROOT, folder, "*_fault.py"))
    return sorted(found, key=lambda path: (os.path.basename(path) not in LONG, -os.path.getsize(path), path))


def run(path, options):
    """(path, code, {word: count}, output, seconds, where its files are) of one file."""
    begun, place = time.monotonic(), tempfile.mkdtemp(prefix="outpost-")
    done = subprocess.run([sys.executable, "-B", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider",
                           f"--basetemp={place}/t", *options, path], cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    output = done.stdout.decode(errors="replace")
    closing = re.findall(r"^(\d+ .*) in [\d.]+s\b", output, re.M)
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (\w+?)s?\b", "".join(closing[-1:]))
              if word in COUNTED}
    code = done.returncode or (0 if counts else NOTHING_TOLD)
    if code in (0, NOTHING_CHOSEN):
        shutil.rmtree(place, ignore_errors=True)
    elif not {"failed", "error"} & set(counts):
        counts["failed"] = 1
    return path, code, counts, output, time.monotonic() - begun, place


def tell(path, code, counts, output, seconds, place):
    """What is said of a file; nothing when none of its tests was wanted."""
    if code == NOTHING_CHOSEN:
        return
    good = code == 0
    print(f"{'ok' if good else 'FAILED':6} {os.path.relpath(path, ROOT)} "
          f"({', '.join(f'{counts[word]} {word}' for word in COUNTED if word in counts)}, {seconds:.1f} s)", flush=True)
    if good:
        print(*(f"       {line}\n" for line in output.splitlines() if line.startswith("SKIPPED")), sep="", end="", flush=True)
    else:
        print(f"{output}\ntogether.py: {os.path.relpath(path, ROOT)} ended with {code}; its files are in {place}", flush=True)


def main():
    name, folder, options = sys.argv[1], sys.argv[2], sys.argv[3:]
    begun, total, bad = time.monotonic(), dict.fromkeys(COUNTED, 0), 0
    with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        waiting = [pool.submit(run, path, options) for path in files(folder)]
        try:
            for done in concurrent.futures.as_completed(waiting):
                path, code, counts, *rest = done.result()
                tell(path, code, counts, *rest)
                bad += code not in (0, NOTHING_CHOSEN)
                total = {word: total[word] + counts.get(word, 0) for word in COUNTED}
        except KeyboardInterrupt:  # those that run have heard it too, and stop what they started
            pool.shutdown(cancel_futures=True)
            sys.exit(130)
    ran = sum(total.values())
    print(f"{name}: {total['passed']} passed, {total['failed'] + total['error']} failed, {total['skipped']} skipped, "
          f"{time.monotonic() - begun:.1f} s")
    sys.exit(1 if bad or not ran else 0)


if __name__ == "__main__":
    main()
