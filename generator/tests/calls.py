"""Calls of every function of a package, with arguments that fit."""

import asyncio
import datetime
import importlib
import inspect
import types
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import psycopg
from psycopg.types.range import Range

from generator.tests import running
from generator.tests.combined import RENAMED, Made
from generator.tools import annotations
from generator.tools.annotations import Annotation


def call_functions(folder: Path, made: Made, url: str) -> int:
    """Call all functions of a package; return how many there are."""
    called = 0
    with (
        running.importable(folder, "titles"),
        running.importable(folder, made.base),
        running.importable(folder, made.name),
    ):
        if made.options.get("emit_sync", True):
            called += _call_all(made, url)
        if made.options.get("emit_async", True):
            called += asyncio.run(_await_all(made, url))
    return called


_LIST: Annotation = list


class _Call(NamedTuple):
    """A function, or a method of a querier, with what it takes, and what it gives."""

    annotated: Callable[..., Any]
    function: Callable[..., Any]
    arguments: dict[str, Any]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.annotated.__name__

    @property
    def promised(self) -> Annotation:
        """What comes in the end: of cursors the list of their rows."""
        given = annotations.hints(self.annotated)["return"]
        if self.name.startswith("stream_"):
            [cursor, *_] = annotations.arguments(given)
            return _LIST[annotations.arguments(cursor)]
        if self.name.startswith("send_"):
            given = annotations.arguments(given)[-1]
            if annotations.origin(given) is Awaitable:
                [given] = annotations.arguments(given)
        if str(annotations.origin(given)).endswith("RawCursor'>"):
            return _LIST[annotations.arguments(given)]
        return given

    def judge(self, made: Made, given: object) -> None:
        """Check what has come."""
        where = (made, self.name)
        assert annotations.violations(given, self.promised) == [], where
        # Each query of the project finds something.
        assert given or self.promised is types.NoneType, where


def _calls(made: Made, folder: str, conn: object) -> Iterator[_Call]:
    queries = importlib.import_module(f"{made.name}.{folder}queries")
    base = importlib.import_module(f"{made.base}.server_types")
    enums = importlib.import_module(f"{made.base}.enums")
    named = _arguments(base, enums, made.options)
    querier: Any = None
    if made.options.get("emit_querier"):
        module = importlib.import_module(f"{made.name}.{folder}querier")
        querier = module.Queries(conn)
    for name in queries.__all__:
        function = getattr(queries, name)
        if not inspect.isfunction(function):
            continue
        first, *parameters = inspect.signature(function).parameters
        if first != "conn":
            continue
        hints = annotations.hints(function)
        taken = {
            parameter: _argument(parameter, hints[parameter], named)
            for parameter in parameters
            if parameter != "fetch_size"
        }
        yield _Call(function, partial(function, conn), taken)
        if querier:
            method = getattr(querier, name)
            yield _Call(method, method, taken)


def _argument(name: str, hint: Annotation, named: dict[str, object]) -> object:
    if name == "arg":
        return _of_class(hint, named)
    if name == "rows":
        [each] = annotations.arguments(hint)
        return [_of_class(each, named)]
    return named[name]


def _of_class(kind: Annotation, named: dict[str, object]) -> object:
    if kind is int:
        return named["id"]
    return kind(**{name: named[name] for name in inspect.signature(kind).parameters})


def _arguments(
    base: ModuleType, enums: ModuleType, options: dict[str, Any]
) -> dict[str, object]:
    """Return a value for each name of a parameter."""
    calm, open_ = enums.Mood.CALM, enums.Status.OPEN
    spot = base.Spot("here", [enums.Mood.CROSS], calm)
    name: object = "Bob"
    if "overrides" in options:
        name = importlib.import_module("titles").Title("Bob")
    found: dict[str, object] = {
        "id": 1, "name": name, "mood": calm, "moods": [calm], "status": open_,
        "statuses": [open_], "spot": spot, "spots": [spot], "kept": {"a": 1},
        "note": "noted", "pattern": "n%", "kind": "a", "user_id": 1,
        "price": Decimal("1.5"), "volts": Range(0.0, 2.0), "tags": {"a": None},
        "made_at": datetime.datetime.now(datetime.UTC),
    }  # fmt: skip
    return found | {RENAMED.get(each, each): value for each, value in found.items()}


def _call_all(made: Made, url: str) -> int:
    server_types = importlib.import_module(f"{made.base}.server_types")
    with psycopg.connect(url, autocommit=True) as conn:
        server_types.register_types(conn)
        calls = [*_calls(made, "", conn)]
        for call in calls:
            with conn.transaction(force_rollback=True):
                given: Any = call.function(**call.arguments)
                if call.name.startswith("stream_"):
                    with given as rows:
                        given = [*rows]
                elif call.name.startswith("send_"):
                    given = given()
                elif "fetchall" in dir(given):
                    given = given.fetchall()
            call.judge(made, given)
    return len(calls)


async def _await_all(made: Made, url: str) -> int:
    server_types = importlib.import_module(f"{made.base}.aio.server_types")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        await server_types.register_types(conn)
        calls = [*_calls(made, "aio.", conn)]
        for call in calls:
            async with conn.transaction(force_rollback=True):
                given: Any = call.function(**call.arguments)
                if call.name.startswith("stream_"):
                    async with given as rows:
                        given = [row async for row in rows]
                else:
                    given = await given
                if call.name.startswith("send_"):
                    given = await given()
                elif "fetchall" in dir(given):
                    given = await given.fetchall()
            call.judge(made, given)
    return len(calls)
