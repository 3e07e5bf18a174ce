"""Write `store/_sync` from `store/_async`, or check that it is what would be written.

Ordered substitutions of words, then ruff. Usage: make_sync.py [--check]
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from folders import mirror

SOURCE = Path("src/store/_async")
TARGET = Path("src/store/_sync")
# What differs in more than words is written by hand, beside the generated modules.
BY_HAND = {"waiting.py"}
HEADER = "# Generated from store/_async/{} by tools/make_sync.py. DO NOT EDIT.\n"

SUBSTITUTIONS = [
    (
        r'"""What awaits the database;.*"""',
        '"""The counterpart of `store._async`, which blocks."""',
    ),
    (r"\bwait_async\b", "wait"),
    (r"iscoroutinefunction", "isfunction"),
    (r"from generated\.aio import", "from generated import"),
    (r"from generated\.internal\.aio import", "from generated.internal import"),
    (r"asynccontextmanager", "contextmanager"),
    (r"AbstractAsyncContextManager", "AbstractContextManager"),
    (r"Awaitable\[(\w+(?:\[\w+\])?)\]", r"\1"),
    (r", Awaitable\b", ""),
    (r"__aenter__", "__enter__"),
    (r"__aexit__", "__exit__"),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\basync (?=def|with|for)", ""),
    (r"\bawait ", ""),
]


def main() -> int:
    """Write the counterpart, or report with exit code 1 how it differs."""
    used: set[str] = set()
    files = {
        path.name: _translate(path, used)
        for path in sorted(SOURCE.glob("*.py"))
        if path.name not in BY_HAND
    }
    files |= {name: (TARGET / name).read_text() for name in BY_HAND}
    if unused := [pattern for pattern, _ in SUBSTITUTIONS if pattern not in used]:
        print(f"substitutions without use: {unused}", file=sys.stderr)
        return 2
    check = "--check" in sys.argv[1:]
    return mirror(files, TARGET, check=check, remedy="run make sync")


def _translate(path: Path, used: set[str]) -> str:
    text = path.read_text()
    for pattern, replacement in SUBSTITUTIONS:
        text, count = re.subn(pattern, replacement, text)
        if count:
            used.add(pattern)
    text = HEADER.format(path.name) + text
    for command in (["check", "--select=I,F401", "--fix-only", "--quiet"], ["format"]):
        named = f"--stdin-filename={TARGET / path.name}"
        # This environment's, be it activated or not.
        ruff = [sys.executable, "-m", "ruff", *command, named, "-"]
        text = subprocess.run(
            ruff, input=text, capture_output=True, text=True, check=True
        ).stdout
    return text


if __name__ == "__main__":
    sys.exit(main())
