"""Migrations go where the URL says, and never show its password."""

import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from postgres_testing import databases
from postgres_testing.databases import url_of
from postgres_testing.embedded import Server
from store import migrations
from store.errors import MigrationError
from store.migrations import dbmate
from tests.support.migrating import at, plain
from tests.support.recorded import MIGRATIONS

from .conftest import FILES, Run


def complaint(url: str, call: Callable[..., object] = migrations.status) -> str:
    """Give the message with which a call fails."""
    with pytest.raises(MigrationError) as caught:
        call(at(url), directory=MIGRATIONS)
    return str(caught.value)


@contextmanager
def logging_in(server: Server, password: str) -> Generator[str]:
    """Give a URL for a role with this password; the role is dropped in the end."""
    name = f"store_test_{secrets.token_hex(4)}"
    role = sql.Identifier(name)
    with psycopg.connect(server.url, autocommit=True) as admin:
        create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        admin.execute(create.format(role, password))
        try:
            place = urlsplit(server.url)
            login = f"{name}:{quote(password, safe='')}"
            host = place.netloc.rpartition("@")[2]
            yield place._replace(netloc=f"{login}@{host}").geturl()
        finally:
            admin.execute(sql.SQL("DROP ROLE {}").format(role))


def test_parameters_of_libpq_alone_are_left_out(empty: str) -> None:
    """A URL with what only libpq knows, as hosted databases give, works as it is."""
    more = "channel_binding=prefer&keepalives_idle=9&gssencmode=disable"
    url = f"{plain(empty)}?{more}&connect_timeout=5&application_name=a%20b"
    assert migrations.up(at(url), directory=MIGRATIONS) == FILES


def test_a_url_without_sslmode_works(empty: str) -> None:
    """A URL means what it means to psycopg: TLS where the server has it."""
    assert migrations.up(at(plain(empty)), directory=MIGRATIONS) == FILES


def test_odd_database_name_works(postgres_server: Server) -> None:
    """A name that must be percent-encoded in the URL reaches dbmate as it is meant."""
    name = f"store_test_{secrets.token_hex(4)} a/b?c#d%e&f+'ü"
    url = at(url_of(postgres_server.url, quote(name, safe="")))
    try:
        assert migrations.up(url, directory=MIGRATIONS) == FILES
    finally:
        databases.drop(postgres_server.url, name)


def test_host_and_port_of_the_environment_count(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A URL without host and port means those of PGHOST and PGPORT, as for libpq."""
    place = urlsplit(empty)
    monkeypatch.setenv("PGHOST", str(place.hostname))
    monkeypatch.setenv("PGPORT", str(place.port))
    user = place.netloc.rpartition("@")[0]
    url = place._replace(netloc=f"{user}@").geturl()
    assert migrations.up(at(url), directory=MIGRATIONS) == FILES


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=12))
@settings(max_examples=25)
@example("p@ss:w/rd%")
@example("#")
@example('it\'s "quoted" with \\ and spaces ')
@example("%41&x=1?")
def test_password_works_and_is_never_shown(postgres_server: Server, odd: str) -> None:
    """Whatever the password is, dbmate gets in with it, and no error has part of it."""
    with logging_in(postgres_server, f"zq7{odd}xw9{odd}vk3") as url:
        assert migrations.status(at(url), directory=MIGRATIONS).applied == ()
        dbmate.run(at(url), [], "status")
        gone = complaint(url_of(url, "store_test_gone"))
        # dbmate shows all of a URL that it cannot read; it never gets one of two hosts.
        odd_port = url.replace("@", "@127.0.0.1:1,", 1)
        unreadable = complaint(odd_port, migrations.up)
    assert "(3D000)" in gone
    for part in ("zq7", "xw9", "vk3"):
        assert part not in gone + unreadable


@pytest.mark.parametrize("password", ["p@ss:w/rd%", "#x", "it's", "a b", "x:y@z"])
def test_bad_url_is_one_line_without_password(run: Run, password: str) -> None:
    """A URL that leads nowhere, its password raw in it, is one line and exit code 2."""
    url = f"postgresql://ann:zq7{password}xw9@127.0.0.1:1/shop"
    code, said, complaint = run("status", url=url)
    assert (code, said) == (2, "")
    assert complaint.count("\n") == 1
    assert "zq7" not in complaint
    assert "xw9" not in complaint


def test_missing_url_is_one_line() -> None:
    """Without DATABASE_URL the command ends with 2 and says which one it misses."""
    ended = subprocess.run(
        [sys.executable, "-m", "store", "migrate", "up"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    assert re.fullmatch("DATABASE_URL is not set: .*\n", ended.stderr)


def test_stray_env_file_and_path_redirect_nothing(
    run: Run,
    empty: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither .env, nor dbmate's own variables, nor PATH change what a run does."""
    (tmp_path / ".env").write_text(
        "DATABASE_URL_DIRECT=postgresql://h/elsewhere\nPGUSER=nobody\n"
        "PGOPTIONS='-c search_path=pg_temp'\nDBMATE_MIGRATIONS_TABLE=a\n"
    )
    monkeypatch.setenv("DBMATE_MIGRATIONS_TABLE", "b")
    monkeypatch.setenv("PATH", "")
    assert run("up", url=empty)[0] == 0
    with psycopg.connect(empty) as conn:
        ledger = conn.execute("SELECT version FROM public.schema_migrations").fetchall()
    assert [version for (version,) in ledger] == [file[:4] for file in FILES]


def test_migrations_go_to_the_direct_url(
    run: Run,
    empty: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where both URLs are set, dbmate never talks to the pooled one."""
    monkeypatch.setenv("DATABASE_URL_DIRECT", empty)
    code, said, _ = run("status", url="postgresql://ann@127.0.0.1:1/shop")
    assert code == 1
    assert said.count("pending") == len(FILES)
