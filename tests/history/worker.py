"""A process of workers, which makes calls as it is told to on its standard input.

Each line in is one round, as JSON (`Round`); the answer is one line when it is over. A
round ends after so many calls of each worker, or with the file `stop`, or the input.
"""

import asyncio
import json
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from store import AsyncStore, Settings, Store, errors
from tests.history.calls import CART_ITEMS, Shopper
from tests.history.records import Recorder

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
                **limits,
            }
        )

    def recorder(self, process: str, number: int) -> Recorder:
        """Make the recorder of one worker."""
        worker = f"{process}.{number}"
        return Recorder(Path(self.folder, f"{worker}.jsonl"), worker)

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
        record = task.recorder(process, number)
        shopper = Shopper(store, mirror, record, task.seed, task.name)
        while task.goes_on(shopper.made):
            await shopper.call()
            if task.pause:
                await asyncio.sleep(task.pause)
        record.close()

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
        record = task.recorder(process, number)
        asyncio.run(work(Shopper(store, mirror, record, task.seed, task.name)))
        record.close()

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


def _main(process: str) -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        task = Round(**json.loads(line))
        if task.asynchronous:
            asyncio.run(_awaited(task, process))
        else:
            _blocking(task, process)
        print("done", flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
