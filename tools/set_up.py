"""Make `.venv` from a lock file, and say how far it is; `make` runs this.

    python tools/set_up.py STAMP LOCK [PROJECT…]

Runs before anything is installed, so it imports the standard library alone. Writes the
stamp when all is there. What a failed or interrupted run leaves, the next one mends.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

VENV = Path(".venv")
# Stands while packages change: what a killed pip leaves can pass for a whole package.
UNFINISHED = VENV / ".unfinished"
PIP = (str(VENV / "bin/python"), "-m", "pip", "--disable-pip-version-check")
# What pip says where no index answers, besides that it knows no such version.
NO_INDEX = ("Retrying (Retry(", "from versions: none)")


class SetUpError(Exception):
    """The set-up failed; the message says on what, and what to do."""


def main(stamp: str, lock: str, *projects: str) -> int:
    """Set up; the exit code is 2 where that failed, 130 where it was interrupted."""
    start = time.monotonic()
    say(f"setting up {VENV}, once, from {lock}")
    try:
        make_environment()
        install(lock)
        editable = [word for project in projects for word in ("--editable", project)]
        pip("install", "--no-deps", "--no-build-isolation", *editable)
    except SetUpError as error:
        say(f"setup: {error}")
        return 2
    except KeyboardInterrupt:
        say("setup: interrupted; run make again")
        return 130
    UNFINISHED.unlink(missing_ok=True)
    for outdated in VENV.glob(".ready*"):
        outdated.unlink()
    Path(stamp).touch()
    size = sum(path.lstat().st_size for path in VENV.rglob("*")) / 1e6
    say(f"  {time.monotonic() - start:.0f} s, {size:.0f} MB")
    return 0


def make_environment() -> None:
    """Make the environment, unless there is one of this Python, whose pip works."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if (VENV / "lib" / version).exists() and not UNFINISHED.exists():
        working = subprocess.run([*PIP, "--version"], capture_output=True, check=False)
        if not working.returncode:
            return
    if VENV.exists():
        say(f"  {VENV} is unfinished, or another Python's: beginning anew")
        shutil.rmtree(VENV)
    VENV.mkdir()
    UNFINISHED.touch()
    made = subprocess.run([sys.executable, "-m", "venv", VENV], check=False)
    if made.returncode:
        raise SetUpError(
            f"{sys.executable} cannot make a virtual environment, as said above. On "
            f"Debian and Ubuntu: apt install {version}-venv; then run make again"
        )


def install(lock: str) -> None:
    """Install what the lock file pins; some of it is for other systems."""
    total = len(re.findall(r"^\S+==", Path(lock).read_text(), re.MULTILINE))
    names = set[str]()

    def watch(line: str) -> None:
        if match := re.match(
            r"(?:Collecting|Processing|Requirement already .*:) (\S+)", line
        ):
            names.add(name := Path(match[1]).name)
            say(f"  {len(names)} of {total}: {name}", passing=True)
        elif line.startswith("Installing collected packages"):
            UNFINISHED.touch()
            say(f"  {len(names)} packages, {line.count(',') + 1} of them new")

    pip("install", "--require-hashes", "--requirement", lock, watch=watch)


def pip(*arguments: str, watch: Callable[[str], None] = lambda _: None) -> None:
    """Run pip, and show `watch` each line it says.

    Raises SetUpError with what pip called errors.
    """
    lines: list[str] = []
    with subprocess.Popen(
        [*PIP, *arguments, "--progress-bar=off", "--no-input"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            for line in process.stdout or ():
                lines.append(line.rstrip())
                watch(line)
        except KeyboardInterrupt:
            process.wait()  # it was interrupted, too
            raise
    if process.returncode:
        first = next(
            (n for n, line in enumerate(lines) if line.startswith("ERROR")), -5
        )
        remedy = "run make again when that is mended"
        if any(sign in line for line in lines for sign in NO_INDEX):
            remedy = "no package index answered: run make again when there is a network"
        raise SetUpError("\n".join(["pip failed:", *lines[first:], remedy]))


def say(text: str, *, passing: bool = False) -> None:
    """Print a line; a passing one, for terminals alone, gives way to the next."""
    terminal = sys.stdout.isatty()
    if terminal or not passing:
        clear = "\r\x1b[K" if terminal else ""
        print(f"{clear}{text}", end="" if passing else "\n", flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
