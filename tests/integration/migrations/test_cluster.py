"""What is tried in a database of its own touches nothing beside it."""

import re
import secrets
import subprocess
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from postgres_testing.embedded import Server
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
COPY x TO PROGRAM 'y'; COPY x FROM '/y'; DROP USER IF EXISTS x;
PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x'; ROLLBACK PREPARED 'x';
UPDATE pg_database SET datallowconn = false; DELETE FROM pg_catalog.pg_auth_members;
INSERT INTO pg_db_role_setting VALUES (0, 0, '{}');
WITH x AS (UPDATE pg_authid SET rolpassword = NULL RETURNING 1) TABLE x;
DO $$BEGIN UPDATE pg_authid SET rolpassword = NULL; END$$;
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
SELECT rolname FROM pg_authid; UPDATE x SET y = (SELECT count(*) FROM pg_database);
"""

# One of each other command that psql's \\h lists.
OTHERS = """
ABORT; ALTER AGGREGATE x(int) RENAME TO y; ALTER COLLATION x RENAME TO y;
ALTER CONVERSION x RENAME TO y; ALTER DOMAIN x DROP NOT NULL;
ALTER EVENT TRIGGER x DISABLE; ALTER EXTENSION x UPDATE; ALTER FUNCTION f() STABLE;
ALTER FOREIGN DATA WRAPPER x RENAME TO y; ALTER FOREIGN TABLE x RENAME TO y;
ALTER INDEX x RENAME TO y; ALTER LANGUAGE x RENAME TO y;
ALTER LARGE OBJECT 1 OWNER TO x; ALTER MATERIALIZED VIEW x RENAME TO y;
ALTER OPERATOR + (int, int) OWNER TO x; ALTER OPERATOR CLASS x USING btree RENAME TO y;
ALTER OPERATOR FAMILY x USING btree RENAME TO y; ALTER POLICY x ON y RENAME TO z;
ALTER PROCEDURE f() RENAME TO g; ALTER PUBLICATION x ADD TABLE y;
ALTER ROUTINE f() RENAME TO g; ALTER RULE x ON y RENAME TO z;
ALTER SCHEMA x RENAME TO y; ALTER SEQUENCE x RESTART; ALTER SERVER x VERSION 'y';
ALTER STATISTICS x RENAME TO y;
ALTER TEXT SEARCH CONFIGURATION x RENAME TO y; ALTER TEXT SEARCH PARSER x RENAME TO y;
ALTER TEXT SEARCH DICTIONARY x RENAME TO y; ALTER TEXT SEARCH TEMPLATE x RENAME TO y;
ALTER TRIGGER x ON y RENAME TO z; ALTER TYPE x RENAME TO y; ALTER VIEW x RENAME TO y;
ALTER USER MAPPING FOR x SERVER y OPTIONS (a 'b'); ANALYZE x; BEGIN; CALL f(); CLOSE x;
CLUSTER x USING y; COMMIT; CREATE ACCESS METHOD x TYPE INDEX HANDLER f;
CREATE AGGREGATE x(int) (SFUNC = f, STYPE = int); CREATE CAST (x AS y) WITHOUT FUNCTION;
CREATE COLLATION x FROM y; CREATE CONVERSION x FOR 'a' TO 'b' FROM f;
CREATE DOMAIN x AS int; CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION f();
CREATE EXTENSION x; CREATE FOREIGN DATA WRAPPER x; CREATE FOREIGN TABLE x () SERVER y;
CREATE INDEX x ON y (z); CREATE LANGUAGE x HANDLER f;
CREATE MATERIALIZED VIEW x AS SELECT 1; CREATE OPERATOR + (FUNCTION = f, LEFTARG = int);
CREATE OPERATOR CLASS x FOR TYPE int USING btree AS STORAGE int;
CREATE OPERATOR FAMILY x USING btree; CREATE PROCEDURE f() LANGUAGE sql AS '';
CREATE RULE x AS ON INSERT TO y DO INSTEAD NOTHING; CREATE SCHEMA x; CREATE SEQUENCE x;
CREATE SERVER x FOREIGN DATA WRAPPER y; CREATE STATISTICS x ON a, b FROM y;
CREATE TABLE x AS SELECT 1; CREATE TEXT SEARCH CONFIGURATION x (PARSER = y);
CREATE TEXT SEARCH DICTIONARY x (TEMPLATE = y); CREATE TEXT SEARCH PARSER x (START = f);
CREATE TEXT SEARCH TEMPLATE x (LEXIZE = f); CREATE TYPE x AS (a int);
CREATE TRANSFORM FOR int LANGUAGE x (FROM SQL WITH FUNCTION f(internal));
CREATE TRIGGER x AFTER INSERT ON y EXECUTE FUNCTION f();
CREATE USER MAPPING FOR x SERVER y; CREATE VIEW x AS SELECT 1; DEALLOCATE x;
DECLARE x CURSOR FOR SELECT 1; DELETE FROM x; DISCARD ALL; DROP ACCESS METHOD x;
DROP AGGREGATE x(int); DROP CAST (x AS y); DROP COLLATION x; DROP CONVERSION x;
DROP DOMAIN x; DROP EVENT TRIGGER x; DROP EXTENSION x; DROP FOREIGN DATA WRAPPER x;
DROP FOREIGN TABLE x; DROP FUNCTION f(); DROP INDEX x; DROP LANGUAGE x;
DROP MATERIALIZED VIEW x; DROP OPERATOR + (int, int); DROP OPERATOR CLASS x USING btree;
DROP OPERATOR FAMILY x USING btree; DROP POLICY x ON y; DROP PROCEDURE f();
DROP PUBLICATION x; DROP ROUTINE f(); DROP RULE x ON y; DROP SCHEMA x; DROP SEQUENCE x;
DROP SERVER x; DROP STATISTICS x; DROP TEXT SEARCH CONFIGURATION x;
DROP TEXT SEARCH DICTIONARY x; DROP TEXT SEARCH PARSER x; DROP TEXT SEARCH TEMPLATE x;
DROP TRANSFORM FOR int LANGUAGE x; DROP TRIGGER x ON y; DROP TYPE x;
DROP USER MAPPING FOR x SERVER y; DROP VIEW x; END; EXECUTE x; EXPLAIN SELECT 1;
FETCH x; IMPORT FOREIGN SCHEMA x FROM SERVER y INTO z; INSERT INTO x VALUES (1);
LISTEN x; LOAD 'x'; LOCK x; MERGE INTO x USING y ON true WHEN MATCHED THEN DELETE;
MOVE x; NOTIFY x; PREPARE x AS SELECT 1; REFRESH MATERIALIZED VIEW x; REINDEX TABLE x;
RELEASE SAVEPOINT x; RESET x; ROLLBACK; ROLLBACK TO SAVEPOINT x; SAVEPOINT x;
SELECT 1 INTO x; SET x = 1; SET CONSTRAINTS ALL DEFERRED; SET SESSION AUTHORIZATION x;
SET TRANSACTION READ ONLY; SHOW x; START TRANSACTION; TABLE x; TRUNCATE x; UNLISTEN x;
UPDATE x SET y = 1; VACUUM x; VALUES (1); WITH x AS (SELECT 1) TABLE x;
"""


@pytest.mark.parametrize(
    ("sql", "is_touched"),
    [(OF_THE_CLUSTER, True), (OF_THE_DATABASE, False), (OTHERS, False)],
)
def test_what_is_of_the_cluster_is_known(sql: str, *, is_touched: bool) -> None:
    """Of each class of statements, also within a DO block; and nothing else is."""
    for statement in statements.split(sql):
        found = [*cluster.touched_by(statement)]
        assert bool(found) == is_touched, statement.text


def test_each_command_of_the_server_s_has_been_looked_at(
    postgres_server: Server,
) -> None:
    """What psql's help lists is among those that are told apart above."""
    psql = [str(postgres_server.bin / "psql"), "-X", postgres_server.url, "-c", "\\h *"]
    listed = subprocess.check_output(psql, text=True, env={"PAGER": "cat"})
    commands = set(re.findall(r"^Command: +(.*)", listed, re.MULTILINE))
    samples = "\n".join([OF_THE_CLUSTER, OF_THE_DATABASE, OTHERS])
    looked_at = [text.strip() for text in re.split(r"[;\n]", samples)]
    assert "ALTER SYSTEM" in commands
    for command in commands:
        # CREATE TABLE x AS
        words = re.compile(r"(?: \w+)? ".join(command.split()) + r"\b")
        assert any(map(words.match, looked_at)), command


