"""Each kind of change is drafted so that dbmate gets there, and back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postgres_testing.embedded import Server
from store.schema_tools import drafts
from store.settings import DatabaseSettings
from tests.integration.migrations import drafting
from tests.integration.migrations.changes import CHANGES, Change

pytestmark = pytest.mark.long

REVERSIBLE = [change for change in CHANGES if not change.one_way]

SIDES = 2 * len(REVERSIBLE)


@pytest.mark.parametrize("change", REVERSIBLE, ids=lambda change: change.kind)
def test_one_kind_of_change(
    postgres_server: Server, tmp_path: Path, change: Change
) -> None:
    """A change of this kind alone is drafted, there and back."""
    at = DatabaseSettings.load(database_url=postgres_server.url)
    found = drafting.draft(at, tmp_path, change.before, change.after)
    assert found.remaining == ""
    steps = len(drafts.write(found, "change", directory=tmp_path))
    drafting.assert_reaches(
        postgres_server, at, tmp_path, change.after, back_to=change.before, steps=steps
    )


@settings(max_examples=3)
@given(sides=st.lists(st.booleans(), min_size=SIDES, max_size=SIDES))
def test_any_set_of_changes(postgres_server: Server, sides: list[bool]) -> None:
    """Whatever kinds change at once, each in either direction, the draft gets there."""
    at = DatabaseSettings.load(database_url=postgres_server.url)
    before, after = (
        "\n".join(
            change.after if side else change.before
            for change, side in zip(REVERSIBLE, chosen, strict=True)
        )
        for chosen in (sides[::2], sides[1::2])
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = drafting.draft(at, folder, before, after)
        assert found.remaining == ""
        drafts.write(found, "change", directory=folder)
        drafting.assert_reaches(
            postgres_server, at, folder, after, back_to=before, steps=len(found.texts)
        )
