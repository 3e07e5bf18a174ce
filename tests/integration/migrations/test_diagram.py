"""The page of the schema."""

from pathlib import Path

import psycopg
import pytest

from generated.internal import catalog
from store.schema_tools import diagram

PAGE = Path(__file__).parents[3] / diagram.PAGE


def test_the_page_shows_the_migrated_schema(conn: psycopg.Connection) -> None:
    """docs/schema.md is what `make schema-diagram` would write."""
    assert diagram.page(conn) == PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("CREATE TABLE a_note (id int)", "    a_note {"),
        ("COMMENT ON TABLE users IS 'Who buys.'", "Who buys."),
        ("ALTER TABLE users ADD note text", "| `note` | `text` | yes |  |  |"),
        (
            "ALTER TABLE users ADD CONSTRAINT has_zip CHECK (zip <> '')",
            "| `has_zip` | `CHECK (((zip)::text <> ''::text))` |  |",
        ),
        ("CREATE INDEX by_zip ON users (zip)", "| `by_zip` | `(zip)` |  |"),
        (
            "CREATE DOMAIN zip_code AS text CHECK (value > 'a|b')",
            r"| `zip_code` | `text` | `CHECK ((VALUE > 'a\|b'::text))` |  |",
        ),
        (
            "CREATE TABLE pets (owner uuid UNIQUE NOT NULL REFERENCES users)",
            "    users ||--o| pets : owner",
        ),
        (
            "CREATE TABLE pets (owner uuid REFERENCES users)",
            "    users |o--o{ pets : owner",
        ),
    ],
)
def test_every_change_shows(conn: psycopg.Connection, change: str, line: str) -> None:
    """What a migration adds is on the page."""
    assert line not in diagram.page(conn).splitlines()
    conn.execute(change.encode())
    assert line in diagram.page(conn).splitlines()


def test_every_index_says_what_it_is_for(conn: psycopg.Connection) -> None:
    """Each index, and each unique constraint, has a comment."""
    indexes = catalog.list_indexes(conn, schema="public")
    constraints = catalog.list_constraints(conn, schema="public")
    comments = {row.name: row.comment for row in indexes}
    comments |= {row.name: row.comment for row in constraints if row.kind == "u"}
    assert len(comments) > 20
    assert [name for name, comment in comments.items() if not comment] == []
