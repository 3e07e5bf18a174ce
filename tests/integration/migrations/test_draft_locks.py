"""Drafts are cut so that no large table is locked for long, or say that one is."""

from __future__ import annotations

from pathlib import Path

from postgres_testing.embedded import Server
from store.schema_tools import drafts
from store.settings import DatabaseSettings
from tests.integration.migrations import drafting

BEFORE = """
CREATE TABLE p (id integer PRIMARY KEY, code text);
CREATE TABLE t (
    a integer, b text, c integer, d integer, e text,
    CONSTRAINT one UNIQUE (a), CONSTRAINT ruled CHECK (a > 0)
);
CREATE INDEX changed ON t (a);
CREATE INDEX gone ON t (d);
COMMENT ON CONSTRAINT one ON t IS 'u';
COMMENT ON CONSTRAINT ruled ON t IS 'r';
COMMENT ON INDEX changed IS 'c';
COMMENT ON INDEX gone IS 'g';
"""
AFTER = """
CREATE TABLE p (id integer PRIMARY KEY, code text CONSTRAINT coded UNIQUE);
CREATE TABLE t (
    a integer, b text NOT NULL, c integer CONSTRAINT c_p REFERENCES p, d bigint,
    e text CONSTRAINT e_p REFERENCES p (code),
    CONSTRAINT one UNIQUE (a, b) DEFERRABLE, CONSTRAINT ruled CHECK (a > 1)
);
CREATE INDEX changed ON t (b, c);
CREATE UNIQUE INDEX "New one" ON t (b);
COMMENT ON CONSTRAINT one ON t IS 'u2';
COMMENT ON CONSTRAINT ruled ON t IS 'r';
COMMENT ON INDEX changed IS 'c2';
CREATE TABLE fresh (id integer PRIMARY KEY CHECK (id > 0), p integer REFERENCES p);
CREATE INDEX fresh_p ON fresh (p);
"""


def test_only_what_is_named_is_read_under_a_lock(
    postgres_server: Server, tmp_path: Path
) -> None:
    """Rules, keys and indexes of tables that are there get files of their own."""
    at = DatabaseSettings.load(database_url=postgres_server.url)
    found = drafting.draft(at, tmp_path, BEFORE, AFTER)
    assert found.remaining == ""
    assert found.locks == (
        "LOCKS: public.t for readers and writers, while all its rows are written anew.",
        *(
            f"LOCKS: public.{table} for readers and writers on the way back, while an "
            "index of all its rows is built."
            for table in ("p", "t")
        ),
    )
    for text, suffix in zip(found.texts, found.suffixes, strict=True):
        assert ("on the way back" in text) == (suffix == "_keys")
    assert found.suffixes == (
        "",
        *["_index"] * 4,
        "_keys",
        *["_drop_index"] * 2,
        "_validate",
    )
    drafts.write(found, "change", directory=tmp_path)
    drafting.assert_reaches(
        postgres_server, at, tmp_path, AFTER, back_to=BEFORE, steps=len(found.texts)
    )
