"""What stands in a query file's module, and in which order."""

import importlib
import re
from pathlib import Path

import pytest

from generator.tests import running, sqlc

SCHEMA = "CREATE TABLE items (id integer PRIMARY KEY, name text NOT NULL, note text);"
QUERIES = """
-- name: put_items :batchexec
INSERT INTO items (id, name) VALUES (@id, @name);
-- name: list_names :many
-- @stream
SELECT id, name FROM items;
-- name: count_items :one
-- @deferred
SELECT count(*) FROM items;
"""
OWN = ("aio", "enums", "json_types", "models", "server_types", "support")


def test_all_of_a_query_stands_together(tmp_path: Path) -> None:
    """Its constant, its classes, its row factory and its functions, in this order."""
    files = sqlc.Project.write(tmp_path, SCHEMA, QUERIES, "{}").generated()
    defined = re.compile(r"^(?:def |class )?(\w+)(?:: Final = |\(|:$)", re.MULTILINE)
    found: list[str] = defined.findall(files["queries.py"])
    assert found == [
        *("PUT_ITEMS", "PutItemsParams", "put_items"),
        *("LIST_NAMES", "ListNamesRow", "list_names_row"),
        *("list_names", "stream_list_names"),
        *("COUNT_ITEMS", "count_items", "send_count_items"),
    ]


def test_both_modules_of_a_file_export_the_same(tmp_path: Path) -> None:
    """What is no function of a connection is one object, whichever exports it."""
    sqlc.Project.write(tmp_path, SCHEMA, QUERIES, "{}").generated()
    with running.imported(tmp_path, "both") as module:
        awaiting = importlib.import_module("both.aio.queries")
        assert awaiting.__all__ == module.__all__
        same = {n for n in module.__all__ if getattr(awaiting, n) is getattr(module, n)}
        functions = {"put_items", "list_names", "stream_list_names", "count_items"}
        assert same == {*module.__all__} - functions - {"send_count_items"}


@pytest.mark.parametrize("options", ["{}", "{models_package: app.db}"])
def test_a_query_file_may_be_called_like_a_file_of_the_output(
    options: str, tmp_path: Path
) -> None:
    """Its module then has another name; shared functions are in each output."""
    made = sqlc.Project.write(tmp_path, SCHEMA, "", options)
    config = tmp_path / "sqlc.yaml"
    text = config.read_text(encoding="utf-8").replace("queries.sql", "queries")
    config.write_text(text, encoding="utf-8")
    (tmp_path / "queries").mkdir()
    for name in OWN:
        query = f"-- name: {name} :many\nSELECT note FROM items WHERE id = @id;"
        (tmp_path / "queries" / f"{name}.sql").write_text(query)
    files = made.generated()
    assert {f"{name}_.py" for name in OWN} <= {*files}
    assert "def int4(" in files["support.py"]
    assert "from . import support\n" in files["models_.py"]
    assert "from .. import support\n" in files["aio/models_.py"]
