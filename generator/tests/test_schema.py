"""What is read from the schema files, since sqlc's catalog does not hold it."""

import re
from pathlib import Path

import pytest

from generator.tests import sqlc
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.schema import load
from sqlc_gen_psycopg.schema.model import Schema
from sqlc_gen_psycopg.sql import sql_files

MOOD = Name("", "mood")
STATE = Name("", "state")


def read(folder: Path, *texts: str) -> Schema:
    """Read schema files of these texts, in order."""
    for number, text in enumerate(texts):
        (folder / f"{number}.sql").write_text(text, encoding="utf-8")
    problems = Problems()
    found = load.read((str(folder),), "public", problems)
    assert problems.found == []
    return found


CLOSED = {
    "value IN ('a', 'b')": ("a", "b"),
    "value = ANY (ARRAY['a', 'b'])": ("a", "b"),
    "(value)::text = ANY ((ARRAY['a'::varchar, 'b'::varchar])::text[])": ("a", "b"),
    "value = 'a' OR value = 'b'": ("a", "b"),
    "value IS NULL OR value IN ('a', 'b')": ("a", "b"),
    "value IN ('a', 'b') AND value <> 'c'": ("a", "b"),
    "value IN ('a', 'b', '') AND value IN ('b', '', 'c')": ("b", ""),
    "value IN ('b', 'a', 'b')": ("b", "a"),
    "value IN ('a') OR length(value) > 3": (),
    "length(value) > 3": (),
    "value <> 'a'": (),
    "lower(value) IN ('a')": (),
    "value NOT IN ('a')": (),
}


@pytest.mark.parametrize("check", CLOSED)
def test_closed_sets(check: str, tmp_path: Path) -> None:
    """A CHECK that allows certain strings only is a closed set, however spelled."""
    found = read(tmp_path, f"CREATE DOMAIN state AS text CHECK ({check});")
    assert found.domains[STATE].labels == CLOSED[check]


ALTERED = {
    "ADD CHECK (value IN ('b', 'c'))": ("b",),
    "DROP CONSTRAINT state_check": (),
    "ADD CONSTRAINT more CHECK (value IN ('a')) NOT VALID": ("a", "b"),
    "DROP CONSTRAINT state_check; ALTER DOMAIN state ADD CHECK (value IN ('c'))": (
        "c",
    ),
}


@pytest.mark.parametrize("change", ALTERED)
def test_altered_domains(change: str, tmp_path: Path) -> None:
    """Later migrations add and drop CHECKs; unvalidated ones prove nothing."""
    made = "CREATE DOMAIN state AS text CHECK (value IN ('a', 'b'));"
    found = read(tmp_path, made, f"ALTER DOMAIN state {change};")
    assert found.domains[STATE].labels == ALTERED[change]


def test_dropped_and_renamed_domains(tmp_path: Path) -> None:
    """A domain goes by its last name, and is gone when dropped."""
    made = "CREATE DOMAIN old AS text; CREATE DOMAIN gone AS text;"
    later = "ALTER DOMAIN old RENAME TO state; DROP DOMAIN gone;"
    assert list(read(tmp_path, made, later).domains) == [STATE]


BLOCK = """
DO $$
BEGIN
    -- CREATE TYPE no AS ENUM ('x');
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE DOMAIN state AS text CHECK (value IN ('a'));
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
"""
MORE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'mood') THEN
        CREATE TYPE mood AS ENUM ('other');
    END IF;
    ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad';
    ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok';
    ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
    EXECUTE 'ALTER TYPE ' || quote_ident('mood') || ' RENAME TO x';
END $$;
"""


def test_types_of_blocks(tmp_path: Path) -> None:
    """A block makes the types that are missing; the first one counts."""
    found = read(tmp_path, BLOCK, MORE)
    assert found.labels(MOOD, found.enums[MOOD]) == ("blue", "ok", "glad")
    assert found.domains[STATE].labels == ("a",)
    (tmp_path / "dropped").mkdir()
    dropped = read(tmp_path / "dropped", BLOCK, MORE, "DROP TYPE IF EXISTS mood;")
    assert dropped.enums == {}
    assert dropped.labels(MOOD, ("sad",)) == ("sad",)


def test_labels_of_blocks(tmp_path: Path) -> None:
    """A block adds to an enum that sqlc knows, and renames its labels."""
    made = "CREATE TYPE mood AS ENUM ('ok', 'sad'); CREATE TABLE t (mood mood);"
    query = "-- name: moods :many\nSELECT mood FROM t;"
    project = sqlc.Project.write(tmp_path, made + MORE, query, "{}")
    labels = re.findall(r' = "(\w+)"', project.generated()["enums.py"])
    assert labels == ["ok", "blue", "glad"]


def test_labels_follow_their_type(tmp_path: Path) -> None:
    """A new enum that takes the name of a renamed one has none of its labels."""
    found = read(tmp_path, MORE, "ALTER TYPE mood RENAME TO old;")
    assert found.labels(MOOD, ("sad",)) == ("sad",)
    assert found.labels(Name("", "old"), ("sad",)) == ("blue", "glad", "ok")


def test_psql_commands_are_skipped(tmp_path: Path) -> None:
    r"""A dump's lines for psql, such as `\restrict`, are left out, as sqlc does."""
    dump = "\\restrict token\nCREATE DOMAIN state AS text;\n\\unrestrict token\n"
    assert STATE in read(tmp_path, dump).domains


def test_only_the_way_up_is_read(tmp_path: Path) -> None:
    """What follows `-- migrate:down` and its like is not part of the schema."""
    text = "-- migrate:up\nCREATE DOMAIN state AS text;\n{}\nDROP DOMAIN state;\n"
    downs = ["-- migrate:down", "-- +goose Down", "-- +migrate Down"]
    for number, down in enumerate(downs):
        (tmp_path / str(number)).mkdir()
        assert STATE in read(tmp_path / str(number), text.format(down)).domains


def test_files_are_those_that_sqlc_reads(tmp_path: Path) -> None:
    """Sorted by name; no hidden ones, no other kinds, no golang-migrate downs."""
    for name in ("b.sql", "a.sql", ".c.sql", "d.down.sql", "e.txt"):
        (tmp_path / name).write_text("")
    found = sql_files.find((str(tmp_path),))
    assert [file.name for file in found] == ["a.sql", "b.sql"]
    assert sql_files.find((f"{tmp_path}/[b].sql",)) == [tmp_path / "b.sql"]


def test_multiranges_are_called_as_the_server_calls_them(tmp_path: Path) -> None:
    """By PostgreSQL's rule, by the name that is chosen, or by a later one."""
    found = read(
        tmp_path,
        "CREATE TYPE span AS RANGE (subtype = float8);"
        "CREATE TYPE day_range_of AS RANGE (subtype = date);"
        "CREATE TYPE worth AS RANGE (subtype = int, multirange_type_name = worths);"
        "ALTER TYPE worths RENAME TO riches; ALTER TYPE worth RENAME TO wealth;",
    )
    assert {str(name): str(multi) for name, (_, multi) in found.ranges.items()} == {
        "span": "span_multirange",
        "day_range_of": "day_multirange_of",
        "wealth": "riches",
    }
