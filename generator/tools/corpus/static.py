"""What a user's linters and type checkers say to all packages, in one run of each."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from generator.tools.corpus.findings import Findings, Kind

_PYRIGHT = {"typeCheckingMode": "strict"}


def check(packages: Path, found: Findings) -> None:
    """Run every tool; the packages are the folders in `packages`, if there are any."""
    if not _folders(packages):
        return
    _ruff(packages, found)
    _mypy(packages, found)
    _pyright(packages, found)


def _ruff(packages: Path, found: Findings) -> None:
    isolated = ("--isolated", "--no-cache")
    said = _run(packages, "ruff", "check", *isolated, "--output-format=json")
    for error in json.loads(said or "[]"):
        file = Path(error["filename"]).relative_to(packages.resolve())
        detail = f"{error['code']} {error['message']}"
        _note(found, Kind.RUFF, file, error["location"]["row"], detail)
    for line in _run(packages, "ruff", "format", *isolated, "--diff").splitlines():
        file = Path(line.removeprefix("--- "))
        if line.startswith("--- ") and (packages / file).is_file():
            _note(found, Kind.FORMAT, file, 0, "would be reformatted")


def _mypy(packages: Path, found: Findings) -> None:
    folders = _folders(packages)
    options = ("--strict", "--output=json", "--no-error-summary")
    said = _run(packages, "mypy", *options, *folders)
    for line in said.splitlines():
        error: dict[str, Any] = json.loads(line)
        detail = f"[{error['code']}] {error['message']}"
        _note(found, Kind.MYPY, Path(error["file"]), error["line"], detail)


def _pyright(packages: Path, found: Findings) -> None:
    config = packages / "pyrightconfig.json"
    config.write_text(json.dumps(_PYRIGHT), encoding="utf-8")
    python = ("--pythonpath", sys.executable)
    said = _run(packages, "pyright", "-p", str(config), *python, "--outputjson")
    for error in json.loads(said)["generalDiagnostics"]:
        file = Path(error["file"]).relative_to(packages.resolve())
        line = error["range"]["start"]["line"] + 1
        detail = f"[{error.get('rule', '')}] {error['message']}"
        _note(found, Kind.PYRIGHT, file, line, detail)


def _folders(packages: Path) -> list[str]:
    """List the packages; at one that does not parse mypy would stop."""
    folders = sorted(init.parent for init in packages.glob("*/__init__.py"))
    return [
        folder.name for folder in folders if all(map(_parses, folder.rglob("*.py")))
    ]


def _parses(file: Path) -> bool:
    try:
        ast.parse(file.read_text(encoding="utf-8"))
    except SyntaxError:
        return False
    return True


def _note(found: Findings, kind: Kind, file: Path, line: int, detail: str) -> None:
    case, *inner = file.parts
    found.add(kind, case, "", f"{'/'.join(inner)}:{line}: {detail}")


def _run(packages: Path, *arguments: str) -> str:
    """Run a tool in the folder of the packages; return its standard output."""
    ran = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=packages,
        capture_output=True,
        text=True,
        check=False,
    )
    # All of them end with 1 after findings and with 2 or more where they fail.
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"{arguments[0]} failed: {ran.stderr or ran.stdout}")
    return ran.stdout