def test_each_catalog_of_the_whole_cluster_is_known(postgres_server: Server) -> None:
    """Who writes to a catalog that all databases share is found, too."""
    query = (
        "SELECT 'DELETE FROM ' || relname FROM pg_class"
        " WHERE relisshared AND relkind = 'r'"
    )
    with psycopg.connect(postgres_server.url) as conn:
        for (text,) in conn.execute(query).fetchall():
            [statement] = statements.split(text)
            assert [*cluster.touched_by(statement)] == [statement]


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
    postgres_server: Server,
    tmp_path: Path,
) -> None:
    """What pg_dump writes with --create and --clean drops and makes nothing."""
    # A database that has a session cannot be dropped.
    conn.close()
    schema = tmp_path / "schema.sql"
    dump = [str(postgres_server.bin / "pg_dump"), *options, empty]
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
    empty: str, conn: psycopg.Connection, postgres_server: Server, tmp_path: Path
) -> None:
    """A dump of a schema, with the lines that guard it, is loaded as it is."""
    file = tmp_path / "schema.sql"
    dump = [str(postgres_server.bin / "pg_dump"), "--schema-only", "--no-owner", empty]
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
    missing = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
    up = f"DO $$BEGIN IF {missing} THEN CREATE ROLE {role} LOGIN; END IF; END$$;"
    write(tmp_path, migration(f"SELECT 1;\n{up}", f"\nDROP ROLE {role};"))
    look = "SELECT rolpassword FROM pg_authid WHERE rolname = %s"
    conn.execute(make.encode())
    try:
        before = conn.execute(look, [role]).fetchall()
        [found] = verification.verify(at(empty), directory=tmp_path)
        assert f"0001_step.sql:3: CREATE ROLE {role} LOGIN is of the" in found
        assert conn.execute(look, [role]).fetchall() == before
    finally:
        conn.execute(f"DROP ROLE {role}".encode())


def test_on_a_server_of_its_own_a_role_can_be_tried(
    postgres_server: Server, empty: str, tmp_path: Path
) -> None:
    """What was started for this may be harmed; the database is compared as ever."""
    role = f"store_test_{secrets.token_hex(4)}"
    write(tmp_path, migration(f"CREATE ROLE {role};", f"DROP ROLE {role};"))
    own = scratch.OwnServer.load(
        database_url=postgres_server.url, database_url_direct=postgres_server.url
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
    assert "-m postgres_testing.embedded '' sh -ec" in plan
    assert 'export SCRATCH_DATABASE_URL="$TEST_DATABASE_URL"' in plan
