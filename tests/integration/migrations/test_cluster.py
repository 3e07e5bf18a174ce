"""What is tried in a database of its own touches nothing beside it."""

import secrets
import subprocess
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from devserver.embedded import Server
from store.errors import MigrationError
from store.schema_tools import drafts, dumps, scratch, verification
from store.sql import cluster, statements
from tests.integration.migrations import drafting
from tests.support.migrating import at, migration, write

ROOT = Path(__file__).parents[3]

OF_THE_CLUSTER = """
CREATE DATABASE x; ALTER DATABASE x CONNECTION LIMIT 1; ALTER DATABASE x SET a.b = '1';
ALTER DATABASE x RESET ALL; ALTER DATABASE x RENAME TO y; ALTER DATABASE x OWNER TO y;
ALTER DATABASE x SET TABLESPACE y; ALTER DATABASE x REFRESH COLLATION VERSION;
DROP DATABASE x; COMMENT ON DATABASE x IS ''; SECURITY LABEL ON DATABASE x IS '';
GRANT CREATE ON DATABASE x TO y; REVOKE CREATE ON DATABASE x FROM y;
CREATE ROLE x; CREATE USER x; CREATE GROUP x; ALTER ROLE x LOGIN; ALTER USER x LOGIN;
ALTER GROUP x ADD USER y; ALTER ROLE x SET a.b = '1'; ALTER ROLE ALL RESET ALL;
ALTER ROLE x RENAME TO y; DROP ROLE x; DROP USER x; DROP GROUP x; GRANT x TO y;
REVOKE x FROM y; COMMENT ON ROLE x IS ''; SECURITY LABEL ON ROLE x IS '';
REASSIGN OWNED BY x TO y; DROP OWNED BY x;
CREATE TABLESPACE x LOCATION '/x'; ALTER TABLESPACE x SET (seq_page_cost = 1);
ALTER TABLESPACE x RENAME TO y; ALTER TABLESPACE x OWNER TO y; DROP TABLESPACE x;
COMMENT ON TABLESPACE x IS ''; SECURITY LABEL ON TABLESPACE x IS '';
GRANT CREATE ON TABLESPACE x TO y; ALTER TABLE ALL IN TABLESPACE x SET TABLESPACE y;
ALTER SYSTEM SET a.b = '1'; ALTER SYSTEM RESET ALL; CHECKPOINT;
GRANT SET ON PARAMETER work_mem TO y;
CREATE SUBSCRIPTION x CONNECTION '' PUBLICATION y; ALTER SUBSCRIPTION x DISABLE;
ALTER SUBSCRIPTION x RENAME TO y; ALTER SUBSCRIPTION x OWNER TO y; DROP SUBSCRIPTION x;
COMMENT ON SUBSCRIPTION x IS ''; SECURITY LABEL ON SUBSCRIPTION x IS '';
COPY x TO PROGRAM 'y'; COPY x FROM '/y';
DO $$BEGIN DROP ROLE x; END$$; DO $$BEGIN EXECUTE 'DROP ROLE x'; END$$;
DO $$BEGIN IF true THEN EXECUTE format('DROP ROLE %I', 'x'); END IF; END$$;
DO $$BEGIN EXECUTE 'DROP ROLE ' || 'x'; END$$;
"""

OF_THE_DATABASE = """
CREATE TABLE x (); ALTER TABLE x OWNER TO y; GRANT SELECT ON x TO y; DROP TABLE x;
GRANT USAGE ON SCHEMA x TO y; COMMENT ON TABLE x IS ''; ALTER TABLE x RENAME TO y;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO y; SET ROLE x; CREATE PUBLICATION x;
CREATE POLICY x ON y TO z; COPY x FROM STDIN; DO $$BEGIN DROP TABLE x; END$$;
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$BEGIN DROP ROLE x; END$$;
"""


@pytest.mark.parametrize(
    ("sql", "is_touched"), [(OF_THE_CLUSTER, True), (OF_THE_DATABASE, False)]
)
def test_what_is_of_the_cluster_is_known(sql: str, *, is_touched: bool) -> None:
    """Of each class of statements, also within a DO block; and nothing else is."""
    for statement in statements.split(sql):
        found = [*cluster.touched_by(statement)]
        assert bool(found) == is_touched, statement.text


@pytest.fixture
def conn(empty: str) -> Generator[psycopg.Connection]:
    """Give a session on a database in which a row stands."""
    with psycopg.connect(empty, autocommit=True) as conn:
        conn.execute("CREATE TABLE kept (x integer); INSERT INTO kept VALUES (1)")
        yield conn


