"""Each public method of the stores has an example, which runs.

That they are typed is seen in `test_docs.py`, with the programs of the documents.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from store import AsyncReplica, AsyncStore, Replica, Store
from tests.support import docstrings
from tests.support.docstrings import Example

ROOT = Path(__file__).parents[2]
FACES = (AsyncStore, Store, AsyncReplica, Replica)
EXAMPLES = [example for face in FACES for example in docstrings.examples(face)]


@pytest.mark.parametrize("face", FACES)
def test_every_method_has_an_example(face: type[Store | AsyncStore]) -> None:
    """Whatever a store offers is shown in its docstring once."""
    shown = [example.method for example in docstrings.examples(face)]
    assert shown == list(docstrings.methods(face))


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_runs(example: Example, database_url: str) -> None:
    """A method's example does what it asserts, in the order that it shows."""
    given = docstrings.world(database_url, example.defined_in)
    scope: dict[str, Any] = {}
    source = docstrings.imports(example.face) + example.function
    exec(source, scope)  # noqa: S102 - our own docstrings
    show = scope[f"{example.method}_"]

    async def await_it() -> None:
        settings = given["settings"]
        async with AsyncStore(settings) as store, AsyncReplica(settings) as replica:
            await show(store, replica=replica, **given)

    if issubclass(example.face, AsyncStore):
        asyncio.run(await_it())
    else:
        with Store(given["settings"]) as store, Replica(given["settings"]) as replica:
            show(store, replica=replica, **given)


def test_the_reference_tells_the_names() -> None:
    """What an example starts from is explained where the examples are read."""
    page = (ROOT / "docs/reference/store.md").read_text()
    assert [name for name in docstrings.NAMES if f"`{name}`" not in page] == []
