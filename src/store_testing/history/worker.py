"""A process that becomes processes of workers, which make calls as they are told to.

It is told their names, each with a socket, on a socket whose descriptor is its
argument; it has read all modules then, which costs a second. On a worker's socket each
line in is one round, as JSON (`Round`); the answer is one line when it is over. A round
ends after so many calls of each worker, or with the file `stop`, or the socket.
"""

import asyncio
import json
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from store import AsyncStore, Settings, Store, errors
from store_testing import crossmint
from store_testing.history.calls import CART_ITEMS, AnyStore, Shopper
from store_testing.history.records import KEYS, Recorder

__all__ = ["Round"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What to do; `name` begins the names of its users."""

    url: str
    name: str
    folder: str
    calls: int
    seed: int
    workers: int
    asynchronous: bool
    pool: int
    limits: dict[str, float]
    pause: float = 0
    tour: bool = False

    @property
    def stop(self) -> Path:
        """Give the file whose existence ends the round."""
        return Path(self.folder, "stop")

    def settings(self, service: str, pool: int) -> Settings:
        """Make a store's settings."""
        limits = {
            f"database_{name}_timeout": each for name, each in self.limits.items()
        }
        return Settings.model_validate(
            {
                "database_url": self.url,
                "cart_service": service,
                "cart_max_items": CART_ITEMS,
                "database_pool_size": pool,
                "crossmint_webhook_secrets": crossmint.SECRET,
                "wallet_encryption_keys": KEYS,
                **limits,
            }
        )

    def shopper(self, store: AnyStore, mirror: AnyStore, worker: str) -> Shopper:
        """Make one worker."""
        record = Recorder(Path(self.folder, f"{worker}.jsonl"), worker)
        made = Shopper(store, mirror, record, self.seed, self.name)
        if self.tour:
            made.begin_with_a_tour()
        return made

    def goes_on(self, made: int) -> bool:
        """Say whether there is another call to make."""
        return made < self.calls and not self.stop.exists()

    def as_line(self) -> str:
        """Give it as a line of the input."""
        return json.dumps(asdict(self))


async def _awaited(task: Round, process: str) -> None:
    store = AsyncStore(task.settings("db", task.pool))
    mirror = AsyncStore(task.settings("onchain", 1))

    async def worker(number: int) -> None:
        shopper = task.shopper(store, mirror, f"{process}.{number}")
        while task.goes_on(shopper.made):
            await shopper.call()
            if task.pause:
                await asyncio.sleep(task.pause)
        shopper.record.close()

    with suppress(errors.Unavailable):
        await store.open()
        await mirror.open()
    await asyncio.gather(*(worker(number) for number in range(task.workers)))
    await store.close()
    await mirror.close()


def _blocking(task: Round, process: str) -> None:
    store = Store(task.settings("db", task.pool))
    mirror = Store(task.settings("onchain", 1))

    async def work(shopper: Shopper) -> None:
        while task.goes_on(shopper.made):
            await shopper.call()
            if task.pause:
                time.sleep(task.pause)  # noqa: ASYNC251 - this worker has the thread

    def worker(number: int) -> None:
        shopper = task.shopper(store, mirror, f"{process}.{number}")
        asyncio.run(work(shopper))
        shopper.record.close()

    with suppress(errors.Unavailable):
        store.open()
        mirror.open()
    threads = [threading.Thread(target=worker, args=(n,)) for n in range(task.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    mirror.close()


def _work(process: str, told: TextIO) -> None:
    print("ready", os.getpid(), file=told, flush=True)
    for line in told:
        task = Round(**json.loads(line))
        if task.asynchronous:
            asyncio.run(_awaited(task, process))
        else:
            _blocking(task, process)
        print("done", file=told, flush=True)


def _main(descriptor: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    control = socket.socket(fileno=int(descriptor))
    while True:
        name, [*given], _, _ = socket.recv_fds(control, 100, 1)
        if not name:
            return
        with socket.socket(fileno=given[0]) as channel:
            if os.fork() == 0:
                control.close()
                with channel.makefile("rw") as told:
                    _work(name.decode(), told)
                return


if __name__ == "__main__":
    _main(*sys.argv[1:])
