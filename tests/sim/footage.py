"""footage - a docking station with real clips: MP4 of ffmpeg's test picture, offered over FTP.

What was put into it is told by its own list: `clips`, a Clip each.
"""
import collections
import datetime
import hashlib
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "doubles"))

CAMERA, OFFICER = "T1A0001", "012345"
CHINA = datetime.timezone(datetime.timedelta(hours=8))

# `at` is when it lay there whole, in microseconds UTC.
Clip = collections.namedtuple("Clip", "name sha256 size is_important at")


def why_not():
    """What is missing for it; None when it can be had."""
    if shutil.which("ffmpeg") is None:
        return "no ffmpeg (apt-get install ffmpeg)"
    try:
        import dock  # noqa: F401 pylint: disable=unused-import,import-outside-toplevel
    except ImportError as why:
        return f"{why} (apt-get install python3-pyftpdlib)"
    return None


class DockingStation:
    """An FTP server in a thread, over `folder`/NAME."""

    def __init__(self, folder, name="dock"):
        import dock  # pylint: disable=import-outside-toplevel
        self.user, self.password, self.make = dock.USER, dock.PASSWORD, dock.Dock
        self.folder = os.path.join(str(folder), name)
        os.makedirs(self.folder)
        self.clips, self.server = [], None

    def start(self):
        self.server = self.make(self.folder)
        return self

    def stop(self):
        if self.server is not None:
            self.server.close()
            self.server = None

    def put(self, seconds=1, is_important=False):
        """A camera is put in: its clip of so many seconds, written bit by bit as a real one is."""
        moment = datetime.datetime.now(CHINA)
        name = f"{CAMERA}_{OFFICER}_{moment:%Y%m%d%H%M%S}{'_IMP' if is_important else ''}.mp4"
        path = os.path.join(self.folder, name)
        taken = moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15",
             "-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
             "-metadata", f"creation_time={taken}", "-metadata", f"title={name}", path], check=True, timeout=60)
        with open(path, "rb") as file:
            data = file.read()
        clip = Clip(name, hashlib.sha256(data).hexdigest(), len(data), is_important, int(time.time() * 1e6))
        self.clips.append(clip)
        return clip

    def path(self, clip):
        return os.path.join(self.folder, clip.name)

    def plugin(self, instance="dock", **settings):
        """The configuration of a bodycam-dock plugin that reads this dock."""
        given = {"url": f'"{self.server.url()}"', "user": f'"{self.user}"', "password": f'"{self.password}"',
                 **settings}
        return f'plugin "bodycam-dock" "{instance}" {{ {", ".join(f"{k} = {v}" for k, v in given.items())} }}\n'
