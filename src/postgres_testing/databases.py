"""Databases to test on: made, cloned from a template, and dropped.

    with databases.cached_template(server_url, schemas.migrated(folder)) as template:
        with template.clone() as url:
            ...  # a database of its own, as the migrations leave it

Only databases made here are ever dropped; their names begin with `test_`. Those of a
process that was killed are swept when the next one begins, if their server is still
there. What tells the living from the dead is a lock that each holds while it lives,
in the database that the server's URL names: let all who share a server name the same.
"""

import itertools
import re
import secrets
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from postgres_testing import copies, schemas
from postgres_testing.copies import CopiesAhead
from postgres_testing.schemas import Schema

__all__ = [
    "Template",
    "cached_template",
    "create",
    "database",
    "drop",
    "name_of",
    "template",
    "url_of",
]

# The first number of an advisory lock; the second is a session's or a schema's.
_SESSION, _USE, _BUILD = 0x7E57, 0x7E58, 0x7E59
_OF_SESSION = re.compile(r"test_([0-9a-f]{8})(_\d+)?")
_OF_SCHEMA = re.compile(r"test_template_([0-9a-f]{12})")
_KEPT = "kept: "
_OURS = """
SELECT datname, coalesce(shobj_description(oid, 'pg_database'), '')
FROM pg_database
WHERE datname ^@ 'test_' AND pg_get_userbyid(datdba) = current_user
"""


def create(server_url: str, name: str, options: sql.Composable = copies.EMPTY) -> str:
    """Make a database, and give its URL; `options` are those of CREATE DATABASE.

    It stays until it is dropped: what a block can hold had better be a `database`.
    """
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(copies.created(name, options))
    return url_of(server_url, name)


def drop(server_url: str, name: str) -> None:
    """Drop a database, if it is there; whoever is still connected is cut off."""
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(copies.dropped(name))


@contextmanager
def database(server_url: str) -> Generator[str]:
    """Make an empty database, give its URL, and drop it when the block ends."""
    with template(server_url, lambda _: None) as made:
        yield url_of(server_url, made.name)


@dataclass(frozen=True, slots=True)
class Template:
    """A database to copy, and the session that copies it.

    Not for use by several threads at once.
    """

    name: str
    server_url: str = field(repr=False)
    _session: "_Session" = field(repr=False)
    _ahead: CopiesAhead | None = field(default=None, repr=False)

    @contextmanager
    def clone(self) -> Generator[str]:
        """Copy the template; give the copy's URL, and drop it when the block ends.

        Of a template that is cached, and cannot change, the copy is made ahead of need,
        and dropped before long. Tests with the fixture `database_url` have one. Under
        hypothesis one clone serves all examples of a test: delete what an example has
        written.
        """
        if self._ahead:
            name = self._ahead.take()
            try:
                yield url_of(self.server_url, name)
            finally:
                if name not in self._session.kept:
                    self._ahead.give_back(name)
        else:
            name = self._session.new_name()
            with self._session.database(name, copies.copy(name, self.name)):
                yield url_of(self.server_url, name)

    def keep(self, url: str, reason: str) -> None:
        """Have a clone stay when its block ends, with the reason as its comment.

        It is never swept: drop it when you have seen enough.
        """
        name = name_of(url)
        self._session.comment(name, _KEPT + reason)
        self._session.kept.add(name)


@contextmanager
def template(server_url: str, build: Callable[[str], object]) -> Generator[Template]:
    """Make a database, have it built at its URL, and drop it when the block ends."""
    with _Session.begin(server_url) as session:
        name = f"test_{session.token}"
        with session.database(name, copies.created(name)):
            build(url_of(server_url, name))
            yield Template(name, server_url, session)


@contextmanager
def cached_template(server_url: str, schema: Schema) -> Generator[Template]:
    """Give the server's template of this schema; build it where there is none yet.

    It stays for the next run. Of several processes that want it at once one builds it.
    A server keeps the few that were used last.
    """
    name = f"test_template_{schema.key[:12]}"
    number = _number(schema.key)
    with _Session.begin(server_url) as session:
        # Until the session ends: whoever sweeps has to have it alone.
        session.admin.execute("SELECT pg_advisory_lock_shared(%s, %s)", [_USE, number])
        session.admin.execute("SELECT pg_advisory_lock(%s, %s)", [_BUILD, number])
        if not session.is_whole(name):
            session.admin.execute(copies.dropped(name))  # whoever began it was killed
            session.admin.execute(copies.created(name))
            try:
                schema.build(url_of(server_url, name))
            except BaseException:
                session.admin.execute(copies.dropped(name))
                raise
            # Nobody who is connected can hinder its copies, and it is known as whole.
            session.alter(name, sql.SQL("IS_TEMPLATE true ALLOW_CONNECTIONS false"))
        session.comment(name, f"used {datetime.now(UTC).isoformat()}")
        session.admin.execute("SELECT pg_advisory_unlock(%s, %s)", [_BUILD, number])
        session.sweep(name)
        ahead = CopiesAhead(server_url, name, session.new_name)
        try:
            yield Template(name, server_url, session, ahead)
        finally:
            ahead.close()


