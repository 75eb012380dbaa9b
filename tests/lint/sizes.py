#!/usr/bin/python3
"""sizes - no file over 600 lines, no function over 60."""
import functions
import tree

FILE_MAX = 600
FUNCTION_MAX = 60
CODE = (".c", ".h", ".lua", ".py")


def lint(root):
    for path in tree.files(root, *CODE, ".sh"):
        lines = tree.lines(root, path)
        if len(lines) > FILE_MAX:
            yield path, 0, f"expected at most {FILE_MAX} lines, got {len(lines)}"
        if not path.endswith(CODE):
            continue
        for name, first, last, _ in functions.of(path, lines):
            if last - first + 1 > FUNCTION_MAX:
                yield path, first, (f"{name}: expected at most {FUNCTION_MAX} lines, "
                                    f"got {last - first + 1}")


if __name__ == "__main__":
    tree.run(lint)
