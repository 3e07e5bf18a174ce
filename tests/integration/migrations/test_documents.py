"""What docs/migrations.md shows holds."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from devserver.databases import MIGRATIONS
from store import Store, migrations
from store.migrations import checks
from tests.support import factories
from tests.support.migrating import add, at

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
    present = "".join(path.read_text() for path in Path(__file__).parent.glob("*.py"))
    assert len(rows) > 20
    assert all(named)
    assert [n for ns in named for n in ns if f"def {n}(" not in present] == []


def test_every_command_on_the_page_is_a_target() -> None:
    """What the page says to run, make knows."""
    commands = set(re.findall(r"`make ([a-z-]+)", PAGE))
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert "migrate" in commands
    assert commands <= targets


@pytest.fixture
def deployment() -> list[dict[str, Any]]:
    """Give the steps of the workflow's deployment."""
    [workflow] = blocks("yaml")
    jobs = yaml.safe_load(workflow)["jobs"]
    assert jobs["deploy"]["needs"] == "test"
    assert [step["run"] for step in jobs["test"]["steps"][1:]] == ["make test"]
    return list(jobs["deploy"]["steps"])


def steps(deployment: list[dict[str, Any]], url: str) -> list[tuple[str, int]]:
    """Run the workflow's own steps until one fails; give each with its exit code."""
    done: list[tuple[str, int]] = []
    for command in [step["run"] for step in deployment if "run" in step]:
        if done and done[-1][1]:
            break
        environment = {**os.environ, "DATABASE_URL": url, "DATABASE_URL_DIRECT": url}
        given = "true" if command == "./deploy" else command
        code = subprocess.call(["bash", "-ec", given], cwd=ROOT, env=environment)
        done.append((command, code))
    return done


def test_the_workflow_deploys_after_it_has_migrated(
    deployment: list[dict[str, Any]], missing: str
) -> None:
    """On an empty server the steps migrate, and then deploy."""
    done = [("make migrate", 0), ("make migrate-status", 0), ("./deploy", 0)]
    assert steps(deployment, missing) == done


def test_the_workflow_does_not_deploy_what_could_not_migrate(
    deployment: list[dict[str, Any]], database_url: str
) -> None:
    """A database that is not as the files say stops the deployment."""
    with psycopg.connect(database_url) as conn:
        conn.execute("INSERT INTO schema_migrations VALUES ('0000')")
    assert steps(deployment, database_url) == [("make migrate", 2)]


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
