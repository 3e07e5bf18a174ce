"""What runs outside of a transaction runs once, and what became of it is told."""

from pathlib import Path

import psycopg
import pytest

from store import migrations
from store.errors import MigrationError
from store.migrations import outside, runner
from tests.support.migrating import alone, applied, at, migration, write

OUTSIDE = " transaction:false"
COUNTED = "CREATE SEQUENCE runs; CREATE TABLE t (x integer);"
CUT = "pg_terminate_backend(pg_backend_pid())"
INSERT = "INSERT INTO t VALUES ({});"
# Ends its own session when it runs for the first time, and counts its runs.
ONCE = f"DO $$BEGIN IF nextval('runs') = 1 THEN PERFORM {CUT}; END IF; END$$;"


def fails(url: str, directory: Path) -> str:
    """Give the message with which a run fails."""
    with pytest.raises(MigrationError) as caught:
        migrations.up(at(url), directory=directory)
    return str(caught.value)


def runs_of(url: str) -> int:
    """Say how often a step of which the sequence keeps count has run."""
    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT last_value FROM runs WHERE is_called").fetchone()
        return row[0] if row else 0


def test_a_lost_connection_never_makes_it_run_again(empty: str, tmp_path: Path) -> None:
    """A statement whose session ends is not repeated, and not recorded as applied."""
    write(tmp_path, migration(COUNTED), migration(f"\n{ONCE}", "SELECT 1;", OUTSIDE))
    said = fails(empty, tmp_path)
    assert said.startswith(f"{tmp_path}/0002_step.sql:3: ")
    assert "its connection was lost during DO" in said
    assert (runs_of(empty), applied(empty)) == (1, ["0001"])
    again = fails(empty, tmp_path)
    assert "at statement 1 of 1 (DO, line 3) of its up part" in again
    assert migrations.status(at(empty), directory=tmp_path).findings == (again,)
    assert (runs_of(empty), applied(empty)) == (1, ["0001"])


def test_dbmate_alone_repeats_what_it_lost(empty: str, tmp_path: Path) -> None:
    """That the guard is needed: dbmate runs it again, and takes it for applied."""
    write(tmp_path, migration(COUNTED), migration(ONCE, "", OUTSIDE))
    assert alone(empty, tmp_path, "up")[0] == 0
    assert (runs_of(empty), applied(empty)) == (2, ["0001", "0002"])


@pytest.mark.parametrize("ends_by", ["repair", "repetition"])
def test_what_was_cut_off_goes_on_as_it_is_told(
    ends_by: str, empty: str, tmp_path: Path
) -> None:
    """Both ways that the message names lead on: recorded as done, or run again."""
    write(tmp_path, migration(COUNTED), migration(ONCE, ONCE, OUTSIDE))
    fails(empty, tmp_path)
    assert f"run DROP TABLE {outside.UNFINISHED}" in fails(empty, tmp_path)
    if ends_by == "repair":
        runner.repair(at(empty), "0002_step.sql", directory=tmp_path)
    else:
        with psycopg.connect(empty) as conn:
            conn.execute(f"DROP TABLE {outside.UNFINISHED}".encode())
    left = () if ends_by == "repair" else ("0002_step.sql",)
    assert migrations.up(at(empty), directory=tmp_path) == left
    assert applied(empty) == ["0001", "0002"]
    assert migrations.rollback(at(empty), directory=tmp_path) == "0002_step.sql"
    assert applied(empty) == ["0001"]


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_which_statement_was_cut_off_is_told(
    cut: int, empty: str, tmp_path: Path
) -> None:
    """Of several statements those before the cut are done, once, and none behind it."""
    inserts = [INSERT.format(n) for n in range(3)]
    inserts.insert(cut, f"SELECT {CUT};")
    write(tmp_path, migration(COUNTED), migration("\n".join(inserts), "", OUTSIDE))
    fails(empty, tmp_path)
    said = fails(empty, tmp_path)
    assert f"at statement {cut + 1} of 4 (SELECT, line {cut + 2})" in said
    with psycopg.connect(empty) as conn:
        done = conn.execute("SELECT x FROM t ORDER BY x").fetchall()
    assert done == [(n,) for n in range(cut)]


def test_a_later_statement_that_fails_is_not_begun_anew(
    empty: str, tmp_path: Path
) -> None:
    """What the first statement did is not done twice, though the second failed."""
    two = "INSERT INTO t VALUES (1);\nSELECT 1/0;"
    write(tmp_path, migration(COUNTED), migration(two, "", OUTSIDE))
    assert "division by zero (22012)" in fails(empty, tmp_path)
    assert "at statement 2 of 2 (SELECT" in fails(empty, tmp_path)
    with psycopg.connect(empty) as conn:
        assert conn.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_what_the_server_refused_runs_again(empty: str, tmp_path: Path) -> None:
    """A single statement that failed has done nothing, and blocks no later run."""
    change = "VACUUM nowhere;"
    write(tmp_path, migration(COUNTED), migration(change, "SELECT 1;", OUTSIDE))
    assert 'relation "nowhere" does not exist (42P01)' in fails(empty, tmp_path)
    with psycopg.connect(empty) as conn:
        conn.execute("CREATE TABLE nowhere ()")
    assert migrations.up(at(empty), directory=tmp_path) == ("0002_step.sql",)


def test_nothing_of_it_stays_in_the_schema(empty: str, tmp_path: Path) -> None:
    """After a run that went well the ledger alone is left."""
    vacuum = migration("VACUUM;", "VACUUM;", OUTSIDE)
    assert migrations.up(at(empty), directory=write(tmp_path, vacuum))
    with psycopg.connect(empty) as conn:
        tables = conn.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        assert tables.fetchall() == [("schema_migrations",)]


LEDGER = """
CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('runs');
    IF NEW.version > '0001' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON schema_migrations
    DEFERRABLE INITIALLY {} FOR EACH ROW EXECUTE FUNCTION cut();
"""


@pytest.mark.parametrize("cut", [0, 1, 2, "IMMEDIATE", "DEFERRED"])
def test_a_transaction_that_is_cut_off_is_neither_recorded_nor_repeated(
    cut: int | str, empty: str, tmp_path: Path
) -> None:
    """At whichever statement, dbmate's own and COMMIT too: all is undone, and told."""
    steps = ["SELECT nextval('runs');", INSERT.format(1), INSERT.format(2)]
    before = COUNTED
    if isinstance(cut, int):
        steps.insert(cut + 1, f"SELECT {CUT};")
    else:
        before += LEDGER.format(cut)
    write(tmp_path, migration(before), migration("\n".join(steps)))
    counted = 1 if isinstance(cut, int) else 2 + 1
    assert "0002_step.sql" in fails(empty, tmp_path)
    assert runs_of(empty) == counted
    assert applied(empty) == ["0001"]
    with psycopg.connect(empty) as conn:
        assert conn.execute("SELECT count(*) FROM t").fetchone() == (0,)
