"""Processes of workers that are started once, and make rounds of calls together.

with farm.start() as workers, workers.round(url) as running:
    ...  # what may go wrong meanwhile
report = checker.check(running.calls(), checker.read_rows(url))
"""

import os
import secrets
import signal
import socket
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
from store_testing.history import records
from store_testing.history.calls import CHAIN_WALLET
from store_testing.history.records import Call
from store_testing.history.worker import Round

__all__ = ["Farm", "Running", "start"]

_PATIENCE = 90.0
# The database made these ids for calls of whose outcome perhaps nobody heard.
_KEPT = """
CREATE TABLE gone_items AS
    SELECT id, user_id, product_id FROM cart_items WITH NO DATA;
CREATE TABLE gone_orders AS
    SELECT orders.id, user_id, type, checkout_id, cart_item_id AS item, true AS given_up
    FROM orders, order_items WITH NO DATA;
CREATE FUNCTION keep_item() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO gone_items VALUES (OLD.id, OLD.user_id, OLD.product_id);
    RETURN OLD; END $$;
CREATE FUNCTION keep_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO gone_orders VALUES (OLD.id, OLD.user_id, OLD.type, OLD.checkout_id,
        (SELECT cart_item_id FROM order_items WHERE order_id = OLD.id),
        EXISTS (SELECT FROM order_events
                WHERE order_id = OLD.id AND type = 'store.given_up'));
    RETURN OLD; END $$;
CREATE TRIGGER keep_item BEFORE DELETE ON cart_items
    FOR EACH ROW EXECUTE FUNCTION keep_item();
CREATE TRIGGER keep_order BEFORE DELETE ON orders
    FOR EACH ROW EXECUTE FUNCTION keep_order();
"""
_ROOT = Path(__file__).parents[2]


class Worker:
    """A process of workers; every other one is asynchronous."""

    def __init__(self, number: int, nursery: socket.socket) -> None:
        self.is_killed = False
        self.asynchronous = number % 2 == 1
        self._channel, theirs = socket.socketpair()
        with theirs:
            name = f"{'async' if self.asynchronous else 'sync'}-{number}"
            socket.send_fds(nursery, [name.encode()], [theirs.fileno()])
        self._channel.settimeout(_PATIENCE)
        self._heard = self._channel.makefile()
        self._id = int(self.expect("ready")[0])

    def tell(self, line: str) -> None:
        """Say a line."""
        self._channel.sendall(line.encode() + b"\n")

    def expect(self, word: str) -> list[str]:
        """Wait for a word, and give what follows; whoever was killed says none."""
        if self.is_killed:
            return []
        first, *others = self._heard.readline().split() or ["nothing"]
        if first != word:
            raise RuntimeError(f"a worker said {first!r} instead of {word!r}")
        return others

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self._id, number)

    def kill(self) -> None:
        """End it at once; its socket ends with it."""
        if self.is_killed:
            return
        with suppress(ProcessLookupError):
            self.send_signal(signal.SIGKILL)
        self.is_killed = True
        with self._channel, self._heard:
            while self._heard.readline():
                pass


class Running:
    """A round that is under way."""

    def __init__(self, folder: Path, processes: list[Worker]) -> None:
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
        if not self._over:
            (self.folder / "stop").touch()
            self.wait()

    def wait(self) -> None:
        """Wait until each worker has made all its calls."""
        for process in self.processes:
            process.expect("done")
        self._calls = self.calls()
        self._over = True


@dataclass
class Farm:
    """Processes that wait for rounds."""

    nursery: socket.socket
    processes: list[Worker]

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
        tour: bool = False,
    ) -> Generator[Running]:
        """Have calls made until the block ends; `through` is the URL of the workers.

        Each process has so many workers, who share a pool. With a tour each makes every
        kind of call first.
        """
        _welcome(url)
        self._revive()
        with tempfile.TemporaryDirectory(prefix="history-") as made:
            folder = Path(made)
            for process in self.processes:
                task = Round(
                    url=through or url,
                    name="u",
                    folder=made,
                    calls=calls,
                    seed=secrets.randbits(30) if seed is None else seed,
                    workers=workers,
                    asynchronous=process.asynchronous,
                    pool=pool,
                    limits=dict(limits or {}),
                    pause=pause,
                    tour=tour,
                )
                process.tell(task.as_line())
            running = Running(folder, list(self.processes))
            try:
                yield running
            finally:
                running.end()

    def kill(self, number: int) -> None:
        """End a process at once, whatever it is doing; the next round has another."""
        self.processes[number].kill()

    def _revive(self) -> None:
        for number, process in enumerate(self.processes):
            if process.is_killed:
                self.processes[number] = Worker(number, self.nursery)

    def close(self) -> None:
        """End all."""
        for process in self.processes:
            process.kill()


@contextmanager
def start(processes: int = 4) -> Generator[Farm]:
    """Start the processes, and end them with the block."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        parent = subprocess.Popen(
            [
                *(sys.executable, "-W", "error"),
                *("-m", "store_testing.history.worker", str(theirs.fileno())),
            ],
            pass_fds=[theirs.fileno()],
            cwd=_ROOT,
            env={**os.environ, "DATABASE_URL": ""},
        )
        farm = Farm(ours, [])
        try:
            theirs.close()
            farm.processes += [Worker(number, ours) for number in range(processes)]
            yield farm
        finally:
            farm.close()
            parent.kill()
            parent.wait()


def _welcome(url: str) -> None:
    """Create the user of the chain's wallet, and keep the ids of what is deleted."""
    with psycopg.connect(url, autocommit=True) as conn:
        user_steps.create_user(conn, crossmint_user_id="of the chain", email=None)
        conn.execute(
            "UPDATE users SET wallet_status = 'active', wallet_address = %s"
            " WHERE crossmint_user_id = 'of the chain'",
            [CHAIN_WALLET],
        )
        conn.execute(_KEPT)
