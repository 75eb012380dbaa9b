"""updates - an installation whose plugins can be overwritten, as an update would do it.

A program finds the others, the plugins and the library beside itself: so it gets a private copy of the
build, and a plugin is changed by changing its files.
"""
import json
import os
import shutil

import town


class Installed:
    """A copy of the programs and of these plugins in `folder`."""

    def __init__(self, folder, plugins=("wristband",)):
        self.folder = str(folder)
        for part in ("bin", "libexec"):
            shutil.copytree(os.path.join(town.BUILD, part), os.path.join(self.folder, part))
        self.share = os.path.join(self.folder, "share", "outpost")
        self.library = os.path.join(self.share, "lua")
        shutil.copytree(os.path.join(town.ROOT, "lua"), self.library)
        shutil.copytree(os.path.join(town.ROOT, "etc"), os.path.join(self.share, "etc"))
        for name in plugins:
            self.restore(name)
        self.outpost = os.path.join(self.folder, "bin", "outpost")

    def path(self, plugin, name="plugin.lua"):
        return os.path.join(self.share, "plugins", plugin, name)

    def restore(self, plugin):
        """As it was."""
        folder = os.path.dirname(self.path(plugin))
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(os.path.join(town.ROOT, "plugins", plugin), folder)

    def write(self, plugin, text):
        with open(self.path(plugin), "w", encoding="utf-8") as out:
            out.write(text)

    def text(self, plugin):
        with open(self.path(plugin), encoding="utf-8") as file:
            return file.read()

    def change(self, plugin, old, new):
        text = self.text(plugin)
        assert old in text, old
        self.write(plugin, text.replace(old, new, 1))


class UpdatedOffice(town.Office):
    """An office of such an installation, with a short trial."""

    def __init__(self, folder, installed, city=None, broker=None, plugins="", trial="3s"):
        self.trial, self.broker = trial, broker
        super().__init__(folder, city, broker, plugins)
        self.installed = installed
        self.argv = (installed.outpost, *self.argv[1:])

    def configure(self, plugins, city=None, broker=None, more=""):
        super().configure(plugins, city, broker)
        with open(self.config, "a", encoding="utf-8") as out:
            out.write(f'update {{ trial = "{self.trial}" }}\n{more}')

    def reload(self, *more, expect=0):
        """{instance: (state, why)} of the last line of each, and the finished process."""
        done = town.run(self.installed.outpost, "reload", "--config", self.config, "--state",
                        self.state, "--json", *more, expect=expect)
        told = {}
        for line in done.stdout.splitlines():
            said = json.loads(line)
            told[said["instance"]] = (said["state"], said.get("why", ""))
        return told, done

    def pids(self):
        """{name: pid} of all children."""
        return {child["name"]: child["pid"] for child in self.status()["children"]}

    def versions(self):
        return {child["name"]: child.get("version") for child in self.status()["children"]}

    def run_all(self, seconds=10):
        """Waits until all children run."""
        town.wait_for(lambda: os.path.exists(os.path.join(self.state, "keeper.sock")) and
                      self.command("status", expect=None).returncode == 0, seconds, "all to run")
