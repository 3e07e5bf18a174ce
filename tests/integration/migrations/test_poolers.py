"""A pooler is recognised by what it is, on any port and by any name."""

import shutil
from pathlib import Path

import pytest

from postgres_testing import pooler
from postgres_testing.embedded import Server
from store import migrations
from store.errors import MigrationError
from store.migrations import preview
from tests.support.migrating import at, migration, write

PGBOUNCER = pooler.program() or shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")


@pytest.mark.skipif(PGBOUNCER is None, reason="PgBouncer is not installed")
def test_an_unannounced_pooler_is_refused(
    postgres_server: Server, empty: str, tmp_path: Path
) -> None:
    """PgBouncer on an odd port is refused both ways, and nothing is written."""
    write(tmp_path, migration("SELECT 1;", "SELECT 1;"))
    program = Path(PGBOUNCER or "")
    with pooler.start(program, postgres_server.url, ignores_options=True) as between:
        pooled = at(between.url(empty))
        for refused in (migrations.up, migrations.rollback, preview.preview):
            with pytest.raises(MigrationError, match="leads to a pooler"):
                refused(pooled, directory=tmp_path)
    assert migrations.status(at(empty), directory=tmp_path).applied == ()


@pytest.mark.skipif(PGBOUNCER is None, reason="PgBouncer is not installed")
def test_a_pooler_that_refuses_options_is_told_of(
    postgres_server: Server, empty: str, tmp_path: Path
) -> None:
    """Where it does not let the session in, the error says what it may be."""
    write(tmp_path, migration("SELECT 1;", "SELECT 1;"))
    with (
        pooler.start(Path(PGBOUNCER or ""), postgres_server.url) as between,
        pytest.raises(MigrationError, match="if this is a pooler"),
    ):
        migrations.up(at(between.url(empty)), directory=tmp_path)
