"""programs - the programs under test with the plugins of these tests beside the product's own.

A program finds the others, and the plugins, beside itself: so they get a private copy of the build.
"""
import os
import shutil

import town

HERE = os.path.dirname(os.path.abspath(__file__))


def private(folder):
    """Copies the build into `folder`; the path of its `outpost`, which knows these plugins too."""
    for part in ("bin", "libexec"):
        shutil.copytree(os.path.join(town.BUILD, part), folder / part)
    plugins = folder / "share" / "outpost" / "plugins"
    plugins.mkdir(parents=True)
    (folder / "share" / "outpost" / "lua").symlink_to(os.path.join(town.ROOT, "lua"))
    ours = [os.path.join(HERE, "plugins", name) for name in os.listdir(os.path.join(HERE, "plugins"))]
    for path in ours + [os.path.join(town.ROOT, "plugins", "wristband")]:
        (plugins / os.path.basename(path)).symlink_to(path)
    return str(folder / "bin" / "outpost")


def ticker(count, group=1, pause="0s"):
    """The configuration of a ticker."""
    return f'plugin "ticker" "t" {{ count = {count}, group = {group}, pause = "{pause}" }}\n'


class TickingOffice(town.Office):
    """An office whose ticker counts to `count`, `group` at a time with a pause between; further
    plugins may be given. `through` is put before the command."""

    def __init__(self, folder, city, broker, count, group=1, pause="50ms", plugins="", through=()):
        super().__init__(folder, city, broker, ticker(count, group, pause) + plugins)
        self.count = count
        self.argv = (*through, private(folder / "programs"), *self.argv[1:])
