"""Migrations build, undo and report, and never show a password."""

import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
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
from store.schema_tools import dumps
from tests.support.migrating import alone, at, migration, plain, write
from tests.support.recorded import MIGRATIONS

from .conftest import Run

FILES = tuple(sorted(path.name for path in MIGRATIONS.glob("*.sql")))


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


def dump(server: Server, url: str) -> str:
    """Give the whole schema as SQL."""
    dumped = subprocess.run(
        [server.bin / "pg_dump", "--schema-only", f"--dbname={url}"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    # pg_dump guards its output with a key, which is a new one each time.
    dumped = re.sub(r"^\\(un)?restrict .*$", "", dumped, flags=re.MULTILINE)
    return dumps.without_private_options(dumped)


def test_up_builds_from_nothing_once(postgres_server: Server, missing: str) -> None:
    """The first run creates the database and applies all, a second changes nothing."""
    assert migrations.up(at(missing), directory=MIGRATIONS) == FILES
    built = dump(postgres_server, missing)
    assert "CREATE TABLE public.users" in built
    assert migrations.up(at(missing), directory=MIGRATIONS) == ()
    assert dump(postgres_server, missing) == built


def test_each_rollback_undoes_its_migration(
    postgres_server: Server, empty: str, tmp_path: Path
) -> None:
    """Going down passes the same schemas as going up, and leaves but the ledger."""
    migrations.up(
        at(empty), directory=write(tmp_path, "-- migrate:up\n-- migrate:down")
    )
    migrations.rollback(at(empty), directory=tmp_path)
    (tmp_path / "0001_step.sql").unlink()
    (tmp_path / "meta/_journal.json").unlink()
    schemas = [dump(postgres_server, empty)]
    for file in FILES:
        shutil.copy(MIGRATIONS / file, tmp_path)
        migrations.record(tmp_path)
        assert migrations.up(at(empty), directory=tmp_path) == (file,)
        schemas.append(dump(postgres_server, empty))
    for file in reversed(FILES):
        assert dump(postgres_server, empty) == schemas.pop()
        assert migrations.rollback(at(empty), directory=MIGRATIONS) == file
    assert [dump(postgres_server, empty)] == schemas
    assert migrations.up(at(empty), directory=MIGRATIONS) == FILES


@pytest.mark.parametrize("place", ["empty", "missing"])
def test_ten_runs_at_once_apply_once(
    place: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Of ten runs at once one applies the migrations, and all ten succeed."""
    url: str = request.getfixturevalue(place)
    # Outside of a transaction nothing but the lock keeps a step from being repeated.
    write(
        tmp_path,
        "-- migrate:up\nCREATE TABLE t (x integer);\n-- migrate:down\nDROP TABLE t;",
        "-- migrate:up transaction:false\nINSERT INTO t VALUES (1);\n-- migrate:down\n",
        # It waits for every statement that began before: none of the other nine's may
        # be one that waits for this run.
        migration("CREATE INDEX CONCURRENTLY i ON t (x);", "", " transaction:false"),
    )
    barrier = threading.Barrier(10)

    def start(_: int) -> tuple[str, ...]:
        barrier.wait()
        return migrations.up(at(url), directory=tmp_path)

    with ThreadPoolExecutor(10) as pool:
        applied = list(pool.map(start, range(10)))
    assert sorted(applied) == [()] * 9 + [
        ("0001_step.sql", "0002_step.sql", "0003_step.sql")
    ]
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT x FROM t").fetchall() == [(1,)]


def test_exit_codes_of_status(run: Run, missing: str) -> None:
    """Status says 2 where there is no database, 1 if something is pending, else 0."""
    assert run("status", url=missing)[0] == 2
    code, said, _ = run("up")
    assert code == 0
    assert said.startswith(
        f"Creating: {urlsplit(missing).path[1:]}\nApplying: {FILES[0]}"
    )
    assert run("up") == (0, "nothing is pending\n", "")
    code, said, _ = run("status")
    assert (code, re.findall(r"^applied  (\S+)", said, re.MULTILINE)) == (0, [*FILES])
    assert run("rollback")[0] == 0
    code, said, _ = run("status")
    assert code == 1
    *_, applied, pending = said.splitlines()
    assert applied.startswith(f"applied  {FILES[-2]}")
    assert pending == f"pending  {FILES[-1]}"


def test_progress_is_told_as_it_happens(empty: str, tmp_path: Path) -> None:
    """The line that a migration begins comes while it still runs."""
    write(
        tmp_path, "-- migrate:up\nSELECT pg_advisory_xact_lock(7);\n-- migrate:down\n"
    )
    with psycopg.connect(empty, autocommit=True) as blocker:
        blocker.execute("SELECT pg_advisory_lock(7)")

        def note(line: str) -> None:
            if line == "Applying: 0001_step.sql":
                blocker.execute("SELECT pg_advisory_unlock(7)")

        applied = migrations.up(at(empty), directory=tmp_path, progress=note)
    assert applied == ("0001_step.sql",)


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("-- migrate:up\nCREATE TABLE b ();\n  SELEC 1;\n-- migrate:down\n", ":3:3"),
        ("-- A table.\n\n-- migrate:up\nSELEC 1;\n-- migrate:down\n", ":4:1"),
    ],
)
def test_broken_migration_is_named_and_leaves_no_trace(
    empty: str, tmp_path: Path, file: str, place: str
) -> None:
    """The error says where in which file, and what came before stays applied."""
    write(tmp_path, "-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\n", file)
    with pytest.raises(MigrationError) as caught:
        migrations.up(at(empty), directory=tmp_path)
    broken = tmp_path / "0002_step.sql"
    said = f'{broken}{place}: syntax error at or near "SELEC" (42601)'
    assert str(caught.value) == said
    assert migrations.status(at(empty), directory=tmp_path) == migrations.Status(
        applied=("0001_step.sql",), pending=("0002_step.sql",)
    )
    with psycopg.connect(empty) as conn:
        tables = conn.execute("SELECT to_regclass('a'), to_regclass('b')").fetchone()
    assert tables == ("a", None)


def test_broken_rollback_is_named(empty: str, tmp_path: Path) -> None:
    """An error of a down part has its place in the file, and the migration stays."""
    write(tmp_path, "-- migrate:up\nSELECT 1;\n-- migrate:down\n\nDROP TABLE b, !;\n")
    migrations.up(at(empty), directory=tmp_path)
    with pytest.raises(MigrationError, match=r"/0001_step\.sql:5:15: syntax error"):
        migrations.rollback(at(empty), directory=tmp_path)
    assert migrations.status(at(empty), directory=tmp_path).pending == ()


def test_error_without_line_names_file(empty: str, tmp_path: Path) -> None:
    """Where the server gives no position, file and SQLSTATE are still there."""
    write(tmp_path, "-- migrate:up\nDROP TABLE b;\n-- migrate:down\n")
    with pytest.raises(MigrationError) as caught:
        migrations.up(at(empty), directory=tmp_path)
    path = tmp_path / "0001_step.sql"
    assert str(caught.value) == f'{path}: table "b" does not exist (42P01)'


def test_rollback_of_nothing_fails(run: Run, empty: str) -> None:
    """There is nothing to take back in an empty database."""
    code, _, complaint = run("rollback", url=empty)
    assert code == 2
    assert "no migrations have been applied" in complaint


@pytest.mark.parametrize(
    ("leaving", "state"),
    [
        (
            "SELECT set_config('search_path', '', false);",
            "current_setting('search_path') <> ''",
        ),
        (
            "SET session_replication_role = replica;",
            "current_setting('session_replication_role') = 'origin'",
        ),
        ("SET ROLE pg_monitor;", "current_user = session_user"),
        ("CREATE TEMP TABLE b ();", "to_regclass('b') IS NULL"),
        (
            "SELECT pg_advisory_lock(3);",
            "3 NOT IN (SELECT objid FROM pg_locks WHERE locktype = 'advisory')",
        ),
        ("LISTEN c;", "NOT EXISTS (SELECT FROM pg_listening_channels())"),
        (
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1;",
            "NOT EXISTS (SELECT FROM pg_cursors WHERE name = 'c')",
        ),
        (
            "PREPARE p AS SELECT 1;",
            "NOT EXISTS (SELECT FROM pg_prepared_statements WHERE name = 'p')",
        ),
        (
            "SET default_transaction_isolation = serializable;",
            "current_setting('transaction_isolation') = 'read committed'",
        ),
        (
            (
                "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 7168', "
                "current_database()); END$$; SET work_mem = 9216;"
            ),
            "current_setting('work_mem') = '7MB'",
        ),
        ("SET app.a = 'x';", "current_setting('app.a', true) IS NULL"),
        ("SET LOCAL \"app\".a = 'x';", "current_setting('app.a', true) IS NULL"),
        (
            "SELECT set_config('app.a', 'x', false);",
            "current_setting('app.a', true) IS NULL",
        ),
    ],
)
@pytest.mark.parametrize("options", ["", " transaction:false"])
def test_no_file_sees_what_another_left(
    leaving: str, state: str, options: str, empty: str, tmp_path: Path
) -> None:
    """Each file, up and back, begins in a session of its own."""
    look = f"DO $$BEGIN ASSERT {state}; END$$;"
    # dbmate's own line is written in the session that the file has altered.
    back = f"{leaving} RESET ROLE;"
    first = migration(leaving if options else back, look, options)
    write(tmp_path, first, migration(look, back))
    assert len(migrations.up(at(empty), directory=tmp_path)) == 2
    migrations.rollback(at(empty), directory=tmp_path)
    migrations.rollback(at(empty), directory=tmp_path)


def test_a_row_of_files_shares_one_session(empty: str, tmp_path: Path) -> None:
    """Many small files take no process each, only what is outside of a transaction."""
    first = migration("CREATE TABLE seen AS SELECT pg_backend_pid();")
    more = [migration("INSERT INTO seen SELECT pg_backend_pid();")] * 9
    outside = migration("INSERT INTO seen VALUES (0);", options=" transaction:false")
    write(tmp_path, first, *more, outside, *more)
    migrations.up(at(empty), directory=tmp_path)
    with psycopg.connect(empty) as conn:
        pids = [pid for (pid,) in conn.execute("SELECT * FROM seen")]
    assert len({*pids[:10]}) == len({*pids[11:]}) == 1
    assert len({*pids}) == 3


def test_dbmate_alone_runs_on_with_what_a_file_left(empty: str, tmp_path: Path) -> None:
    """That the guard is needed: no foreign key is looked at in the next file."""
    before = (
        "CREATE TABLE a (x integer PRIMARY KEY);"
        "CREATE TABLE b (x integer REFERENCES a);"
        "SET session_replication_role TO replica;"
    )
    write(tmp_path, migration(before), migration("INSERT INTO b VALUES (1);"))
    assert alone(empty, tmp_path, "up")[0] == 0
    with psycopg.connect(empty) as conn:
        assert conn.execute("SELECT x FROM b").fetchone() == (1,)


@pytest.mark.parametrize(
    ("options", "expected"), [("", "500ms"), ("?options=-c%20lock_timeout%3D7s", "7s")]
)
def test_lock_timeout_is_set(
    empty: str, tmp_path: Path, options: str, expected: str
) -> None:
    """A migration waits half a second for a lock at a time, or as the URL says."""
    check = f"current_setting('lock_timeout') = '{expected}'"
    write(
        tmp_path,
        f"-- migrate:up\nDO $$BEGIN ASSERT {check}; END$$;\n-- migrate:down\n",
    )
    url = plain(empty) + options
    assert migrations.up(at(url), directory=tmp_path) == ("0001_step.sql",)


def test_awaited_lock_is_explained(empty: str, tmp_path: Path) -> None:
    """Who runs into the lock timeout hears that another session is in the way."""
    write(tmp_path, "-- migrate:up\nDROP TABLE t;\n-- migrate:down\n")
    url = f"{plain(empty)}?options=-c%20lock_timeout%3D1"
    with psycopg.connect(empty) as blocker:
        blocker.execute("CREATE TABLE t ()")
        blocker.commit()
        blocker.execute("SELECT FROM t")
        with pytest.raises(MigrationError, match=r"\(55P03\): another session holds"):
            migrations.up(at(url), directory=tmp_path)


def test_parameters_of_libpq_alone_are_left_out(empty: str) -> None:
    """A URL with what only libpq knows, as hosted databases give, works as it is."""
    more = "channel_binding=prefer&keepalives_idle=9&gssencmode=disable"
    url = f"{plain(empty)}?{more}&connect_timeout=5&application_name=a%20b"
    assert migrations.up(at(url), directory=MIGRATIONS) == FILES


def test_a_url_without_sslmode_works(empty: str) -> None:
    """A URL means what it means to psycopg: TLS where the server has it."""
    assert migrations.up(at(plain(empty)), directory=MIGRATIONS) == FILES


def test_up_writes_no_schema_file(
    run: Run,
    postgres_server: Server,
    empty: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Applying leaves the folder as it was, though a dump could be made."""
    monkeypatch.setenv("PATH", str(postgres_server.bin))
    before = sorted(tmp_path.rglob("*"))
    assert run("up", url=empty)[0] == 0
    assert run("rollback")[0] == 0
    assert sorted(tmp_path.rglob("*")) == before


def test_dbmate_alone_swallows_a_failed_dump(empty: str, tmp_path: Path) -> None:
    """That the guard is needed: without pg_dump `up` ends with 0 and writes no file."""
    write(tmp_path, migration("SELECT 1;"))
    before = sorted(tmp_path.rglob("*"))
    assert alone(empty, tmp_path, "up", dumps=True)[0] == 0
    assert sorted(tmp_path.rglob("*")) == before


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


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("add_order_notes", "add_order_notes"),
        ("Add order-notes ", "add_order_notes"),
        ("addOrderNotes2", "add_order_notes2"),
    ],
)
def test_new_takes_the_next_number(
    run: Run, tmp_path: Path, name: str, file: str
) -> None:
    """A new migration has the next number, a snake_case name, and both parts."""
    path = Path(f"db/migrations/{len(FILES) + 1:04}_{file}.sql")
    assert run("new", name) == (0, f"{path}\n", "")
    text = (tmp_path / path).read_text()
    assert re.findall("^-- migrate:(up|down)$", text, re.MULTILINE) == ["up", "down"]
    assert run("new", name)[1].startswith(f"db/migrations/{len(FILES) + 2:04}_")


def test_new_migration_runs_as_it_is(empty: str, tmp_path: Path) -> None:
    """The skeleton is a migration that does nothing."""
    file = migrations.new("first", directory=tmp_path).name
    migrations.record(tmp_path)
    assert migrations.up(at(empty), directory=tmp_path) == ("0001_first.sql",)
    assert migrations.rollback(at(empty), directory=tmp_path) == file


@pytest.mark.parametrize("name", ["", " ", "_", "../up", "1st", "año", "a" * 300])
def test_new_refuses_a_bad_name(run: Run, tmp_path: Path, name: str) -> None:
    """A name that makes no good file name is refused, and nothing is written."""
    code, said, complaint = run("new", name)
    assert (code, said) == (2, "")
    assert complaint.count("\n") == 1
    assert sorted(path.name for path in tmp_path.rglob("*.sql")) == list(FILES)


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        ("0001_twice.sql", "0001_twice.sql and 0001_users.sql have the same number"),
        ("add_notes.sql", "add_notes.sql is not named like 0001_what_it_does.sql"),
        ("5_notes.sql", "5_notes.sql is not named like 0001_what_it_does.sql"),
    ],
)
def test_names_that_mislead_dbmate_are_refused(
    run: Run,
    empty: str,
    tmp_path: Path,
    file: str,
    complaint: str,
) -> None:
    """A file that dbmate would pass over or take for another stops every command."""
    (tmp_path / "db/migrations" / file).write_text("-- migrate:up\n-- migrate:down\n")
    for command in (["up"], ["rollback"], ["status"], ["new", "x"]):
        code, _, complained = run(*command, url=empty)
        assert code == 2
        assert complaint in complained


def test_outside_of_the_project_is_explained(
    run: Run,
    empty: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where there is no db/migrations, the command says where it looked."""
    monkeypatch.chdir(os.sep)
    code, _, complaint = run("up", url=empty)
    assert code == 2
    assert "db/migrations, which is looked for in the working directory" in complaint
