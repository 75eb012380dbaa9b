"""The lints are tested with a bad tree: each fault is named with its file and line."""
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))

LONG = "int a_long(void)\n{\n" + "    step();\n" * 60 + "}\n"
FAULTS = {
    "walls": [
        ("core/uplink/session.c", '#include "uplink/session.h"\n#include "keeper/journal.h"\n',
         "core/uplink/session.c:2: uplink may not include keeper"),
        ("core/keeper/blobs/cask.c", '#include "host/plugin.h"\n',
         "core/keeper/blobs/cask.c:1: keeper may not include host"),
        ("core/wire/frame.c", '#include "proof/tree.h"\n',
         "core/wire/frame.c:1: wire may not include proof"),
        ("core/base/loop.c", '#include "loop.h"\n',
         'core/base/loop.c:1: "loop.h": expected the room in the path, like "base/loop.h"'),
        ("core/uplink/sync.c", "#include <sqlite3.h>\n",
         "core/uplink/sync.c:1: sqlite3.h belongs to city and cli and keeper"),
        ("core/host/plugin.c", "#include <modbus.h>\n",
         "core/host/plugin.c:1: modbus.h has its door in host/fieldbus.c"),
        ("tests/core/city/store_test.c", '#include "uplink/sync.h"\n',
         "tests/core/city/store_test.c:1: city may not include uplink"),
    ],
    "names": [
        ("core/base/hex.c", "int decode(void)\n{\n    return 0;\n}\n",
         "core/base/hex.c:1: decode: expected the file's noun, hex_..."),
        ("core/base/util.c", "", "core/base/util.c: util: the word util says nothing"),
        ("core/base/line.c", "static void\nprocess_line(void)\n{\n}\n",
         "core/base/line.c:1: process_line: the word process says nothing"),
        ("core/base/hex.h", "#ifndef HEX_H\nvoid wrong(void);\n",
         "core/base/hex.h: expected the header guard BASE_HEX_H"),
        ("core/host/web/cidr.h", "#ifndef HOST_CIDR_H\n",
         "core/host/web/cidr.h: expected the header guard HOST_WEB_CIDR_H"),
        ("core/base/hex.h", "#ifndef HEX_H\nvoid wrong(void);\n",
         "core/base/hex.h:2: wrong: expected the file's noun, hex_..."),
        ("core/city/main.c", "int start(void)\n{\n}\n",
         "core/city/main.c:1: start: expected nothing public in main.c but main"),
        ("core/base/one.c", "typedef struct one one_t;\n",
         "core/base/one.c:1: no typedef: types are struct NOUN"),
        ("lua/two.lua", "-- TO" + "DO\n", "lua/two.lua:1: TO" + "DO: finish it or write an issue"),
        ("core/base/euro.c", "/* \u20ac */\n", "core/base/euro.c:1: expected ASCII only"),
    ],
    "sizes": [
        ("core/base/a.c", LONG, "core/base/a.c:1: a_long: expected at most 60 lines, got 63"),
        ("lua/b.lua", "local function b()\n" + "    b()\n" * 60 + "end\n",
         "lua/b.lua:1: b: expected at most 60 lines, got 62"),
        ("tests/c.py", "def c():\n" + "    c()\n" * 60,
         "tests/c.py:1: c: expected at most 60 lines, got 61"),
        ("lua/d.lua", "\n" * 601, "lua/d.lua: expected at most 600 lines, got 601"),
    ],
    "folders": [
        ("tests/core/base/hex_test.c", "", "tests/core/base/hex_test.c: holds no test"),
        ("tests/core/base/hex_test.c", "",
         "tests/core/base/hex_test.c: expected a source core/base/hex.c that it tests"),
        ("plugins/x/plugin.lua", "", "plugins/x: expected a README.md that says what belongs here"),
        ("core/keeper/blobs/cask.c", "", "core/keeper/blobs: expected a README.md that says what belongs here"),
        *((f"core/cli/of{i}.c", "", "core/cli: expected at most 30 sources, got 31: put some into a part")
          for i in range(31)),
    ],
}


def lint(name, root):
    done = subprocess.run([sys.executable, "-B", f"{HERE}/{name}.py", str(root)], check=False,
                          capture_output=True, text=True)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def put(root, path, text):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_bad_tree_is_reported(name, tmp_path):
    put(tmp_path, "core/host/fieldbus.c", "#include <modbus.h>\n")
    for path, text, _ in FAULTS[name]:
        put(tmp_path, path, text)
    code, found = lint(name, tmp_path)
    assert code == 1
    for _, _, expected in FAULTS[name]:
        assert expected in found


@pytest.mark.parametrize("name", ["walls", "names", "sizes"])
def test_a_good_tree_is_not(name, tmp_path):
    put(tmp_path, "core/base/hex.h",
        "#ifndef BASE_HEX_H\n#define BASE_HEX_H\nint hex_read(void);\n#endif\n")
    put(tmp_path, "core/base/hex.c",
        '#include "base/hex.h"\n\nstatic int one(void)\n{\n    return 1;\n}\n\n'
        "int hex_read(void)\n{\n    return one();\n}\n")
    assert lint(name, tmp_path) == (0, [])
