#!/usr/bin/python3
"""walls - includes never cross a wall between rooms, and each library has one door per room.

base, wire, proof and mqtt are the ground floor: the others stand on base, every program on base,
wire and proof, and the two ends of the city's line on mqtt. A program, its unit tests and its
fuzzers include no other program's room; only rehearse does, which is the host with another world around
it.
"""
import os
import re

import tree

FLOOR = {"base": {"base"}, "wire": {"base", "wire"}, "proof": {"base", "proof"},
         "mqtt": {"base", "mqtt"},
         "rehearse": {"base", "wire", "host", "rehearse"},
         "uplink": {"base", "wire", "proof", "mqtt", "uplink"},
         "city": {"base", "wire", "proof", "mqtt", "city"}}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')

# Third-party headers: in which rooms a library may be used. Within a room one file includes a
# header, except where the library is what the room is made of.
LIBRARIES = {
    "event2/": {"base"},
    "cjson/": {"base"},
    "openssl/": {"proof", "mqtt", "courier"},
    "zstd.h": {"proof"},
    "sqlite3.h": {"keeper", "city", "cli"},
    "mosquitto": {"mqtt"},
    "modbus": {"host"},
    "expat.h": {"host"},
    "iconv.h": {"host"},
    "nettle/": {"host"},
    "zlib.h": {"host"},
    "seccomp.h": {"host"},
    "lua": {"host", "rehearse"},
    "lauxlib.h": {"host", "rehearse"},
    "curl/": {"host", "courier"},
    "microhttpd.h": {"host"},
}
MANY_DOORS = ("lua", "lauxlib.h", "openssl/")


def room_of(path):
    """The room a file belongs to, in a part of it or not: core/ROOM/x, tests/core/ROOM/x, tests/fuzz/ROOM/x; else
    None."""
    parts = path.split(os.sep)
    if parts[0] == "core" and len(parts) >= 3:
        return parts[1]
    if parts[:2] in (["tests", "core"], ["tests", "fuzz"]) and len(parts) >= 4:
        return parts[2]
    return None


def includes(root):
    for path in tree.files(root, ".c", ".h"):
        room = room_of(path)
        if room is None:
            continue
        for number, line in enumerate(tree.lines(root, path), 1):
            found = INCLUDE.match(line)
            if found:
                yield path, number, room, found.group(1) == '"', found.group(2)


def own_fault(room, header):
    target = header.split("/")[0] if "/" in header else None
    if target is None:
        return f'"{header}": expected the room in the path, like "{room}/{header}"'
    if target not in FLOOR.get(room, {"base", "wire", "proof", room}):
        return f"{room} may not include {target}"
    return None


def is_beside(root, path, header):
    """A test may include what stands beside it."""
    beside = os.path.join(root, os.path.dirname(path), header)
    return path.startswith("tests") and "/" not in header and os.path.exists(beside)


def library_of(header):
    return next((key for key in LIBRARIES if header.startswith(key)), None)


def lint(root):
    doors = {}
    for path, number, room, own, header in includes(root):
        if own:
            fault = None if is_beside(root, path, header) else own_fault(room, header)
            if fault:
                yield path, number, fault
            continue
        key = library_of(header)
        if key is None or not path.startswith("core"):
            continue
        if room not in LIBRARIES[key]:
            yield path, number, f"{header} belongs to {' and '.join(sorted(LIBRARIES[key]))}"
        elif not key.startswith(MANY_DOORS):
            door = doors.setdefault((room, key), path)
            if door != path:
                yield path, number, f"{header} has its door in {door[len('core/'):]}"


if __name__ == "__main__":
    tree.run(lint)
