"""What the options change in the output, and sqlc-gen-python's among them."""

import asyncio
import importlib
import shutil
import sys
from collections import UserString
from collections.abc import Callable
from pathlib import Path

import psycopg
import pydantic
import pytest

from generator.tests import sqlc
from generator.tests.golden.python.expected import authors, enums, models
from generator.tests.golden.python.expected.aio import authors as aio_authors
from generator.tests.sqlc import Project

SCHEMA = "CREATE TABLE all_items (id integer PRIMARY KEY, ttl text NOT NULL);"
QUERY = "-- name: get :many\nSELECT * FROM all_items;"
ADA = authors.CreateAuthorParams(
    name="Ada",
    alias=UserString("A"),
    schema_={"a": [1]},
    secret=None,
    genres=[enums.Genre.VERSE, None],
)


def test_models_of_pydantic(authors_url: str) -> None:
    """Rows and embeds are models of pydantic, as good as validated ones."""
    with psycopg.connect(authors_url, autocommit=True) as conn:
        ada = authors.create_author(conn, arg=ADA)
        fields = ADA.model_dump()
        assert ada == models.Authors.model_validate({"id": ada.id, **fields})
        authors.add_work(conn, arg=authors.AddWorkParams(id=1, author=None, title="x"))
        work = authors.AddWorkParams(id=2, author=ada.id, title="y")
        authors.add_work(conn, arg=work)
        alone, own = authors.list_works(conn)
        assert (alone.opus.title, alone.authors) == ("x", None)
        assert (own.opus, own.authors) == (
            models.Opus.model_validate(work.model_dump()),
            ada,
        )
        assert authors.titles(conn)[1].model_dump() == {"title": "y", "author": ada.id}


def test_arguments_of_pydantic_are_validated() -> None:
    """A class of arguments refuses what its function does not accept."""
    with pytest.raises(pydantic.ValidationError):
        authors.AddWorkParams.model_validate({"id": "one", "author": 1, "title": ""})


def test_models_of_pydantic_in_aio(authors_url: str) -> None:
    """The asynchronous functions share the classes."""

    async def check() -> None:
        connected = psycopg.AsyncConnection.connect(authors_url, autocommit=True)
        async with await connected as conn:
            ada = await aio_authors.create_author(conn, arg=ADA)
            assert await aio_authors.get_author(conn, id=ada.id) == ada

    asyncio.run(check())


def test_models_of_another_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authors_url: str
) -> None:
    """Queries give, and take, the classes of the package that is named."""
    folder = shutil.copytree(sqlc.GOLDEN / "python", tmp_path / "python")
    config = (folder / "sqlc.yaml").read_text()
    whole = "          models_package: generator.tests.golden.python.expected\n"
    config = config.replace("        options:\n", f"        options:\n{whole}")
    (folder / "sqlc.yaml").write_text(config.replace("out: expected", "out: borrowing"))
    sqlc.generate(folder)
    made = folder / "borrowing"
    assert sorted(path.name for path in made.glob("*.py")) == [
        "__init__.py",
        "authors.py",
        "support.py",
    ]
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    borrowing = importlib.import_module("borrowing.authors")
    with psycopg.connect(authors_url, autocommit=True) as conn:
        ada = borrowing.create_author(
            conn, arg=borrowing.CreateAuthorParams(**dict(ADA))
        )
        assert type(ada) is models.Authors
        assert authors.get_author(conn, id=ada.id) == ada


# Options, and the files and the words of the output that they make or leave out.
OPTIONS = {
    "{}": ("__init__.py", "class AllItem:"),
    "{emit_exact_table_names: true}": ("queries.py", "class AllItems:"),
    "{inflection_exclude_table_names: [all_items]}": ("aio", "class AllItems:"),
    "{rename: {all_items: thing, ttl: Title}}": (
        "models.py",
        "class Thing:\n    id: int\n    title: str\n",
    ),
    "{model_kind: pydantic}": ("models.py", "class AllItem(BaseModel):"),
    "{package: app, out: x, emit_str_enum: false}": ("aio", "class AllItem:"),
    "{emit_async_querier: true}": ("aio/queries.py", "class AllItem:"),
}
ABSENT = {
    "{emit_init_file: false}": "__init__.py",
    "{emit_sync_querier: true}": "aio/queries.py",
    "{emit_async_querier: true}": "queries.py",
    "{emit_async: false}": "aio/queries.py",
}


@pytest.mark.parametrize("options", OPTIONS)
def test_an_option_changes_the_output(
    options: str, project: Callable[..., Project]
) -> None:
    """The files and the classes are as asked for."""
    files = project(SCHEMA, QUERY, options).generated()
    file, text = OPTIONS[options]
    assert any(name.startswith(file) for name in files)
    assert text in files["models.py"]


@pytest.mark.parametrize("options", ABSENT)
def test_an_option_leaves_a_file_out(
    options: str, project: Callable[..., Project]
) -> None:
    """Only what is asked for is written; of sqlc-gen-python's, the rest is off."""
    files = project(SCHEMA, QUERY, options).generated()
    assert ABSENT[options] not in files
    assert "models.py" in files
