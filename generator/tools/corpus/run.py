"""Run every function of a package on its database, and judge what comes back."""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import psycopg

from generator.tools import annotations
from generator.tools.corpus import calls, faults, origins
from generator.tools.corpus.arguments import Arguments, NoArgumentError
from generator.tools.corpus.calls import Trial
from generator.tools.corpus.fill import Sample
from generator.tools.corpus.findings import Findings, Kind
from generator.tools.corpus.functions import Function, Way
from generator.tools.corpus.generate import Query
from generator.tools.corpus.literals import NoLiteralError
from generator.tools.corpus.origins import Prepared, PrepareError
from generator.tools.corpus.packages import Package

_RUNS, _RUNS_ASYNC = 12, 4
_RUNS_OF_TWINS = 4
# Of a function that did not succeed yet: keys and formats are hard to hit.
_RUNS_AT_MOST = 60
_ROWS_AT_MOST = 3
# How many values are such as no row has yet, in one run after the other.
_SHARES_OF_NEW = (0.25, 0.6, 0.25, 1)
_TIMED_OUT, _UNTYPED_PARAMETER = "57014", "42P18"
_FETCHING = (":one", ":many", ":batchone", ":batchmany")
_JSON = (114, 3802)
_ITEM = re.compile(r"\[\d+\]")


