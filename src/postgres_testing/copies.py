"""The statements that make and drop databases, and copies made ahead of need."""

import select
from collections.abc import Callable
from contextlib import suppress

import psycopg
from psycopg import sql
from psycopg.pq import ExecStatus

__all__ = ["EMPTY", "CopiesAhead", "copy", "created", "dropped"]


EMPTY = sql.SQL("TEMPLATE template0")


def created(name: str, options: sql.Composable = EMPTY) -> sql.Composed:
    """Give the statement that makes a database: here, and nowhere else."""
    return sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), options)


def copy(name: str, template: str) -> sql.Composed:
    """Give the statement that copies a template.

    Copying files beats writing the copy to the log, as a template is small.
    """
    copying = sql.SQL("TEMPLATE {} STRATEGY file_copy")
    return created(name, copying.format(sql.Identifier(template)))


def dropped(name: str) -> sql.Composed:
    """Give the statement that drops a database and cuts off who is connected."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    return statement.format(sql.Identifier(name))


class CopiesAhead:
    """The copies of one template, of which one more is always being made.

    The server makes the next copy while one is in use, and drops it while the next one
    is. There is no thread, which forks of the tests' would not survive.
    """

    def __init__(self, server_url: str, template: str, name: Callable[[], str]) -> None:
        self._template = template
        self._name = name
        self._maker = _Errands(server_url)
        self._dropper = _Errands(server_url)
        self._next: str | None = None
        self._over: list[str] = []

    def take(self) -> str:
        """Give the name of a fresh copy, and begin with the next one."""
        if self._next is None:
            self._begin_next()
        taken = self._next
        self._begin_next()
        assert taken is not None
        return taken

    def give_back(self, name: str) -> None:
        """Have a copy dropped before long.

        The one before it is, whose last connections are gone by now: DROP DATABASE
        looks for them once in 100 ms.
        """
        self._over.append(name)
        if len(self._over) > 1:
            self._dropper.send(dropped(self._over.pop(0)))

    def close(self) -> None:
        """Drop what is left, and wait for it."""
        try:
            self._maker.wait()
            for name in (*self._over, *([self._next] if self._next else [])):
                self._dropper.send(dropped(name))
            self._dropper.wait()
        finally:
            self._maker.close()
            self._dropper.close()

    def _begin_next(self) -> None:
        """Wait until the copy under way is there, and have another one made."""
        name = self._name()
        self._maker.send(copy(name, self._template))
        self._next = name


class _Errands:
    """A connection on which one statement at a time is under way."""

    def __init__(self, server_url: str) -> None:
        self._conn = psycopg.connect(server_url, autocommit=True)

    def send(self, statement: sql.Composed) -> None:
        """Wait for the statement before, and send another one."""
        self.wait()
        libpq = self._conn.pgconn
        libpq.send_query(statement.as_bytes(self._conn))
        while libpq.flush():
            pass

    def wait(self) -> None:
        """Wait for the statement that is under way, if one is.

        Raises psycopg's error where it failed.
        """
        libpq = self._conn.pgconn
        failed: psycopg.Error | None = None
        while True:
            # get_result would wait with Python's lock held, and the server may be
            # waiting for another thread, which is about to log in.
            while libpq.is_busy():
                select.select([libpq.socket], [], [])
                libpq.consume_input()
            result = libpq.get_result()
            if result is None:
                break
            if result.status != ExecStatus.COMMAND_OK:
                failed = psycopg.errors.error_from_result(result)
        if failed:
            raise failed

    def close(self) -> None:
        with suppress(psycopg.Error):
            self._conn.close()
