"""markers - what must never leave a plugin, planted and looked for.

A marker is a name, the number of an identity card, the number of a card, a picture or a template that
no other text of a test has. `forms` is every way in which it could lie somewhere: as text in UTF-8, GBK
and UTF-16, escaped for JSON, XML and URLs, in Base64 wherever it begins, in hexadecimal digits.
`Search` looks for all of them in bytes, in files and their names, and in what is packed with zstd.
"""
import base64
import hashlib
import os
import random
import re
import subprocess
import urllib.parse

ZSTD = b"\x28\xb5\x2f\xfd"
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许"
GIVEN = "澜珺翊骁湉旻曜璟霁珩昶筠颢菡弈璐沅煦澍翎"
EACH = 40
PICTURE_BYTES = 600
BEGIN = 6  # bytes that every form has, by which it is noticed


class Marker:
    """`kind`: name, identity, card, picture, template; `value`: text, or the bytes of a picture."""

    def __init__(self, kind, value, number):
        self.kind, self.value, self.number = kind, value, number

    def __repr__(self):
        return f"{self.kind} {self.number}"

    def forms(self):
        if self.kind == "picture":
            return picture_forms(self.value)
        return text_forms(self.value)


def based(data):
    """What of the Base64 of `data` is the same wherever it begins in a longer text."""
    found = set()
    for skip in range(3):
        begin = 4 if skip else 0
        whole = (len(data) - (3 - skip) % 3) // 3 * 4
        found.add(base64.b64encode(b"\0" * skip + data)[begin:begin + whole])
    return found


def text_forms(text):
    plain = {text.encode(), text.encode("gbk"), text.encode("utf-16-le"), text.encode("utf-16-be")}
    found = set(plain)
    for data in plain:
        found |= {data.hex().encode(), data.hex().upper().encode()} | based(data)
    if not text.isascii():
        found.add(text.encode("ascii", "backslashreplace"))
        found.add(text.encode("ascii", "backslashreplace").lower().replace(b"\\u", b"\\U"))
        found.add(text.encode("ascii", "xmlcharrefreplace"))
        found.add(urllib.parse.quote(text).encode())
        found.add(urllib.parse.quote(text).lower().encode())
    return {form for form in found if len(form) >= BEGIN}


def picture_forms(data):
    """Any 24 bytes in a row from four places; the SHA-256 too, because nobody asked for it."""
    found = {hashlib.sha256(data).hexdigest().encode()}
    for at in (24, 200, 400, len(data) - 60):
        piece = data[at:at + 24]
        found |= {piece, piece.hex().encode(), piece.hex().upper().encode()} | based(piece)
    return found


def make(seed=20261122):
    """200 markers: {kind: [40 of them]}."""
    chance = random.Random(seed)
    texts = {
        "name": lambda i: SURNAMES[i % 20] + GIVEN[i // 2] + GIVEN[(7 * i + 3) % 20] if i < 20
        else f"Zhuomu{chance.choice('bdgkt')}e Wangji{chance.randrange(10 ** 4):04d}",
        "identity": lambda i: f"35010519{chance.randrange(5000, 9999)}{chance.randrange(10 ** 6):06d}",
        "card": lambda i: f"6222{chance.randrange(10 ** 9):09d}",
        "template": lambda i: base64.b64encode(chance.randbytes(60)).decode(),
        "picture": lambda i: b"\xff\xd8\xff\xe0\0\x10JFIF\0" + chance.randbytes(PICTURE_BYTES),
    }
    return {kind: [Marker(kind, text(i), i) for i in range(EACH)] for kind, text in texts.items()}


def unpacked(data):
    """What is packed with zstd somewhere in the bytes, each piece by itself."""
    for match in re.finditer(re.escape(ZSTD), data):
        done = subprocess.run(["zstd", "-dcq"], input=data[match.start():], capture_output=True,
                              check=False, timeout=60)
        if done.stdout:
            yield done.stdout


class Search:
    def __init__(self, planted):
        self.forms = {form: marker for kind in planted.values() for marker in kind
                      for form in marker.forms()}
        self.begins = {}
        for form in self.forms:
            self.begins.setdefault(form[:BEGIN], []).append(form)
        self.bytes, self.places, self.packed = 0, 0, 0
        self.found = []

    def look(self, where, data):
        """Looks in the bytes and in what is packed in them."""
        self.places += 1
        self._look(where, data)
        for i, piece in enumerate(unpacked(data)):
            self.packed += 1
            self._look(f"{where}, unpacked {i}", piece)

    def _look(self, where, data):
        self.bytes += len(data)
        begins = self.begins
        at = [i for i in range(len(data)) if data[i:i + BEGIN] in begins] if data.strip(b"\0") else []
        for i in at:
            for form in begins[data[i:i + BEGIN]]:
                if data.startswith(form, i):
                    self.found.append(f"{self.forms[form]} in {where} at {i}: "
                                      f"{data[max(0, i - 40):i + len(form) + 20]!r}")

    def look_in_folder(self, folder):
        """Every file and every name below the folder."""
        for path, names, files in os.walk(folder):
            for name in names + files:
                self.look(f"the name {path}/{name}", os.fsencode(name))
            for name in files:
                place = os.path.join(path, name)
                if os.path.isfile(place) and not os.path.islink(place):
                    with open(place, "rb") as file:
                        self.look(place, file.read())
