"""Each kind of change is drafted so that dbmate gets there, and back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postgres_testing.embedded import Server
from store.migrations import checks, files
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
    written = drafts.write(found, "change", directory=tmp_path)
    for path in written:
        for finding in checks.findings(files.read(path)):
            assert is_the_author_s(finding), str(finding)
    drafting.assert_reaches(
        postgres_server,
        at,
        tmp_path,
        change.after,
        back_to=change.before,
        steps=len(written),
    )


def is_the_author_s(finding: checks.Finding) -> bool:
    """Tell what is wished, whoever writes it, from how the draft gets there.

    What breaks the code that still runs is for the author to answer, and so is a new
    type, whose price is a line of the file; a comment that is not ASCII is theirs.
    """
    return (
        ("existing clients" in finding.problem and finding.rule != "renaming-object")
        or finding.rule == "changing-column-type"
        or finding.problem.startswith("is not ASCII")
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
