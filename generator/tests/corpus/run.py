"""Run every function of a package on its database, and judge what comes back."""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import psycopg

from generator.tests.corpus import faults, origins
from generator.tests.corpus.arguments import Arguments, NoArgumentError
from generator.tests.corpus.fill import Sample
from generator.tests.corpus.findings import Findings, Kind
from generator.tests.corpus.generate import Query
from generator.tests.corpus.origins import Prepared, PrepareError
from generator.tests.corpus.packages import Function, Package
from generator.tests.trust import annotations

_RUNS, _RUNS_ASYNC = 12, 4
_SHARE_UNLIKE_ROWS = 0.5
_TIMED_OUT, _UNTYPED_PARAMETER = "57014", "42P18"
_JSON = (114, 3802)
_ITEM = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Trial:
    """A function and the arguments to call it with."""

    function: Function
    arguments: dict[str, object]


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
    too_slow: set[Query] = field(default_factory=set[Query])

    @property
    def _case(self) -> str:
        return self.package.generated.case.name

    def prepare(self, conn: psycopg.Connection[Any]) -> None:
        """Prepare every query's SQL."""
        for query in self.package.generated.queries:
            self.found.counts["prepares"] += 1
            try:
                self.prepared[query] = origins.prepare(conn, query.text)
            except PrepareError as error:
                self.rejected[query] = error
                kind = Kind.REJECTED if self.is_whole else Kind.SCHEMA
                self.found.add(kind, self._case, query.name, str(error))

    def run(self, url: str) -> None:
        """Call each function several times; everything is rolled back."""
        self._run_sync(url)
        asyncio.run(self._run_async(url))
        for query in self.package.generated.queries:
            if query.command in (":one", ":many") and not self.rows[query]:
                why = self.rejected.get(query, "no drawn arguments found one")
                self.found.add(Kind.UNPROVEN, self._case, query.name, str(why))

    def _run_sync(self, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            if register := self.package.register.get(False):
                register(conn)
            for trial in self._trials(is_async=False):
                try:
                    with conn.transaction(force_rollback=True):
                        value = trial.function.call(conn, **trial.arguments)
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
                        value = await trial.function.call(conn, **trial.arguments)
                except Exception as error:
                    self._failed(trial, error)
                else:
                    self._judge(trial, value)

    def _trials(self, *, is_async: bool) -> Iterator[Trial]:
        for function in self.package.functions:
            if function.is_async is not is_async:
                continue
            for number in range(_RUNS_ASYNC if is_async else _RUNS):
                if function.query in self.too_slow:
                    break
                try:
                    yield Trial(function, self._draw(function, number))
                except NoArgumentError as error:
                    detail = f"no argument of the type {error} is known to the check"
                    self.found.add(Kind.BROKEN, self._case, function.name, detail)
                    break

    def _draw(self, function: Function, number: int) -> dict[str, object]:
        """Draw arguments: first none is None, then all that may be, then any."""
        none = {0: False, 1: True}.get(number)
        sample = {} if none else self._sample(function)
        drawn: dict[str, object] = {}
        for (name, hint), oid in self._parameters(function):
            if (text := sample.get(name)) is not None:
                with contextlib.suppress(NoArgumentError):
                    drawn[name] = self.arguments.read(hint, text)
                    continue
            drawn[name] = self.arguments.draw(hint, oid, none=none)
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
        if not self.samples or seeded.random() < _SHARE_UNLIKE_ROWS:
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
            self.too_slow.add(query)
        rejected = self.rejected.get(query)
        if rejected and rejected.sqlstate != _UNTYPED_PARAMETER:
            self.found.counts["runs of rejected statements"] += 1
            return
        ours = self._is_ours(trial, error)
        self.found.counts[f"errors of {'ours' if ours else 'the data'}"] += 1
        kind = Kind.ERROR if ours else Kind.DATA
        self.found.add(kind, self._case, trial.function.name, faults.told(error))

    def _is_ours(self, trial: Trial, error: Exception) -> bool:
        if not trial.arguments and getattr(error, "sqlstate", None):
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
        self.rows[function.query] += _number_of_rows(value)
        promised = function.hints["return"]
        for violation in annotations.violations(value, promised, self.arguments.names):
            detail = _ITEM.sub("[…]", str(violation))
            self.found.add(Kind.VIOLATION, self._case, function.name, detail)


def _number_of_rows(value: object) -> int:
    if isinstance(value, list):
        return len(cast("list[object]", value))
    return int(value is not None)
