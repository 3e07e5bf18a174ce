"""Processes of workers that are started once, and make rounds of calls together.

with farm.start() as workers, workers.round(url) as running:
    ...  # what may go wrong meanwhile
report = checker.check(running.calls(), checker.read_rows(url))
"""

import os
import secrets
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from generated.internal import user_steps
from tests.history import records
from tests.history.calls import CHAIN_WALLET
from tests.history.records import Call
from tests.history.worker import Round

__all__ = ["Farm", "Running", "start"]

_PATIENCE = 90.0
_ROOT = Path(__file__).parents[2]


class Running:
    """A round that is under way."""

    def __init__(self, folder: Path, processes: "list[subprocess.Popen[str]]") -> None:
        self.folder = folder
        self.processes = processes
        self.struck = 0.0  # when a fault began to count
        self._over = False
        self._calls: list[Call] = []

    def calls(self) -> list[Call]:
        """Give what was recorded until now."""
        if not self._over:
            return records.read(self.folder.glob("*.jsonl"))
        return self._calls

    def size(self) -> int:
        """Give how much was recorded until now, in bytes; it is quickly told."""
        return sum(file.stat().st_size for file in self.folder.glob("*.jsonl"))

    def wait_for_calls(self, count: int) -> None:
        """Wait until about so many calls more were made."""
        wanted = self.size() + count * 330
        deadline = time.monotonic() + _PATIENCE
        while self.size() < wanted and time.monotonic() < deadline:
            time.sleep(0.01)

    def end(self) -> None:
        """Let the workers end their calls, and wait for them."""
        (self.folder / "stop").touch()
        for process in self.processes:
            _expect(process, "done")
        self._calls = self.calls()
        self._over = True


@dataclass
class Farm:
    """Processes that wait for rounds; every other one is asynchronous."""

    processes: "list[subprocess.Popen[str]]"

    @contextmanager
    def round(
        self,
        url: str,
        *,
        calls: int = 1_000_000,
        workers: int = 2,
        pool: int = 2,
        seed: int | None = None,
        limits: Mapping[str, float] | None = None,
        through: str | None = None,
        pause: float = 0,
    ) -> Generator[Running]:
        """Have calls made until the block ends; `through` is the URL of the workers.

        Each process has so many workers, who share a pool.
        """
        _welcome(url)
        self._revive()
        with tempfile.TemporaryDirectory(prefix="history-") as made:
            folder = Path(made)
            for number, process in enumerate(self.processes):
                task = Round(
                    url=through or url,
                    name="u",
                    folder=made,
                    calls=calls,
                    seed=secrets.randbits(30) if seed is None else seed,
                    workers=workers,
                    asynchronous=number % 2 == 1,
                    pool=pool,
                    limits=dict(limits or {}),
                    pause=pause,
                )
                _tell(process, task.as_line())
            running = Running(folder, list(self.processes))
            try:
                yield running
            finally:
                running.end()

    def kill(self, number: int) -> None:
        """End a process at once, whatever it is doing; the next round has another."""
        self.processes[number].kill()
        self.processes[number].communicate()

    def _revive(self) -> None:
        for number, process in enumerate(self.processes):
            if process.poll() is not None:
                self.processes[number] = _spawn(number)
                _expect(self.processes[number], "ready")

    def close(self) -> None:
        """End all."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.communicate()


@contextmanager
def start(processes: int = 4) -> Generator[Farm]:
    """Start the processes, and end them with the block."""
    farm = Farm([])
    try:
        farm.processes += [_spawn(number) for number in range(processes)]
        for process in farm.processes:
            _expect(process, "ready")
        yield farm
    finally:
        farm.close()


def _spawn(number: int) -> "subprocess.Popen[str]":
    name = f"{'async' if number % 2 else 'sync'}-{number}"
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.history.worker", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        env={**os.environ, "DATABASE_URL": ""},
    )


def _tell(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _expect(process: "subprocess.Popen[str]", word: str) -> None:
    """Wait for a word; whoever was killed says none."""
    assert process.stdout
    if process.poll() == -signal.SIGKILL:
        return
    ready, _, _ = select.select([process.stdout], [], [], _PATIENCE)
    said = process.stdout.readline().strip() if ready else "nothing in time"
    if said != word and process.poll() != -signal.SIGKILL:
        raise RuntimeError(f"a worker said {said!r} instead of {word!r}")


def _welcome(url: str) -> None:
    """Create the user of the chain's wallet."""
    with psycopg.connect(url, autocommit=True) as conn:
        user_steps.create_user(conn, crossmint_user_id="of the chain", email=None)
        conn.execute(
            "UPDATE users SET wallet_status = 'active', wallet_address = %s"
            " WHERE crossmint_user_id = 'of the chain'",
            [CHAIN_WALLET],
        )
