"""Errors to HTTP: the one place, and what the documents say of it."""

import re
from pathlib import Path

import pytest

from examples.api.problems import problem_of
from store import errors
from tests.unit.test_errors import CLASSES, made

DOCUMENTS = Path(__file__).parents[2] / "docs"

# Where the replaced system's API, whose contract this one keeps, has another status
# than docs/errors.md advises; and `NotOpen`, after which the lifespan goes on trying.
OF_THE_CONTRACT = {
    "InvalidValue": 400,
    "EmptyCheckout": 400,
    "RepeatedItem": 400,
    "ItemUnavailable": 404,
    "CartFull": 400,
    "NotOpen": 503,
}


def advised() -> dict[str, int]:
    """Read the statuses in the table of docs/errors.md."""
    rows = re.findall(
        r"^\| `(\w+)` \| [^|]+ \| (\d+) \|",
        (DOCUMENTS / "errors.md").read_text(),
        re.MULTILINE,
    )
    return {name: int(status) for name, status in rows}


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_of_the_store(kind: type[errors.StoreError]) -> None:
    """Its status is what docs/errors.md advises, but for those of the contract."""
    expected = {**advised(), **OF_THE_CONTRACT}.get(kind.__name__)
    status = problem_of(made(kind)).status
    assert expected is None or status == expected
    assert 400 <= status < 600


def test_most_statuses_are_advised() -> None:
    """The test above compares nearly all of them."""
    assert len(advised()) >= len(CLASSES) - 3
    assert all(advised()[name] != status for name, status in OF_THE_CONTRACT.items())


@pytest.mark.parametrize("kind", CLASSES)
def test_what_is_not_the_client_s_fault_is_not_explained(
    kind: type[errors.StoreError],
) -> None:
    """The text of a 5xx says nothing of the error; that is in the log."""
    problem = problem_of(made(kind))
    told = str(made(kind))
    assert (told in problem.content["error"]) == (problem.status < 500)  # type: ignore[operator]  # a text


def test_the_unforeseen() -> None:
    """It is 500, and tells nothing."""
    problem = problem_of(RuntimeError("a secret"))
    assert (problem.status, problem.content["error"]) == (500, "internal server error")


def test_the_documents_have_the_table() -> None:
    """Each status and code of an error of the store's is listed, and no other."""
    text = (DOCUMENTS / "api-example.md").read_text()
    rows = re.findall(
        r"^\| (`\w+`(?:, `\w+`)*) \| (\d+) \| `(\w+)` \|", text, re.MULTILINE
    )
    listed = {
        (name, int(status), code)
        for names, status, code in rows
        for name in re.findall(r"\w+", names)
    }
    expected = {
        (kind.__name__, problem.status, problem.content["code"])
        for kind in CLASSES
        if (problem := problem_of(made(kind))).status not in {500, 503}
    }
    assert {row for row in listed if hasattr(errors, row[0])} == expected
