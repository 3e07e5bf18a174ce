"""The list of features says of us only what a test holds."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from generator.tests import documents

TEXT = (documents.DOCS / "features.md").read_text(encoding="utf-8")
LISTED, _, ELSEWHERE = TEXT.partition("\n## What others have\n")
PEERS = re.findall(r"^- \*\*(\w+)\*\*: \[", LISTED, re.MULTILINE)
_CITED = re.compile(r"`([\w/]+\.py)::(\w+)`")


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature, who has it how, and what holds it here."""

    name: str
    answers: list[str]
    tests: str


def _features() -> list[Feature]:
    """Return the features: an item each, with an item below it for each answer."""
    found: list[Feature] = []
    for item in re.split(r"^- ", LISTED[LISTED.index("\n## ") :], flags=re.MULTILINE):
        if item.startswith("**"):
            here, *below = item.split("\n## ")[0].split("\n  - ")
            *answers, tests = (" ".join(line.split()) for line in below)
            found.append(Feature(here.split("**")[1], answers, tests))
    return found


FEATURES = _features()


def test_every_peer_has_its_answer() -> None:
    """Under each feature stands each of the others, once."""
    assert len(PEERS) == 9
    assert len(FEATURES) > 40
    for feature in FEATURES:
        who = [answer.rpartition(": ")[2] for answer in feature.answers]
        assert sorted(", ".join(who).split(", ")) == sorted(PEERS), feature.name


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_every_feature_has_its_test(feature: Feature) -> None:
    """The last item names tests, and nothing else; each of them exists."""
    assert feature.tests.startswith("tests: ")
    cited = _CITED.findall(feature.tests)
    assert cited
    rest = _CITED.sub("", feature.tests.removeprefix("tests: "))
    assert rest.replace(",", "").strip() == ""
    for file, test in cited:
        text = (Path(__file__).parent / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {test}\(", text, re.MULTILINE), (file, test)


def test_what_we_lack_is_named_with_who_has_it() -> None:
    """Each item of what others have names at least one of them."""
    items = re.split(r"^- ", ELSEWHERE.partition("\n## ")[0], flags=re.MULTILINE)[1:]
    assert len(items) > 10
    for item in items:
        _, _, who = item.partition("**: ")
        assert any(re.search(rf"\b{peer}\b", who) for peer in PEERS), item
