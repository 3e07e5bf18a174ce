"""Many workers at once, who share a pool: threads, or tasks of one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from .reading import Read


def with_threads(
    open_pool: Callable[[str], AbstractContextManager[Any]], workers: int
) -> Callable[[str], AbstractContextManager[tuple[Any, ThreadPoolExecutor]]]:
    """Open a pool and so many threads for it."""

    @contextmanager
    def opened(url: str) -> Generator[tuple[Any, ThreadPoolExecutor]]:
        with open_pool(url) as pool, ThreadPoolExecutor(workers) as threads:
            yield pool, threads

    return opened


def spread(
    once: Callable[[Any, Read], object], workers: int
) -> Callable[[tuple[Any, ThreadPoolExecutor], Sequence[Read]], object]:
    """Share the reads out among threads; all are done at the end."""

    def work(opened: tuple[Any, ThreadPoolExecutor], reads: Sequence[Read]) -> object:
        pool, threads = opened

        def share(first: int) -> None:
            for each in reads[first::workers]:
                once(pool, each)

        return [*threads.map(share, range(workers))]

    return work


def spread_async(
    once: Callable[[Any, Read], Awaitable[object]], workers: int
) -> Callable[[Any, Sequence[Read]], Awaitable[object]]:
    """Share the reads out among tasks; all are done at the end."""

    async def work(pool: Any, reads: Sequence[Read]) -> object:  # noqa: ANN401 - any
        async def share(first: int) -> None:
            for each in reads[first::workers]:
                await once(pool, each)

        return await asyncio.gather(*map(share, range(workers)))

    return work
