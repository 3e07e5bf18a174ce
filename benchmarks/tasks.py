"""What is measured: pieces of work, and the contenders that do them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, LiteralString, NamedTuple, TypeAlias

Opened: TypeAlias = AbstractContextManager[Any] | AbstractAsyncContextManager[Any]


class Sample(NamedTuple):
    """What one piece of work took, in seconds.

    `busy` is the client's part: its time on CPUs, which hardly depends on what else the
    machine and its disk have to do.
    """

    elapsed: float
    busy: float


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do a piece of work.

    `open` takes the URL of a database, and gives what `work` takes first: a pool, say.
    The second is the piece. Where `face` is async, both are awaited; where it is
    process, another one does the work, and takes the time itself, as a Sample.

    `install` gets what that process needs, and raises Missing where it cannot.
    """

    name: str
    face: Literal["sync", "async", "process"]
    open: Callable[[str], Opened]
    work: Callable[[Any, Any], object]
    install: Callable[[], object] | None = None

    def __str__(self) -> str:
        return self.name if self.face == "process" else f"{self.name} ({self.face})"


@dataclass(frozen=True, slots=True)
class Left:
    """What a piece of work leaves in the database.

    `rows` has a query for what is the same whoever did it: without ids and times.
    `count` counts what is new, which is `each` for a piece.
    """

    rows: Mapping[str, LiteralString]
    count: LiteralString
    each: int


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of work, and who does it.

    `fill` takes the URL of an empty database with the schema and a number, makes the
    data there, and gives as many pieces of work. Of these each contender does
    `per_round` in a row, in each round, on a copy of that database.

    Compared are what is `left` and, by way of `comparable`, what is returned. `reset`
    is run before each piece. `delay` is how many seconds the server is away, each way.
    """

    name: str
    title: str
    fill: Callable[[str, int], Sequence[Any]]
    contenders: tuple[Contender, ...]
    per_round: int
    left: Left | None = None
    comparable: Callable[[object], object] | None = None
    reset: LiteralString = ""
    delay: float = 0
    # Until a driver has prepared its statements (5 times) and the server has settled on
    # their plans (another 5), with some to spare.
    warm_up: int = 20
    __hash__ = object.__hash__


class Missing(Exception):
    """What a contender needs could not be had here."""


@dataclass(frozen=True, slots=True)
class Row:
    """A contender of a task beside another one, and how far apart they may be.

    Of the kind "time", `ours` takes at most `limit` times as long as `theirs`; of
    "throughput", it does at least `limit` times as much in the same time. Of the kind
    "seconds" nobody stands beside it, and the limit is what it says.
    """

    task: Task = field(repr=False)
    ours: Contender
    theirs: Contender | None
    limit: float
    kind: Literal["time", "throughput", "seconds"] = "time"
