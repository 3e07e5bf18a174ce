"""The table of features says of us only what a test holds."""

import re
from pathlib import Path

import pytest

from generator.tests import documents

TABLE = (documents.DOCS / "features.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in TABLE.splitlines()
    if line.startswith("| ") and line.count(" | ") > 5
]
_CITED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def test_the_tables_are_complete() -> None:
    """Each row has a cell for each generator, and something in it."""
    assert len(ROWS) > 40
    for row in ROWS:
        assert len(row) == 9, row
        assert all(row), row


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row[0] != "feature"], ids=lambda row: row[0]
)
def test_every_feature_has_its_test(row: list[str]) -> None:
    """The last cell names tests, and nothing else; each of them exists."""
    cited = _CITED.findall(row[-1])
    assert cited
    assert _CITED.sub("", row[-1]).replace(",", "").strip() == ""
    for file, test in cited:
        text = (Path(__file__).parent / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {test}\(", text, re.MULTILINE), (file, test)
