"""What the documents at the top say of this repository is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(ROOT.glob("*.md"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_relative_link_leads_to_a_file(document: Path) -> None:
    """Also from CONTRIBUTING.md, and from what stands beside code on the forge."""
    links = re.findall(r"\]\((?!https:|#)([^)#]+)", document.read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_target_that_is_named_is_makes(document: Path) -> None:
    """`make x` is a target of the Makefile."""
    named = set(re.findall(r"`make ([a-z-]+)", document.read_text()))
    assert named - TARGETS == set()


def test_what_stands_in_an_attackers_way_is_tested() -> None:
    """Each row of the table in SECURITY.md that names a test names one that exists."""
    named = re.findall(r"`(test_\w+\.py)`", (ROOT / "SECURITY.md").read_text())
    assert len(named) >= 10
    assert [name for name in named if not [*ROOT.glob(f"tests/**/{name}")]] == []