def url_of(server_url: str, database: str) -> str:
    """Give the URL of another database on the same server."""
    return urlsplit(server_url)._replace(path=f"/{database}").geturl()


def name_of(url: str) -> str:
    """Give the name of the database that a URL leads to."""
    return unquote(urlsplit(url).path.removeprefix("/"))


@dataclass(frozen=True, slots=True)
class _Session:
    """A connection that makes databases, and the lock that says that it lives."""

    admin: psycopg.Connection
    token: str
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    kept: set[str] = field(default_factory=set[str])

    @classmethod
    @contextmanager
    def begin(cls, server_url: str) -> "Generator[_Session]":
        token = secrets.token_hex(4)
        with psycopg.connect(server_url, autocommit=True) as admin:
            admin.execute("SELECT pg_advisory_lock(%s, %s)", [_SESSION, _number(token)])
            yield cls(admin, token)

    def new_name(self) -> str:
        return f"test_{self.token}_{next(self.numbers)}"

    @contextmanager
    def database(self, name: str, creation: sql.Composed) -> Generator[None]:
        """Have a database until the block ends, or longer if it is kept."""
        self.admin.execute(creation)
        try:
            yield
        finally:
            if name not in self.kept:
                self._let_go(name)
                self.admin.execute(copies.dropped(name))

    def alter(self, name: str, options: sql.Composable) -> None:
        alter = sql.SQL("ALTER DATABASE {} {}")
        self.admin.execute(alter.format(sql.Identifier(name), options))

    def comment(self, name: str, text: str) -> None:
        comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
        self.admin.execute(comment.format(sql.Identifier(name), text))

    def is_whole(self, template: str) -> bool:
        """Say whether a template was built to its end."""
        whole = "SELECT FROM pg_database WHERE datname = %s AND datistemplate"
        return self.admin.execute(whole, [template]).rowcount == 1

    def sweep(self, template: str) -> None:
        """Drop the databases of killed sessions, and templates long unused, but one."""
        ours: dict[str, str] = dict(self.admin.execute(_OURS).fetchall())
        keys = {name: key[1] for name in ours if (key := _OF_SCHEMA.fullmatch(name))}
        others = sorted(keys.keys() - {template}, key=ours.__getitem__, reverse=True)
        for name in others[schemas.TEMPLATES_KEPT - 1 :]:
            with self._unless_in_use(_USE, keys[name]) as is_abandoned:
                if is_abandoned:
                    self.alter(name, sql.SQL("IS_TEMPLATE false"))
                    self.admin.execute(copies.dropped(name))
        for name, comment in ours.items():
            token = _OF_SESSION.fullmatch(name)
            if token and not comment.startswith(_KEPT):
                with self._unless_in_use(_SESSION, token[1]) as is_abandoned:
                    if is_abandoned:
                        self.admin.execute(copies.dropped(name))

    @contextmanager
    def _unless_in_use(self, kind: int, key: str) -> Generator[bool]:
        """Lock what nobody uses; say whether that was so."""
        lock = [kind, _number(key)]
        [(locked,)] = self.admin.execute("SELECT pg_try_advisory_lock(%s, %s)", lock)
        try:
            yield locked
        finally:
            if locked:
                self.admin.execute("SELECT pg_advisory_unlock(%s, %s)", lock)

    def _let_go(self, name: str) -> None:
        """Wait a little for the processes of connections that were closed just now.

        DROP DATABASE looks for them once in 100 ms; they are gone within a few.
        """
        deadline = time.monotonic() + 0.1
        connected = "SELECT FROM pg_stat_activity WHERE datname = %s"
        while (
            self.admin.execute(connected, [name]).rowcount
            and time.monotonic() < deadline
        ):
            time.sleep(0.001)


def _number(key: str) -> int:
    """Give the first eight hexadecimal digits as PostgreSQL's integer."""
    return int(key[:8], 16) - (1 << 31)
