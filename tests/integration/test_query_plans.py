"""Each query gets at its rows by an index, however large the tables are."""

from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from psycopg import sql

from sqlc_gen_psycopg.command import config, requests
from sqlc_gen_psycopg.command.config import CannotRunError
from sqlc_gen_psycopg.command.plans import explaining, report, settings, statistics
from sqlc_gen_psycopg.command.plans.explaining import Statement
from sqlc_gen_psycopg.command.plans.findings import Finding
from sqlc_gen_psycopg.command.plans.settings import Settings
from sqlc_gen_psycopg.command.plans.statistics import Relation
from sqlc_gen_psycopg.problems import Problems

ROOT = Path(__file__).parents[2]
# The replaced backend had it, for its API to sort by; no statement here reads it.
UNREAD = {"chat_sessions_user_id_created_at_idx"}
# Without those of constraints.
INDEXES = """
SELECT c.relname
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY (%s) AND NOT EXISTS (
    SELECT FROM pg_constraint AS k
    WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
)
"""


class Plans(NamedTuple):
    """The store's statements, and a database without rows to plan them on."""

    conn: psycopg.Connection
    tables: list[Relation]
    statements: list[Statement]
    settings: Settings

    def findings(self, sizes: tuple[int, ...]) -> list[Finding]:
        """Return what is found at these sizes and not accepted."""
        chosen = self.settings._replace(sizes=sizes)
        found, _ = report.examine(self.conn, self.tables, self.statements, chosen)
        kept, _ = report.judged(found, chosen)
        return kept


@pytest.fixture
def plans(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> Generator[Plans]:
    """Give the store's queries on a database of their own."""
    if conn.info.server_version < 180_000:
        pytest.skip("statistics can be set on PostgreSQL 18 and newer")
    if conn.info.parameter_status("is_superuser") != "on":
        pytest.skip("files can be made long by superusers only")
    monkeypatch.chdir(ROOT)
    chosen = settings.read("")
    parts = requests.read(config.read(Path("sqlc.yaml")))
    asked = explaining.statements(parts, chosen.statements, Problems())
    with statistics.emptied(conn) as tables:
        yield Plans(conn, tables, asked, chosen)


def test_nothing_is_found_that_is_not_accepted(plans: Plans) -> None:
    """No query slows down as tables grow but those that have a reason."""
    assert plans.findings(plans.settings.sizes) == []


def test_no_table_is_read_whole_that_is_smaller_than_most(plans: Plans) -> None:
    """Nor one of a hundredth of the rows, which the planner may prefer to look-ups."""
    closer = plans._replace(settings=plans.settings._replace(large=5_000))
    assert [one for one in closer.findings((1_000_000,)) if one.size] == []


def test_statistics_of_before_count_for_nothing(plans: Plans) -> None:
    """What is found without statistics is the same after there were some."""
    largest = plans.settings.sizes[-1:]
    bare = plans._replace(settings=plans.settings._replace(accepted={}))
    assert bare.findings(largest) == bare.findings(largest)


def test_each_index_is_missed(plans: Plans) -> None:
    """Without any one of them something is found, or a query cannot be planned."""
    indexes = plans.conn.execute(
        INDEXES, [[one.oid for one in plans.tables]]
    ).fetchall()
    largest = plans.settings.sizes[-1:]
    assert plans.findings(largest) == []
    unmissed: set[str] = set()
    for (name,) in indexes:
        with plans.conn.transaction(force_rollback=True):
            plans.conn.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
            try:
                is_missed = bool(plans.findings(largest))
            except CannotRunError:
                is_missed = True
        if not is_missed:
            unmissed.add(name)
    assert len(indexes) > 20
    assert unmissed == UNREAD


def test_what_is_accepted_in_vain_is_found(plans: Plans) -> None:
    """An exception that no query needs any more is to be removed."""
    chosen = plans.settings._replace(accepted={"get_user": {"sort": "it was once"}})
    [finding] = report.judged([], chosen)[0]
    assert "get_user: sort: accepted, but not found; remove it there" in str(finding)
