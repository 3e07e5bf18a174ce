"""The private parts of psycopg that the store uses, and psycopg's version.

A new minor version may move them: read what has changed there, then change this.
"""

import inspect
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import BaseConnection, waiting
from psycopg._cursor_base import BaseCursor  # pyright: ignore[reportPrivateUsage]
from psycopg.errors import _WaitTimeout  # pyright: ignore[reportPrivateUsage]

SHAPES: dict[str, str] = {
    "_communicate_gen": "(self) -> 'PQGen[None]'",
    "_enqueue_sync": "(self) -> 'None'",
    "_exit_gen": "(self) -> 'PQGen[None]'",
    "_fetch_gen": "(self, *, flush: 'bool') -> 'PQGen[None]'",
    "_sync_gen": "(self) -> 'PQGen[None]'",
}


def test_the_version_is_the_one_that_was_read() -> None:
    """pyproject.toml pins the minor version, whose inside these tests know."""
    assert psycopg.__version__.startswith("3.3.")


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("pipeline", [psycopg.Pipeline, psycopg.AsyncPipeline])
def test_a_pipeline_has_the_methods_that_ours_overrides(
    pipeline: type, name: str
) -> None:
    """The held pipeline overrides or calls these."""
    method: Callable[..., Any] = getattr(pipeline, name)
    assert str(inspect.signature(method)) == SHAPES[name]


def test_a_cursor_executes_by_what_is_called_anew() -> None:
    """A query is done again by `_execute_gen`, whose arguments its frame holds."""
    for cursor in (psycopg.Cursor, psycopg.AsyncCursor):
        execute: Callable[..., Any] = vars(BaseCursor)["_execute_gen"]
        assert issubclass(cursor, BaseCursor)
        assert list(inspect.signature(execute).parameters) == [
            "self",
            "query",
            "params",
            "prepare",
            "binary",
        ]
        assert inspect.isgeneratorfunction(execute)


def test_a_batch_is_executed_by_what_is_called_anew() -> None:
    """Its arguments and its pipeline are in the frame of what failed."""
    execute: Callable[..., Any] = vars(BaseCursor)["_executemany_gen_pipeline"]
    assert inspect.isgeneratorfunction(execute)
    names = ["self", "query", "params_seq", "returning"]
    assert list(inspect.signature(execute).parameters) == names
    assert "pipeline" in execute.__code__.co_varnames


@pytest.mark.parametrize("wait", [waiting.wait, waiting.wait_async])
def test_waiting_ends_in_time(wait: Callable[..., Any]) -> None:
    """The functions that wait take a limit, and raise `_WaitTimeout` after it."""
    assert issubclass(_WaitTimeout, psycopg.OperationalError)
    if wait is waiting.wait_async:
        names = {"gen", "fileno", "interval", "timeout"}
        assert inspect.signature(wait).parameters.keys() == names


@pytest.mark.parametrize("face", [psycopg.Connection, psycopg.AsyncConnection])
def test_a_connection_waits_as_ours_overrides(face: type) -> None:
    """`wait` is what everything goes through, and `_pool` silences a warning."""
    wait: Callable[..., Any] = vars(face)["wait"]
    assert list(inspect.signature(wait).parameters) == [
        "self",
        "gen",
        "interval",
        "timeout",
    ]
    assert "_pool" in inspect.getsource(BaseConnection.__del__)


def test_a_connection_has_what_is_set_and_cleared(conn: psycopg.Connection) -> None:
    """`_pipeline` is where cursors look, `_prepared` is what they think is prepared."""
    assert vars(conn)["_pipeline"] is None
    prepared = vars(conn)["_prepared"]
    assert str(inspect.signature(prepared.clear)) == "() -> 'bool'"
    with conn.pipeline() as pipeline:
        assert vars(conn)["_pipeline"] is pipeline
        assert {"command_queue", "result_queue", "level"} <= vars(pipeline).keys()