@pytest.mark.parametrize("options", [["--create", "--clean"], ["--create"]])
def test_a_dump_that_makes_its_database_is_refused(
    options: list[str],
    empty: str,
    conn: psycopg.Connection,
    server: Server,
    tmp_path: Path,
) -> None:
    """What pg_dump writes with --create and --clean drops and makes nothing."""
    # A database that has a session cannot be dropped.
    conn.close()
    schema = tmp_path / "schema.sql"
    dump = [str(server.bin / "pg_dump"), *options, empty]
    schema.write_text(subprocess.check_output(dump, text=True))
    (folder := tmp_path / "migrations").mkdir()
    write(folder, migration("SELECT 1;"))
    with pytest.raises(MigrationError, match=r"schema\.sql:\d+: "):
        drafts.draft(at(empty), directory=folder, schema=schema)
    with psycopg.connect(empty) as again:
        assert again.execute("SELECT x FROM kept").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "command",
    [
        "\\connect postgres",
        "\\! touch harmed",
        "SELECT 1 \\g harmed",
        "SELECT 'touch harmed' \\gexec",
        "\\i schema.sql",
        "\\restrict x\n\\! touch harmed",
        "SET standard_conforming_strings = off; SELECT 'a\\'';\n\\! touch harmed\n--';",
        "CREATE ROLE store_test_harmed;",
        "SET standard_conforming_strings = off;SELECT 'a\\''; CREATE ROLE x; --';",
    ],
)
def test_commands_in_a_schema_file_are_not_run(
    command: str, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Psql's commands, and what is hidden in quotes, fail and do nothing."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "schema.sql"
    file.write_text(f"CREATE TABLE t ();\n{command}\n")
    with (
        scratch.database(at(empty)) as database,
        pytest.raises(MigrationError, match=r"schema\.sql:\d"),
    ):
        dumps.load(database, file)
    assert not (tmp_path / "harmed").exists()
    with psycopg.connect(empty) as conn:
        role = "SELECT FROM pg_roles WHERE rolname IN ('x', 'store_test_harmed')"
        assert conn.execute(role).rowcount == 0


def test_what_pg_dump_writes_is_taken(
    empty: str, conn: psycopg.Connection, server: Server, tmp_path: Path
) -> None:
    """A dump of a schema, with the lines that guard it, is loaded as it is."""
    file = tmp_path / "schema.sql"
    dump = [str(server.bin / "pg_dump"), "--schema-only", "--no-owner", empty]
    file.write_text(subprocess.check_output(dump, text=True))
    assert "\\restrict" in file.read_text()
    with scratch.database(at(empty)) as database:
        dumps.load(database, file)
        with drafting.connected(database) as loaded:
            assert loaded.execute("SELECT FROM kept").rowcount == 0
    assert conn.execute("SELECT count(*) FROM kept").fetchone() == (1,)


def test_verifying_beside_other_databases_drops_no_role(
    empty: str, conn: psycopg.Connection, tmp_path: Path
) -> None:
    """On the database's own server a down part that drops a role is not run at all."""
    role = f"store_test_{secrets.token_hex(4)}"
    make = f"CREATE ROLE {role} LOGIN PASSWORD 'kept'"
    write(tmp_path, migration(f"SELECT 1;\n{make};", f"\nDROP ROLE {role};"))
    look = "SELECT rolpassword FROM pg_authid WHERE rolname = %s"
    conn.execute(make.encode())
    try:
        before = conn.execute(look, [role]).fetchall()
        [found] = verification.verify(at(empty), directory=tmp_path)
        assert f"0001_step.sql:3: CREATE ROLE {role} LOGIN PASSWORD is of the" in found
        assert conn.execute(look, [role]).fetchall() == before
    finally:
        conn.execute(f"DROP ROLE {role}".encode())


def test_on_a_server_of_its_own_a_role_can_be_tried(
    server: Server, empty: str, tmp_path: Path
) -> None:
    """What was started for this may be harmed; the database is compared as ever."""
    role = f"store_test_{secrets.token_hex(4)}"
    write(tmp_path, migration(f"CREATE ROLE {role};", f"DROP ROLE {role};"))
    own = scratch.OwnServer.load(
        database_url=server.url, database_url_direct=server.url
    )
    found = verification.verify(at(empty), server=own, directory=tmp_path)
    assert found == ["0001_step.sql is pending"]
    with psycopg.connect(empty, autocommit=True) as conn:
        conn.execute(f"DROP ROLE {role}".encode())


@pytest.mark.parametrize("target", ["migrate-draft", "migrate-verify", "schema-dump"])
def test_make_tries_things_on_a_server_of_its_own(target: str) -> None:
    """Whatever database is named, the server that is worked on is started for it."""
    url = "DATABASE_URL=postgresql://ann@db.example/shop"
    plan = subprocess.check_output(
        ["make", "-n", target, "name=x", url], cwd=ROOT, text=True
    )
    assert "-m devserver.embedded '' sh -ec" in plan
    assert 'export SCRATCH_DATABASE_URL="$TEST_DATABASE_URL"' in plan
