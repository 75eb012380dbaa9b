#!/usr/bin/python3
"""names - one file, one noun: a public function carries its file's name, a guard its path.

A header that shows a small struct may also give it its own functions (frame.h: struct field,
field_text), and a family of files shares its first word (bind_emit.c: bind_commit); what the linker
puts in a function's place has __wrap_ before its name. Also: no typedef of a struct, no word that says nothing, plain ASCII in code.
"""
import os
import re

import functions
import tree

NOTHING = {"helper", "helpers", "util", "utils", "manager", "data", "info", "misc", "common", "stuff"}
VERBS = {"handle", "process", "do"}  # as what a function does; a process may well be ended
FINE = {"log_info"}  # the name of a level
LEFT = re.compile("\\b(TO" + "DO|FIX" + "ME|X" + "XX)\\b")
PROTOTYPE = re.compile(r"^(?!static|typedef|struct \w+ \{|enum|#|\s|/|\*)[\w *]*?\b(\w+)\(")
TYPEDEF = re.compile(r"^\s*typedef\s+(struct|union|enum)\b[^()]*;|^\s*typedef\s+(struct|union|enum)\b[^()]*\{")


def stem(path):
    return os.path.splitext(os.path.basename(path))[0]


def word_fault(name, noun=""):
    deed = name.removeprefix(noun + "_").lower()
    says_nothing = NOTHING & set(deed.split("_")) | VERBS & {deed.split("_")[0]}
    if says_nothing and name not in FINE:
        return f"{name}: the word {sorted(says_nothing)[0]} says nothing"
    return None


def of_file(path, lines):
    if word_fault(stem(path)):
        yield path, 0, word_fault(stem(path))
    for number, line in enumerate(lines, 1):
        if LEFT.search(line):
            yield path, number, f"{LEFT.search(line).group(1)}: finish it or write an issue"


def of_c(path, lines):
    for number, line in enumerate(lines, 1):
        if TYPEDEF.match(line):
            yield path, number, "no typedef: types are struct NOUN"
        if not line.isascii():
            yield path, number, "expected ASCII only"
    for name, first, _, _ in functions.of(path, lines):
        if path.startswith("core") and word_fault(name, stem(path)):  # tests are sentences
            yield path, first, word_fault(name, stem(path))


def public_names(path, lines):
    if path.endswith(".h"):
        for number, line in enumerate(lines, 1):
            found = PROTOTYPE.match(line)
            if found and not line.startswith("_Noreturn __"):
                yield found.group(1), number
    else:
        for name, first, _, public in functions.of(path, lines):
            if public:
                yield name, first


def shown_structs(root, path):
    header = os.path.splitext(path)[0] + ".h"
    if not os.path.exists(os.path.join(root, header)):
        return set()
    return set(re.findall(r"^struct (\w+) \{", "\n".join(tree.lines(root, header)), re.M))


def of_core(root, path, lines):
    noun = stem(path)
    nouns = {noun, noun.split("_")[0]} | shown_structs(root, path)
    for name, number in public_names(path, lines):
        name = name.removeprefix("__wrap_")
        if noun == "main" and name != "main":
            yield path, number, f"{name}: expected nothing public in main.c but main"
        elif not any(name == n or name.startswith(n + "_") for n in nouns):
            yield path, number, f"{name}: expected the file's noun, {noun}_..."
    guard = "_".join(path.split(os.sep)[1:]).upper().replace(".", "_")
    if path.endswith(".h") and f"#ifndef {guard}" not in lines:
        yield path, 0, f"expected the header guard {guard}"


def lint(root):
    for path in tree.files(root, ".c", ".h", ".lua", ".py", ".sh"):
        lines = tree.lines(root, path)
        yield from of_file(path, lines)
        if path.endswith((".c", ".h")):
            yield from of_c(path, lines)
            if path.startswith("core" + os.sep):
                yield from of_core(root, path, lines)


if __name__ == "__main__":
    tree.run(lint)
