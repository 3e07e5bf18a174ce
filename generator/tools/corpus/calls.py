"""How a trial calls its function, on either kind of connection."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import psycopg

from generator.tools.corpus.functions import Function, Way

_FETCH_SIZE = 2
# A recursion over rows in a circle has no end, and each step of it is within its time.
_ROWS_READ_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Trial:
    """A function and the arguments to call it with: of one row, or of many."""

    function: Function
    rows: tuple[dict[str, object], ...]

    @property
    def arguments(self) -> dict[str, object]:
        """The arguments as the function takes them."""
        function = self.function
        if not function.packed:
            return self.rows[0]
        packed = [function.pack(**row) for row in self.rows]
        return {function.packed: packed if function.takes_rows else packed[0]}

    @property
    def has_arguments(self) -> bool:
        """Whether it sends anything."""
        return bool(self.function.parameters)


def call(conn: psycopg.Connection[Any], trial: Trial) -> object:
    """Call a blocking function; return what the caller has in the end."""
    function, arguments = trial.function, trial.arguments
    match function.way:
        case Way.NOW:
            return function.call(conn, **arguments)
        case Way.SENT:
            with conn.pipeline():
                fetch = function.call(conn, **arguments)
            return fetch()
        case Way.STREAMED:
            opened = function.call(conn, **arguments, fetch_size=_FETCH_SIZE)
            cursor: Iterable[object]
            with opened as cursor:
                return list(islice(cursor, _ROWS_READ_AT_MOST))


async def call_async(conn: psycopg.AsyncConnection[Any], trial: Trial) -> object:
    """Call a function that is to be awaited; return the same as `call`."""
    function, arguments = trial.function, trial.arguments
    match function.way:
        case Way.NOW:
            return await function.call(conn, **arguments)
        case Way.SENT:
            async with conn.pipeline():
                fetch = await function.call(conn, **arguments)
            return await fetch()
        case Way.STREAMED:
            opened = function.call(conn, **arguments, fetch_size=_FETCH_SIZE)
            async with opened as cursor:
                rows: list[object] = []
                async for row in cursor:
                    rows.append(row)
                    if len(rows) == _ROWS_READ_AT_MOST:
                        break
                return rows
