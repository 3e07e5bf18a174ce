"""Make a folder hold exactly the generated files, or report how it differs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


def mirror(files: Mapping[str, str], target: Path, *, check: bool, remedy: str) -> int:
    """Write, or with `check` compare, the Python files below the target.

    Compares both ways, so that a file that is no longer generated is found too. Returns
    the exit code: 1 for a finding.
    """
    there = {
        path.relative_to(target).as_posix(): path.read_text()
        for path in target.rglob("*.py")
    }
    names = sorted(files.keys() | there.keys())
    differing = [name for name in names if files.get(name) != there.get(name)]
    for name in differing:
        if check:
            print(f"{target / name} is not what would be generated: {remedy}")
        else:
            _put(target / name, files.get(name))
    return int(check and bool(differing))


def _put(path: Path, text: str | None) -> None:
    print(f"{'removing' if text is None else 'writing'} {path}", file=sys.stderr)
    if text is None:
        path.unlink()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
