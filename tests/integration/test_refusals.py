"""Where no connection can be had, the store says why, and does not wait for nothing."""

import time
import traceback
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest

from generated.internal import user_steps
from postgres_testing import embedded
from store import Settings, Store, errors
from tests.support import stores

SECRET = "tr0ub4dor"  # noqa: S105 - what is looked for


@contextmanager
def at_once() -> Generator[None]:
    """Fail if the block waits for what cannot come."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 4


def changed(url: str, *, netloc: str | None = None, path: str | None = None) -> str:
    """Give a URL with another part."""
    parts = urlsplit(url)
    new = parts._replace(netloc=netloc or parts.netloc, path=path or parts.path)
    return new.geturl()


def place_of(url: str) -> str:
    """Give host and port of a URL."""
    return urlsplit(url).netloc.rpartition("@")[2]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (errors.AccessRefused, "no database of the name"),
        (errors.AccessRefused, "password"),
        (errors.ServerUnreachable, "nobody listens"),
        (errors.ServerUnreachable, "host name"),
    ],
)
def test_why_a_store_cannot_be_opened(
    database_url: str, kind: type[errors.Unavailable], words: str
) -> None:
    """Each reason has its own words, at once, and no traceback tells the password."""
    user = f"postgres:{SECRET}"
    urls = {
        "no database of the name": changed(database_url, path=f"/{SECRET}"),
        "password": changed(database_url, netloc=f"{user}@{place_of(database_url)}"),
        "nobody listens": changed(
            database_url, netloc=f"{user}@127.0.0.1:{embedded.free_port()}"
        ),
        "host name": changed(database_url, netloc=f"{user}@nowhere.invalid:1"),
    }
    store = Store(Settings.load(database_url=urls[words]))
    with at_once(), pytest.raises(kind, match=words) as refused:
        store.open()
    error = refused.value
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    known = [frame.f_locals for frame in frames if frame.f_code.co_filename != __file__]
    assert len(known) > 2
    assert SECRET not in f"{error} {error!r} {known}"
    # Nor does the driver's error, of which not even a debugger hears.
    assert (error.__cause__, error.__context__) == (None, None)


def test_a_store_that_was_never_opened_says_so(database_url: str) -> None:
    """So does one that is closed, in other words."""
    store = Store(stores.settings(database_url))
    with (
        at_once(),
        pytest.raises(errors.NotOpen, match="is not open"),
        store.connection(),
    ):
        pass
    with store:
        pass
    with pytest.raises(errors.NotOpen, match="is closed"), store.connection():
        pass


def test_a_schema_that_is_not_there_names_the_remedy(
    postgres_server: embedded.Server,
) -> None:
    """On a database without our tables the error says what to run."""
    with (
        stores.opened(postgres_server.url) as store,
        pytest.raises(errors.SchemaMismatch, match="make migrate"),
        store.connection() as conn,
    ):
        user_steps.create_user(conn, crossmint_user_id="x", email=None)


def test_a_full_server_is_waited_for(
    database_url: str, conn: psycopg.Connection
) -> None:
    """A connection that is not to be had now is asked for until the limit."""
    database = conn.info.dbname
    guest = f"guest_of_{database}"
    conn.execute(f"CREATE ROLE {guest} LOGIN PASSWORD 'x' CONNECTION LIMIT 0".encode())
    try:
        url = changed(database_url, netloc=f"{guest}:x@{place_of(database_url)}")
        store = Store(Settings.load(database_url=url, database_acquire_timeout=0.5))
        with pytest.raises(errors.ServerNotReady, match="full"):
            store.open()
        patient = Store(Settings.load(database_url=url))
        with ThreadPoolExecutor(1) as thread:
            opening = thread.submit(patient.open)
            while patient.statistics.refused == 0:
                time.sleep(0.01)
            conn.execute(f"ALTER ROLE {guest} CONNECTION LIMIT 1".encode())
            opening.result()
        assert patient.statistics.connections == 1
        patient.close()
    finally:
        conn.execute(f"DROP ROLE {guest}".encode())


def test_a_standby_says_so(database_url: str, conn: psycopg.Connection) -> None:
    """A session that may not write has its error."""
    name = conn.info.dbname
    conn.execute(
        f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode()
    )
    with (
        stores.opened(database_url) as reader,
        pytest.raises(errors.ReadOnly) as refused,
        reader.connection() as one,
    ):
        user_steps.create_user(one, crossmint_user_id="x", email=None)
    assert refused.value.retryable
