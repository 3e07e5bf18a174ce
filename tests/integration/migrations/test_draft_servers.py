"""What of drafting depends on the server: these tests run on each that CI has."""

from __future__ import annotations

from pathlib import Path

import pytest

from postgres_testing.embedded import Server
from store.schema_tools import draft_steps, drafts
from store.settings import DatabaseSettings
from store_testing.schema import MIGRATIONS
from tests.integration.migrations import drafting
from tests.integration.migrations.changes import CHANGES

ROOT = MIGRATIONS.parents[1]


@pytest.fixture
def at(postgres_server: Server) -> DatabaseSettings:
    """Give settings that name the server."""
    return DatabaseSettings.load(database_url=postgres_server.url)


def test_everything_at_once(
    postgres_server: Server, at: DatabaseSettings, tmp_path: Path
) -> None:
    """All kinds of changes at once get there; new enum values go ahead, and stay."""
    before = "\n".join(change.before for change in CHANGES)
    after = "\n".join(change.after for change in CHANGES)
    found = drafting.draft(at, tmp_path, before, after)
    assert found.remaining == ""
    names = [path.name for path in drafts.write(found, "all", directory=tmp_path)]
    assert names[:2] == ["0002_all_values.sql", "0003_all.sql"]
    assert names[-1].endswith("_all_validate.sql")
    assert draft_steps.IRREVERSIBLE in found.texts[0]
    assert draft_steps.IRREVERSIBLE not in found.texts[1]
    kept = before.replace("('sad', 'happy')", "('sad', 'fine', 'happy')")
    drafting.assert_reaches(
        postgres_server, at, tmp_path, after, back_to=kept, steps=len(names)
    )


def test_what_is_committed_wishes_nothing(at: DatabaseSettings) -> None:
    """Our own schema file, read back, differs in nothing from our migrations'."""
    directory, schema = ROOT / "db/migrations", ROOT / "db/schema.sql"
    assert drafts.draft(at, directory=directory, schema=schema) == drafts.Draft()
