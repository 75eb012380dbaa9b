"""functions - finds the functions of a C, Lua or Python source by its layout.

clang-format puts the brace of a C function body into column 0, Lua bodies end at the indent they
began with, and Python tells by itself: no parser is needed.
"""
import ast
import re

C_NAME = re.compile(r"([A-Za-z_]\w*)\s*\(")
ATTRIBUTE = re.compile(r"__attribute__\(\(.*?\)\)\)? *")
ENDS = (";", "}", "*/", ":")  # of the line before a function's first
LUA_OPEN = re.compile(r"^(\s*)(?!--).*\bfunction\b\s*([\w.:]*)\s*\([^()]*\)\s*$")


def of(path, lines):
    """(name, first line, last line, is public) of each function; lines count from 1."""
    if path.endswith((".c", ".h")):
        return list(of_c(lines))
    if path.endswith(".lua"):
        return list(of_lua(lines))
    return list(of_python(lines))


def of_c(lines):
    for at, line in enumerate(lines):
        if line != "{":
            continue
        first = at
        while first > 0 and lines[first - 1] and not ends(lines[first - 1]):
            first -= 1
        head = ATTRIBUTE.sub("", " ".join(lines[first:at]))
        name = C_NAME.search(head)
        if name and "=" not in head.split("(")[0]:
            yield name.group(1), first + 1, closing(lines, at, "}"), "static" not in head.split("(")[0].split()


def ends(line):
    return line.startswith("#") or line.endswith(ENDS)


def of_lua(lines):
    for at, line in enumerate(lines):
        opened = LUA_OPEN.match(line)
        if opened:
            yield opened.group(2) or "function", at + 1, closing(lines, at, opened.group(1) + "end"), True


def of_python(lines):
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno, True


def closing(lines, at, word):
    for end in range(at + 1, len(lines)):
        if lines[end].startswith(word):
            return end + 1
    return len(lines)
