"""What is wrong before a server answers is named: variables, and the way to it."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from postgres_testing import embedded, pooler
from postgres_testing.databases import url_of
from postgres_testing.embedded import Server

from .conftest import RING, Doctor

# The environment


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"DATABASE_POOL_SIZE": "0"}, "unknown value"),
        ({"DATABASE_URL": "mysql://a/b"}, "does not begin with postgresql://"),
        ({"WALLET_ENCRYPTION_KEYS": f"{RING},12"}, "(entry 2) is not 32 bytes"),
        ({"CROSSMINT_WEBHOOK_SECRETS": "whsec_?"}, "is not whsec_ with base64"),
        ({"DATABASE_URL": None}, "is not set"),
    ],
)
def test_each_bad_variable_is_named(
    doctor: Doctor, given: dict[str, str | None], words: str
) -> None:
    """What is wrong with one is said without its value, and beside all the others."""
    both: dict[str, str | None] = {"CART_MAX_ITEMS": "none at all", **given}
    report = doctor(**both)
    [name] = given
    assert report.names("wrong", name, words)
    assert report.names("wrong", "CART_MAX_ITEMS", "unknown value")
    assert report.code == 2


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WALLET_ENCRYPTION_KEY", "WALLET_ENCRYPTION_KEYS"),
        ("DATABASE_POOLSIZE", "DATABASE_POOL_SIZE"),
        ("DATABSE_URL", "DATABASE_URL"),
    ],
)
def test_a_name_that_is_almost_a_setting_is_named(
    doctor: Doctor, name: str, meant: str
) -> None:
    """Nobody reads a variable that is spelled otherwise."""
    assert doctor(**{name: "x-y-z"}).names("wrong", name, f"{meant} is")


def test_what_is_not_set_is_said_where_something_needs_it(doctor: Doctor) -> None:
    """Without keys and secrets the store starts, and refuses what needs them."""
    report = doctor(WALLET_ENCRYPTION_KEYS=None, CROSSMINT_WEBHOOK_SECRETS=None)
    assert report.names("notice", "WALLET_ENCRYPTION_KEYS", "is not set")
    assert report.names("notice", "CROSSMINT_WEBHOOK_SECRETS", "is not set")


# The way to the server


def changed(url: str, **parts: str) -> str:
    """Change parts of a URL: host and port, password, or the query."""
    one = urlsplit(url)
    user = quote(one.username or "")
    password = quote(parts.get("password", one.password or ""))
    place = parts.get("place", f"{one.hostname}:{one.port}")
    query = parts.get("query", one.query)
    return one._replace(netloc=f"{user}:{password}@{place}", query=query).geturl()


@contextmanager
def silent() -> Generator[str]:
    """Have somebody listen who never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def test_a_host_that_nobody_knows_is_named(doctor: Doctor, database_url: str) -> None:
    """A slip in the host's name is told from a server that is down."""
    url = changed(database_url, place="db.nowhere.invalid:5432")
    report = doctor(DATABASE_URL=url)
    assert report.names("wrong", "DATABASE_URL", "host db.nowhere.invalid: its name")
    assert report.code == 2


def test_a_server_that_is_down_is_named(doctor: Doctor, database_url: str) -> None:
    """So is a port at which nobody listens."""
    place = f"127.0.0.1:{embedded.free_port()}"
    report = doctor(DATABASE_URL=changed(database_url, place=place))
    assert report.names("wrong", "DATABASE_URL", "nobody listens")


def test_a_server_that_is_silent_is_named(doctor: Doctor, database_url: str) -> None:
    """The doctor does not wait for ever, and says so."""
    with silent() as place:
        url = changed(database_url, place=place, query="connect_timeout=2")
        report = doctor(DATABASE_URL=url)
    assert report.names("wrong", "DATABASE_URL", "did not answer in time")


def test_a_wrong_password_is_named(doctor: Doctor, database_url: str) -> None:
    """So is a password that the server refuses, and it is not shown."""
    url = changed(database_url, password="s3cret-and-wrong")  # noqa: S106
    report = doctor(DATABASE_URL=url)
    assert report.names("wrong", "DATABASE_URL", "refused the user or the password")
    assert "s3cret" not in report.text


def test_a_database_that_is_missing_is_named(
    doctor: Doctor, postgres_server: Server
) -> None:
    """So is a name of no database."""
    report = doctor(DATABASE_URL=url_of(postgres_server.url, "store_test_nowhere"))
    assert report.names("wrong", "DATABASE_URL", "no database of the name")


def test_tls_that_the_server_lacks_is_named(doctor: Doctor, database_url: str) -> None:
    """What the URL demands and the server lacks is told from a wrong password."""
    report = doctor(DATABASE_URL=changed(database_url, query="sslmode=require"))
    assert report.names("wrong", "DATABASE_URL", "TLS could not be agreed on")


def test_two_urls_of_two_databases_are_named(
    doctor: Doctor, postgres_server: Server
) -> None:
    """Migrations would be applied to another database than the one that is used."""
    report = doctor(DATABASE_URL_DIRECT=postgres_server.url)
    assert report.names("wrong", "DATABASE_URL_DIRECT", "another database or server")


@pytest.fixture
def pooled(postgres_server: Server, database_url: str) -> Generator[str]:
    """Give the URL by way of a pooler."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("there is no PgBouncer here")
    with pooler.start(Path(program), postgres_server.url) as between:
        yield between.url(database_url)


def test_a_pooler_is_recognised(doctor: Doctor, pooled: str, database_url: str) -> None:
    """Whatever its port: where it is right it is told, where it hurts it is named."""
    report = doctor(DATABASE_URL=pooled, DATABASE_URL_DIRECT=database_url)
    assert report.names("ok", "pooler", "leads to one")
    assert not [one for one in report.of("wrong") if one[0].startswith("DATABASE")]
    report = doctor(DATABASE_URL=pooled, DATABASE_POOLER="no")
    assert report.names("wrong", "DATABASE_POOLER", "prepared statements fail there")
    assert report.names("notice", "DATABASE_URL_DIRECT", "no migrations from here")
    report = doctor(DATABASE_URL_DIRECT=pooled, DATABASE_POOLER="yes")
    assert report.names("wrong", "DATABASE_URL_DIRECT", "leads to a pooler")
    assert report.names("notice", "DATABASE_POOLER", "leads to the server")
