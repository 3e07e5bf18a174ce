"""Interleaved rounds: in each, every contender does the same work, in a new order."""

from __future__ import annotations

import gc
import random
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import psycopg

from postgres_testing import databases
from store_testing.schema import SCHEMA

from . import latency, sameness
from .tasks import Contender, Sample, Task


class Round(NamedTuple):
    """What a contender took in a round; of the server, the seconds on CPUs."""

    samples: list[Sample]
    server: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to run: so many rounds, and no more pieces of work before them."""

    rounds: int
    warm_up: int = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the contenders of a task took.

    `round_trip` is what the smallest query takes, in seconds.
    """

    task: Task
    round_trip: float
    rounds: dict[Contender, list[Round]] = field(repr=False)


async def run(
    server_url: str,
    task: Task,
    plan: Plan,
    advance: Callable[[], None] = lambda: None,
) -> Outcome:
    """Measure a task on databases of its own, which are dropped again.

    Calls `advance` after each round. Raises RowsDifferError, before anything is
    measured and again in the end, where the contenders did not leave the same rows.
    """
    warm_up = min(plan.warm_up, task.warm_up)
    count = warm_up + plan.rounds * task.per_round
    with _clones(server_url, task, count) as (urls, pieces):
        todo = iter(pieces)
        with latency.delayed(server_url, task.delay) as far:
            async with _opened(task, urls, far) as runners:
                await _warm_up(task, runners, islice(todo, warm_up))
                sameness.check(urls, task, warm_up)
                rounds: dict[Contender, list[Round]] = {each: [] for each in runners}
                for _ in range(plan.rounds):
                    batch = list(islice(todo, task.per_round))
                    for contender in random.sample(list(runners), len(runners)):
                        rounds[contender].append(await runners[contender].run(batch))
                    advance()
            outcome = Outcome(task, _round_trip(far), rounds)
        sameness.check(urls, task, count)
    return outcome


@dataclass(slots=True)
class _Runner:
    """A contender with what it has opened, and a session to look at its server with."""

    task: Task
    contender: Contender
    resource: Any
    admin: psycopg.Connection[Any]
    backends: list[Path] = field(default_factory=list[Path])

    async def once(self, piece: object) -> tuple[Sample, object]:
        if self.task.reset:
            self.admin.execute(self.task.reset)
        start, start_busy = perf_counter(), process_time()
        result = self.contender.work(self.resource, piece)
        if self.contender.face == "async":
            result = await cast("Any", result)
        sample = Sample(perf_counter() - start, process_time() - start_busy)
        return (result if isinstance(result, Sample) else sample), result

    async def run(self, batch: Sequence[object]) -> Round:
        before = self._server_seconds()
        samples = [(await self.once(piece))[0] for piece in batch]
        return Round(samples, self._server_seconds() - before)

    def find_backends(self) -> None:
        rows = self.admin.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        files = [Path(f"/proc/{pid}/schedstat") for (pid,) in rows]
        self.backends = [file for file in files if file.exists()]

    def _server_seconds(self) -> float:
        # Of each backend the nanoseconds on a CPU, where the kernel is Linux.
        return sum(int(file.read_text().split()[0]) for file in self.backends) / 1e9


@contextmanager
def _clones(
    server_url: str, task: Task, count: int
) -> Generator[tuple[dict[Contender, str], Sequence[object]]]:
    """Give each contender a copy of the database, and the `count` pieces of work."""
    with ExitStack() as stack:
        template = stack.enter_context(databases.template(server_url, SCHEMA.build))
        url = databases.url_of(server_url, template.name)
        pieces = task.fill(url, count)
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("VACUUM ANALYZE")
        contenders = task.contenders
        urls = {each: stack.enter_context(template.clone()) for each in contenders}
        yield urls, pieces


@asynccontextmanager
async def _opened(
    task: Task, urls: dict[Contender, str], server_url: str
) -> AsyncGenerator[dict[Contender, _Runner]]:
    """Open what each contender needs, by way of this URL of the server."""
    runners: dict[Contender, _Runner] = {}
    async with AsyncExitStack() as stack:
        for contender, url in urls.items():
            opened = contender.open(
                databases.url_of(server_url, urlsplit(url).path[1:])
            )
            if isinstance(opened, AbstractAsyncContextManager):
                resource = await stack.enter_async_context(opened)
            else:
                resource = stack.enter_context(opened)
            admin = stack.enter_context(psycopg.connect(url, autocommit=True))
            runners[contender] = _Runner(task, contender, resource, admin)
        yield runners


async def _warm_up(
    task: Task, runners: dict[Contender, _Runner], pieces: Iterator[object]
) -> None:
    for piece in pieces:
        results = {each: (await run.once(piece))[1] for each, run in runners.items()}
        if task.comparable:
            sameness.check_results(results, task.comparable)
    for runner in runners.values():
        runner.find_backends()
    # What lives for the whole run need not be looked at by every collection.
    gc.collect()
    gc.freeze()


def _round_trip(url: str) -> float:
    with psycopg.connect(url, autocommit=True) as conn:

        def once() -> float:
            start = perf_counter()
            conn.execute("SELECT 1")
            return perf_counter() - start

        return median(once() for _ in range(50))