@dataclass(slots=True)
class Runner:
    """Runs one package.

    `samples` are rows that are there; `is_whole` says whether the whole schema could be
    applied.
    """

    package: Package
    arguments: Arguments
    samples: list[Sample]
    is_whole: bool
    found: Findings
    prepared: dict[Query, Prepared] = field(default_factory=dict[Query, Prepared])
    rejected: dict[Query, PrepareError] = field(
        default_factory=dict[Query, PrepareError]
    )
    rows: Counter[Query] = field(default_factory=Counter[Query])
    succeeded: set[str] = field(default_factory=set[str])
    timeouts: Counter[str] = field(default_factory=Counter[str])

    @property
    def _case(self) -> str:
        return self.package.generated.case.name

    def prepare(self, conn: psycopg.Connection[Any]) -> None:
        """Prepare every query's SQL."""
        for query in self.package.generated.queries:
            try:
                self.prepared[query] = origins.prepare(conn, query.sent)
                self.found.counts["queries that PREPARE"] += 1
            except PrepareError as error:
                self.rejected[query] = error
                kind = Kind.REJECTED if self.is_whole else Kind.SCHEMA
                self.found.add(kind, self._case, query.name, str(error))

    def run(self, url: str) -> None:
        """Call each function several times; everything is rolled back."""
        self._run_sync(url)
        asyncio.run(self._run_async(url))
        for query in self.package.generated.queries:
            if query.command in _FETCHING and not self.rows[query]:
                why = self.rejected.get(query, "no drawn arguments found one")
                self.found.add(Kind.UNPROVEN, self._case, query.name, str(why))
            if query in self.prepared:
                self._take_stuck(url, query)

    def _take_stuck(self, url: str, query: Query) -> None:
        """Tell what never runs, unless PostgreSQL alone cannot run it either."""
        made = [f for f in self.package.functions if f.query == query]
        failed = [f for f in made if f.name not in self.succeeded]
        stuck = [f.name for f in failed if not self._is_too_slow(f)]
        if not stuck:
            told = "queries that cannot run" if failed else "queries that ran"
            self.found.counts[told] += 1
            return
        with psycopg.connect(url, autocommit=True) as conn:
            if not any(self._runs_by_hand(conn, query) for _ in range(_RUNS)):
                self.found.counts["queries that cannot run"] += 1
                return
        for name in stuck:
            detail = "each run failed, but the query runs by hand"
            self.found.add(Kind.STUCK, self._case, name, detail)

    def _runs_by_hand(self, conn: psycopg.Connection[Any], query: Query) -> bool:
        """Send a query with literals of the types that the server asks for."""
        draw = self.arguments.literal
        with contextlib.suppress(psycopg.Error, NoLiteralError):
            literals = [draw(oid) for oid in self.prepared[query].parameters]
            with conn.transaction(force_rollback=True):
                psycopg.RawCursor(conn).execute(query.sent.encode(), literals)
            return True
        return False

    def _run_sync(self, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            if register := self.package.register.get(False):
                register(conn)
            for trial in self._trials(is_async=False):
                try:
                    with conn.transaction(force_rollback=True):
                        value = calls.call(conn, trial)
                except Exception as error:
                    self._failed(trial, error)
                else:
                    self._judge(trial, value)

    async def _run_async(self, url: str) -> None:
        connect = psycopg.AsyncConnection[Any].connect
        async with await connect(url, autocommit=True) as conn:
            if register := self.package.register.get(True):
                await register(conn)
            for trial in self._trials(is_async=True):
                try:
                    async with conn.transaction(force_rollback=True):
                        value = await calls.call_async(conn, trial)
                except Exception as error:
                    self._failed(trial, error)
                else:
                    self._judge(trial, value)

    def _trials(self, *, is_async: bool) -> Iterator[Trial]:
        for function in self.package.functions:
            if function.is_async is not is_async:
                continue
            for number in range(_RUNS_AT_MOST):
                if self._is_too_slow(function) or self._is_tried(function, number):
                    break
                try:
                    yield Trial(function, self._rows(function, number))
                except NoArgumentError as error:
                    detail = f"no argument of the type {error} is known to the check"
                    self.found.add(Kind.BROKEN, self._case, function.name, detail)
                    break

    def _is_too_slow(self, function: Function) -> bool:
        """Tell whether a function timed out with the arguments of every kind."""
        kinds = len(_SHARES_OF_NEW) if function.parameters else 1
        return self.timeouts[function.name] >= kinds

    def _is_tried(self, function: Function, number: int) -> bool:
        """Tell whether a function was run often enough: as a rule until it succeeds."""
        is_done = function.name in self.succeeded or function.query in self.rejected
        return is_done and number >= _number_of_runs(function)

    def _rows(self, function: Function, number: int) -> tuple[dict[str, object], ...]:
        """Draw the arguments of one run: first none is None, then all that may be."""
        none = {0: False, 1: True}.get(number)
        length = 1
        if function.takes_rows and none is None:
            length = self.arguments.drawer.seeded.randint(0, _ROWS_AT_MOST)
        share = _SHARES_OF_NEW[number % len(_SHARES_OF_NEW)]
        drawing = replace(self.arguments, share_of_new=share)
        return tuple(self._draw(function, drawing, none) for _ in range(length))

    def _draw(
        self, function: Function, drawing: Arguments, none: bool | None
    ) -> dict[str, object]:
        unlike = none or self.arguments.drawer.seeded.random() < drawing.share_of_new
        sample = {} if unlike else self._sample(function)
        drawn: dict[str, object] = {}
        for (name, hint), oid in self._parameters(function):
            if (text := sample.get(name)) is not None:
                with contextlib.suppress(NoArgumentError):
                    drawn[name] = self.arguments.read(hint, text)
                    continue
            drawn[name] = drawing.draw(hint, oid, none=none)
        return drawn

    def _parameters(self, function: Function) -> Iterator[tuple[tuple[str, Any], int]]:
        """Yield each parameter's name and annotation, and the server's type of it."""
        prepared = self.prepared.get(function.query)
        types = prepared.parameters if prepared else []
        unknown = [0] * len(function.parameters)
        return zip(function.parameters.items(), [*types, *unknown], strict=False)

    def _sample(self, function: Function) -> Sample:
        """Choose a row to find again, from those that share most names; or none."""
        seeded = self.arguments.drawer.seeded
        if not self.samples:
            return {}
        names = function.parameters.keys()
        most = max(len(names & row.keys()) for row in self.samples)
        alike = [row for row in self.samples if len(names & row.keys()) == most]
        return seeded.choice(alike)

    def _failed(self, trial: Trial, error: Exception) -> None:
        self.found.counts["runs"] += 1
        query = trial.function.query
        state = getattr(error, "sqlstate", None)
        if state == _TIMED_OUT:
            self.timeouts[trial.function.name] += 1
        rejected = self.rejected.get(query)
        if rejected and rejected.sqlstate != _UNTYPED_PARAMETER:
            self.found.counts["runs of rejected statements"] += 1
            return
        ours = self._is_ours(trial, error)
        self.found.counts[f"errors of {'ours' if ours else 'the data'}"] += 1
        kind = Kind.ERROR if ours else Kind.DATA
        self.found.add(kind, self._case, trial.function.name, faults.told(error))

    def _is_ours(self, trial: Trial, error: Exception) -> bool:
        if not trial.has_arguments and getattr(error, "sqlstate", None):
            # The server's own view of a statement that we only passed on.
            return False
        return faults.is_ours(error) or self._is_misshapen(trial)

    def _is_misshapen(self, trial: Trial) -> bool:
        """Tell whether a list was sent for what is no array."""
        types = self.arguments.drawer.types
        return any(
            "Sequence" in str(hint) and oid in types and not types[oid].element
            for (_, hint), oid in self._parameters(trial.function)
            if oid not in _JSON
        )

    def _judge(self, trial: Trial, value: object) -> None:
        self.found.counts["runs"] += 1
        self.found.counts["runs without error"] += 1
        function = trial.function
        if trial.rows:
            self.succeeded.add(function.name)
        if function.query.command in _FETCHING:
            self.rows[function.query] += _number_of_rows(value)
        names = self.arguments.names
        for violation in annotations.violations(value, function.promised, names):
            detail = _ITEM.sub("[…]", str(violation))
            self.found.add(Kind.VIOLATION, self._case, function.name, detail)
        if _has_lost_rows(trial, value):
            detail = "not one result for each row of arguments"
            self.found.add(Kind.ERROR, self._case, function.name, detail)


def _number_of_runs(function: Function) -> int:
    if function.way is not Way.NOW:
        return _RUNS_OF_TWINS
    # Of several rows each may fail.
    return _RUNS_ASYNC if function.is_async and not function.packed else _RUNS


def _number_of_rows(value: object) -> int:
    if isinstance(value, list):
        return sum(map(_number_of_rows, cast("list[object]", value)))
    return int(value is not None)


def _has_lost_rows(trial: Trial, value: object) -> bool:
    """Tell whether a batch or a copy gives another number than it was given."""
    match trial.function.query.command:
        case ":copyfrom":
            return value != len(trial.rows)
        case ":batchone" | ":batchmany":
            return len(cast("list[object]", value)) != len(trial.rows)
        case _:
            return False
