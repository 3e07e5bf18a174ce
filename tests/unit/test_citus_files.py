"""Migrations as they go into a schema that Citus has distributed."""

from pathlib import Path

import pytest

from store.migrations import citus
from store.migrations.citus import Place
from store.migrations.files import MigrationFile
from store.sql import statements
from tests.support.citus import OneSchema

TEXT = """\
-- migrate:up
-- It's more than one statement, each with a \\ and quotes in it.
ALTER TABLE a ADD COLUMN b text DEFAULT 'it''s; $$';
COMMENT ON COLUMN a.b IS E'\\\\';
DROP TABLE c;

-- migrate:down
DROP TABLE c;
"""
FILE = MigrationFile(Path("0001_a.sql"), TEXT)
DISTRIBUTED = Place("shop", True, True, False, None)


def test_each_statement_is_a_query_of_its_own() -> None:
    """Of a part nothing is left but DO blocks, of which each executes one statement."""
    [file] = citus.singly([FILE], DISTRIBUTED)
    for section in ("up", "down"):
        before, after = FILE.part(section), file.part(section)
        assert before
        assert after
        blocks = statements.split(after.sql)
        assert {block.kind for block in blocks} == {"DoStmt"}
        assert len(blocks) == len(statements.split(before.sql))


def test_a_plain_schema_takes_files_as_they_are() -> None:
    """Neither without Citus nor before a distribution is anything rewritten."""
    for place in (None, DISTRIBUTED._replace(is_distributed=False)):
        assert [*citus.singly([FILE], place)] == [FILE]


def test_what_is_outside_of_a_transaction_is_sent_singly_anyway() -> None:
    """Such a part is not for dbmate, and stays as it is."""
    text = TEXT.replace("migrate:up", "migrate:up transaction:false")
    [file] = citus.singly([MigrationFile(FILE.path, text)], DISTRIBUTED)
    up = file.part("up")
    assert up
    assert "DROP TABLE c;" in up.sql.splitlines()


def test_tests_drop_no_schema_but_one_for_tests() -> None:
    """The name says so, on a server that others may use."""
    with pytest.raises(ValueError, match="begins with test_"):
        OneSchema("shop")
    assert OneSchema("test_store").name == "test_store"
