"""A connection that logs each flight: the query's name, its time, and how it ended.

At DEBUG, to the logger `store`. Never a statement's text, its values, or a row.
"""

from __future__ import annotations

from inspect import currentframe
from logging import DEBUG, getLogger
from time import perf_counter

import psycopg
from psycopg import AsyncConnection
from psycopg.abc import RV, PQGen
from psycopg.rows import Row

_logger = getLogger("store")


class AsyncLoggedConnection(AsyncConnection[Row]):
    """What the pool lends."""

    async def wait(
        self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None
    ) -> RV:
        """Do one flight, or a part of it."""
        if not _logger.isEnabledFor(DEBUG):
            return await super().wait(gen, interval, timeout)
        start, ended = perf_counter(), "done"
        try:
            return await super().wait(gen, interval, timeout)
        except psycopg.Error as error:
            ended = f"SQLSTATE {error.sqlstate}"
            raise
        finally:
            milliseconds = (perf_counter() - start) * 1000
            _logger.debug("%s: %s in %.1f ms", _query(), ended, milliseconds)


def _query() -> str:
    """Name the generated function that waits; a pipeline's end waits for several."""
    frame = currentframe()
    while frame:
        package, _, module = frame.f_globals["__name__"].rpartition(".")
        if package in {"generated", "generated.aio"}:
            return f"{module}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "pipeline"
