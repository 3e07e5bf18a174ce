"""Interleaved rounds: in each, every contender does the same work, in a new order."""

from __future__ import annotations

import gc
import random
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from statistics import median
from time import perf_counter, thread_time
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit

import psycopg

from postgres_testing import databases
from store_testing.schema import SCHEMA

from . import carts, latency, sameness
from .carts import Cart
from .contender import Contender, Work
from .work import Task


class Sample(NamedTuple):
    """What doing a task once took, in seconds.

    `busy` is this process's part: its time on a CPU, which hardly depends on what else
    the machine and its disk have to do.
    """

    elapsed: float
    busy: float


# One list a round.
Samples: TypeAlias = dict[Contender, list[list[Sample]]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: tasks, rounds, and one-way delays of the network in seconds.

    Before the rounds, all contenders do a task `warm_up` times: until a driver has
    prepared its statements (5 times) and the server has settled on their plans (another
    5), with some to spare.
    """

    tasks: Sequence[Task]
    rounds: int
    delays: Sequence[float]
    warm_up: int = 20

    @property
    def steps(self) -> int:
        """How often `advance` will be called."""
        return len(self.tasks) * len(self.delays) * self.rounds


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a task took on a network with this one-way delay, in seconds.

    `round_trip` is what the smallest query takes there.
    """

    task: Task
    delay: float
    round_trip: float
    samples: Samples = field(repr=False)


async def run(
    server_url: str, plan: Plan, advance: Callable[[str], None]
) -> list[Outcome]:
    """Measure on databases of its own, which are dropped again.

    Calls `advance` with a title after each round. Raises RowsDifferError where the
    contenders of a task did not leave the same rows.
    """
    outcomes: list[Outcome] = []
    for task in plan.tasks:
        outcomes += await _run(server_url, task, plan, advance)
    return outcomes


async def _run(
    server_url: str, task: Task, plan: Plan, advance: Callable[[str], None]
) -> list[Outcome]:
    # Each contender does the task this often, each time with another cart.
    count = len(plan.delays) * (plan.warm_up + plan.rounds * task.per_round)
    outcomes: list[Outcome] = []
    with _clones(server_url, task, count) as (urls, made):
        todo = iter(made)
        for delay in plan.delays:
            title = f"{task.name}, {1000 * delay:g} ms away"
            with latency.delayed(server_url, delay) as far:
                async with _opened(urls, far) as works:
                    await _warm_up(task, works, islice(todo, plan.warm_up))
                    samples: Samples = {contender: [] for contender in works}
                    for _ in range(plan.rounds):
                        batch = list(islice(todo, task.per_round))
                        await _round(works, batch, samples)
                        advance(title)
                outcomes.append(Outcome(task, delay, _round_trip(far), samples))
        sameness.check(urls, orders=task.orders * count)
    return outcomes


@contextmanager
def _clones(
    server_url: str, task: Task, count: int
) -> Generator[tuple[dict[Contender, str], list[Cart]]]:
    """Give each contender a database, with the same `count` carts as the others."""
    with ExitStack() as stack:
        template = stack.enter_context(databases.template(server_url, SCHEMA.build))
        made = carts.fill(databases.url_of(server_url, template.name), count)
        contenders = task.contenders
        yield {each: stack.enter_context(template.clone()) for each in contenders}, made


@asynccontextmanager
async def _opened(
    urls: dict[Contender, str], server_url: str
) -> AsyncGenerator[dict[Contender, Work]]:
    """Open each contender's pool, by way of this URL of the server."""
    async with AsyncExitStack() as stack:
        yield {
            contender: await stack.enter_async_context(
                contender.open(databases.url_of(server_url, urlsplit(url).path[1:]))
            )
            for contender, url in urls.items()
        }


async def _warm_up(
    task: Task, works: dict[Contender, Work], batch: Iterable[Cart]
) -> None:
    for cart in batch:
        results = {each: await work(cart) for each, work in works.items()}
        if task.returns:
            sameness.check_results(results, task.returns)
    # What lives for the whole run need not be looked at by every collection.
    gc.collect()
    gc.freeze()


async def _round(
    works: dict[Contender, Work], batch: list[Cart], samples: Samples
) -> None:
    for contender in random.sample(list(works), len(works)):
        done = [await _timed(works[contender], cart) for cart in batch]
        samples[contender].append(done)


def _round_trip(url: str) -> float:
    with psycopg.connect(url, autocommit=True) as conn:

        def once() -> float:
            start = perf_counter()
            conn.execute("SELECT 1")
            return perf_counter() - start

        return median(once() for _ in range(50))


async def _timed(work: Work, cart: Cart) -> Sample:
    start, start_busy = perf_counter(), thread_time()
    await work(cart)
    return Sample(perf_counter() - start, thread_time() - start_busy)
