"""The checks in their order, each only where what it needs is there."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack
from typing import Any

import psycopg
from psycopg import Connection

from ..errors import StoreError
from ..settings import Settings
from . import keys, replica, schema, server, sessions, variables
from .findings import Finding, notice, ok, unseen, wrong

__all__ = ["examine"]

_POOLER = "DATABASE_POOLER"
_DIRECT = "DATABASE_URL_DIRECT"
_REPLICA = "DATABASE_URL_REPLICA"
_URL = "DATABASE_URL"


def examine() -> Generator[Finding]:
    """Look at everything, from the environment on; tell each thing as it is seen.

    What cannot be looked at, since something before it is wrong, is told as `UNSEEN`.
    """
    yield from variables.examine()
    yield from schema.journalled()
    settings = variables.usable()
    if settings is None:
        yield unseen("database", "no look without good settings", "mend those above")
        return
    url = settings.database_url.get_secret_value()
    direct_url = settings.database_url_direct.get_secret_value()
    with ExitStack() as stack:
        opened: dict[str, Connection[Any]] = {}
        urls = {_URL: url}
        if direct_url != url:
            urls[_DIRECT] = direct_url
        if settings.database_url_replica is not None:
            urls[_REPLICA] = settings.database_url_replica.get_secret_value()
        for variable, one in urls.items():
            conn, found = sessions.connect(variable, one, settings.database_schema)
            yield from found
            if conn:
                opened[variable] = stack.enter_context(conn)
        if _URL not in opened:
            yield unseen("database", f"no look without {_URL}", "mend it first")
            return
        yield from _each(_looks(settings, opened))


def _looks(
    settings: Settings, opened: dict[str, Connection[Any]]
) -> Iterable[tuple[str, Callable[[], Iterable[Finding]]]]:
    conn = opened[_URL]
    direct = opened.get(_DIRECT, conn)
    version = conn.info.server_version
    alone = settings.database_url == settings.database_url_direct
    yield "pooler", lambda: _pooler(settings, conn, opened.get(_DIRECT))
    yield "server", lambda: server.state(direct)
    yield "server settings", lambda: server.settings(direct, settings)
    if copy := opened.get(_REPLICA):
        yield "replica", lambda: replica.examine(conn, copy)
    yield "rights", lambda: server.rights(conn, _URL, migrates=alone)
    yield "programs", lambda: schema.programs_here(version)
    yield "schema", lambda: schema.applied(direct)
    yield "schema", lambda: schema.same_as_file(settings, direct)
    yield "wallet keys", lambda: keys.examine(conn, settings)


def _each(
    looks: Iterable[tuple[str, Callable[[], Iterable[Finding]]]],
) -> Generator[Finding]:
    """Take each look, also after one that the server has refused or cut off."""
    for check, take in looks:
        try:
            yield from take()
        except psycopg.Error as error:
            why = (
                error.diag.message_primary if error.sqlstate else "the session was lost"
            )
            yield unseen(check, f"not seen: {why}", "mend what is wrong above")
        except StoreError as error:
            yield unseen(check, f"not seen: {error}", "mend what is wrong above")


def _pooler(
    settings: Settings, conn: Connection[Any], direct: Connection[Any] | None
) -> Generator[Finding]:
    pooled = server.is_pooled(conn)
    if pooled and settings.database_pooler == "no":
        yield wrong(
            _POOLER,
            f"is no, and {_URL} leads to a pooler: prepared statements fail there",
            "leave it out, unless the pooler is one of sessions",
        )
    elif not pooled and settings.database_pooler == "yes":
        yield notice(
            _POOLER,
            f"is yes, and {_URL} leads to the server: statements are prepared nowhere",
            "leave it out",
        )
    elif pooled:
        yield ok("pooler", f"{_URL} leads to one, which the store finds out")
    else:
        yield ok("pooler", f"none: {_URL} leads to the server itself")
    if direct is None:
        if pooled and settings.database_url == settings.database_url_direct:
            yield notice(
                _DIRECT,
                f"leads to the pooler of {_URL}, too: no migrations from here",
                "set it to the server behind the pooler, where migrations are applied",
            )
        return
    if server.is_pooled(direct):
        yield wrong(
            _DIRECT,
            "leads to a pooler, where no lock holds: migrations are refused",
            "set it to the server behind the pooler",
        )
    if not server.same(conn, direct):
        yield wrong(
            _DIRECT,
            f"leads to another database or server than {_URL}",
            "let both name the same one: migrations would be applied elsewhere",
        )
