"""What has to be dropped and made anew comes back with all that hung on it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from postgres_testing.embedded import Server
from store.errors import MigrationError
from store.schema_tools import draft_steps, drafts
from store.settings import DatabaseSettings
from tests.integration.migrations import drafting

# Each of them changes so that PostgreSQL has no ALTER for it.
SCHEMA = """
CREATE TABLE t (
    a integer, b text, c text, g integer GENERATED ALWAYS AS (a + 1) STORED
);
COMMENT ON COLUMN t.g IS 'g';
GRANT SELECT (g) ON t TO first;
CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE VIEW v WITH (security_barrier=true) AS SELECT a, b, c FROM t;
GRANT SELECT ON v TO first WITH GRANT OPTION;
GRANT SELECT (b), UPDATE (b) ON v TO second;
COMMENT ON VIEW v IS 'v';
COMMENT ON COLUMN v.b IS 'b';
ALTER VIEW v ALTER COLUMN b SET DEFAULT 'x';
CREATE TRIGGER tr INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION tr();
COMMENT ON TRIGGER tr ON v IS 'tr';
CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING;
COMMENT ON RULE r ON v IS 'r';
CREATE VIEW above AS SELECT b FROM v;
GRANT SELECT ON above TO first;
CREATE MATERIALIZED VIEW m WITH (fillfactor=70) AS SELECT a, b, c FROM t;
ALTER MATERIALIZED VIEW m ALTER COLUMN b SET STATISTICS 7;
CREATE UNIQUE INDEX m_a ON m (a);
COMMENT ON INDEX m_a IS 'm_a';
GRANT SELECT ON m TO PUBLIC;
CREATE FUNCTION f(x integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
COMMENT ON FUNCTION f(integer) IS 'f';
REVOKE ALL ON FUNCTION f(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION f(integer) TO first;
CREATE TABLE k (x integer);
GRANT ALL ON k TO first;
GRANT SELECT ON k TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO first;
"""
CHANGES = {
    "a, b, c FROM t": "a, b FROM t",
    "RETURNS integer LANGUAGE": "RETURNS bigint LANGUAGE",
    "a + 1": "a + 2",
    "GRANT ALL ON k TO first;": "GRANT INSERT ON k TO second;",
    "ON TABLES TO first": "ON TABLES TO second",
}


@pytest.fixture
def of_roles(postgres_server: Server) -> Generator[Callable[[str], str]]:
    """Give a schema's text with two roles that exist in place of first and second."""
    mark = secrets.token_hex(4)
    names = {name: f"store_test_{name}_{mark}" for name in ("first", "second")}

    def told(schema: str) -> str:
        for name, role in names.items():
            schema = schema.replace(f"TO {name}", f"TO {role}")
        return schema

    with psycopg.connect(postgres_server.url, autocommit=True) as admin:
        for role in names.values():
            admin.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        yield told
        for role in names.values():
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_all_that_hung_on_it_comes_back(
    postgres_server: Server, tmp_path: Path, of_roles: Callable[[str], str]
) -> None:
    """Privileges, comments, triggers, rules, indexes and options are made again."""
    at = DatabaseSettings.load(database_url=postgres_server.url)
    after = SCHEMA
    for old, new in CHANGES.items():
        after = after.replace(old, new)
    before, after = of_roles(SCHEMA), of_roles(after)
    found = drafting.draft(at, tmp_path, before, after)
    assert (found.losses, found.remaining) == ((), "")
    assert set(found.recreated) == {
        "view public.v",
        "view public.above",
        "materialized view public.m",
        "function public.f",
    }
    for name in found.recreated:
        assert f"\n-- {draft_steps.RECREATES.format(name)}\n" in found.texts[0]
    drafts.write(found, "change", directory=tmp_path)
    drafting.assert_reaches(postgres_server, at, tmp_path, after, back_to=before)


def test_a_role_that_is_not_there_is_named(
    postgres_server: Server, tmp_path: Path
) -> None:
    """Privileges of a role that the server does not have stop the draft."""
    at = DatabaseSettings.load(database_url=postgres_server.url)
    table = "CREATE TABLE t ();"
    with pytest.raises(MigrationError, match=r'schema\.txt:1: .*role "nobody_is" does'):
        drafting.draft(at, tmp_path, table, f"{table} GRANT SELECT ON t TO nobody_is;")
