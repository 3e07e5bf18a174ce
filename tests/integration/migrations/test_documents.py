"""What docs/migrations.md shows holds."""

import re
import shutil
from pathlib import Path

import psycopg
import pytest

from store import Store, migrations
from store.migrations import checks
from store_testing import factories
from tests.support.migrating import add, at
from tests.support.recorded import MIGRATIONS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/migrations.md").read_text()


def blocks(language: str) -> list[str]:
    """Give the page's blocks of code."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_every_failure_in_the_table_has_its_tests() -> None:
    """A row names tests that are there."""
    _, _, table = PAGE.partition("| failure |")
    rows = [row.split("|") for row in table.split("\n\n")[0].splitlines()[2:]]
    named = [re.findall(r"`(\w+)`", row[-2]) for row in rows]
    tests = Path(__file__).parents[1].rglob("test_*.py")
    present = "".join(path.read_text() for path in tests)
    assert len(rows) > 20
    assert all(named)
    assert [n for ns in named for n in ns if f"def {n}(" not in present] == []


def test_what_is_said_of_other_tools_says_how_it_is_known() -> None:
    """Run, read in its documentation or source, or not read: no cell is silent."""
    page = (ROOT / "docs/migration-tools.md").read_text()
    table, sources, *_ = re.findall(r"^\|[^\n]+\n(?:\|[^\n]+\n)+", page, re.MULTILINE)
    head, _, *rows = [line.split("|")[1:-1] for line in table.splitlines()]
    known = re.compile(r".*(\((run|docs|source)\)| not read) $")
    assert len(rows) > 20
    for name, _ours, *cells in rows:
        assert len(cells) == len(head) - 2, name
        assert [one for one in cells if not known.fullmatch(one)] == [], name
    assert all(f"\n| {tool.strip()} |" in sources for tool in head[2:])


def test_every_command_on_the_page_is_a_target() -> None:
    """What the page says to run, make knows."""
    commands = set(re.findall(r"`make ([a-z-]+)", PAGE))
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert "migrate" in commands
    assert commands <= targets


@pytest.fixture
def guide(tmp_path: Path) -> Path:
    """Give our migrations and, after them, the guide's."""
    shutil.copytree(MIGRATIONS, tmp_path, dirs_exist_ok=True)
    first = len(list(MIGRATIONS.glob("*.sql"))) + 1
    for number, text in enumerate(blocks("sql"), first):
        add(tmp_path, f"{number:04}_step.sql", text)
    migrations.record(tmp_path)
    return tmp_path


def test_the_guide_is_fine(guide: Path) -> None:
    """Expand, backfill and contract pass every check."""
    assert checks.check(guide) == []


def test_the_guide_leads_up_and_back(
    guide: Path, database_url: str, store: Store, conn: psycopg.Connection
) -> None:
    """With rows there, each step does what the page says, both ways."""
    user_id = factories.add_user(conn)
    lines = [factories.line(factories.add_item(conn, user_id)) for _ in range(3)]
    store.checkout(user_id, lines)
    assert len(migrations.up(at(database_url), directory=guide)) == 4
    owners = conn.execute("SELECT user_id FROM order_items").fetchall()
    assert owners == [(user_id,)] * 3
    with pytest.raises(psycopg.errors.NotNullViolation):
        conn.execute("UPDATE order_items SET user_id = NULL")
    for _ in range(4):
        migrations.rollback(at(database_url), directory=guide)
    found = conn.execute("SELECT to_jsonb(order_items) ? 'user_id' FROM order_items")
    assert found.fetchall() == [(False,)] * 3


def test_the_code_that_runs_lives_with_the_expansion(
    guide: Path, database_url: str, store: Store, conn: psycopg.Connection
) -> None:
    """Between expansion and contraction, code that does not know the column works."""
    for path in sorted(guide.glob("*_step.sql"))[2:]:
        path.unlink()
    (guide / "meta/_journal.json").unlink()
    migrations.record(guide)
    migrations.up(at(database_url), directory=guide)
    user_id = factories.add_user(conn)
    [placed] = store.checkout(
        user_id, [factories.line(factories.add_item(conn, user_id))]
    )
    assert placed.order.user_id == user_id
