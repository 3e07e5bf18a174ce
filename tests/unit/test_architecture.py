"""What the design says of the store's size, and of what it imports."""

import ast
import inspect
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import pytest

import store
from store import Store

ROOT = Path(__file__).parents[2]
STORE = ROOT / "src" / "store"
SKIPPED = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def lines_of_code(source: str) -> int:
    """Count lines that hold more than space, comments and docstrings."""
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in SKIPPED
        for line in range(token.start[0], token.end[0] + 1)
    }
    said = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return len(code - said)


_GENERATOR = "sqlc_gen_psycopg"

# From the lowest on: each imports only those before it, and the store's root.
ROOMS = ("sql", "migrations", "schema_tools", "adoption", "doctor", "cli")


def written_by_hand() -> Iterator[Path]:
    """Give the modules of the store itself: what API code loads, sync or async."""
    apart = {*ROOMS, "_sync", "rotation.py", "__main__.py"}
    for path in STORE.rglob("*.py"):
        if path.relative_to(STORE).parts[0] not in apart:
            yield path


def test_the_store_is_small() -> None:
    """It has fewer than 5,000 lines of code, a third of them for its connections."""
    sizes = {str(path): lines_of_code(path.read_text()) for path in written_by_hand()}
    assert 1000 < sum(sizes.values()) < 5000, sizes


def imported(path: Path) -> Iterator[str]:
    """Give the rooms that a module imports from, at once or in a function."""
    package = path.relative_to(STORE.parent).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            whole = (*base, *(node.module or "").split("."), node.names[0].name)
            _, room, *_ = filter(None, whole)
            yield room


@pytest.mark.parametrize(("floor", "room"), [*enumerate(ROOMS)])
def test_a_room_imports_only_from_those_below(floor: int, room: str) -> None:
    """The parser knows nothing of migrations, and these nothing of what uses them."""
    found = {name for path in (STORE / room).glob("*.py") for name in imported(path)}
    assert found
    assert not found & {*ROOMS[floor + 1 :]}


def test_only_code_counts() -> None:
    """Space, comments and docstrings are no code, however long they are."""
    source = '"""One\n\ntwo."""\n\n# three\nfour = (\n    5\n)\n"""Six."""\n'
    assert lines_of_code(source) == 3


@pytest.mark.parametrize(
    "unwanted",
    [
        *(f"store.{room}" for room in ROOMS),
        "store.rotation",
        "rich",
        "sqlc_gen_psycopg",
    ],
)
def test_what_the_store_does_not_import(unwanted: str) -> None:
    """Who imports the store does not load what the command line or a tool needs."""
    code = f"import sys, store, generated; sys.exit({unwanted!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def _sources_of_api_code() -> Iterator[str]:
    for path in (ROOT / "examples").rglob("*.py"):
        yield path.read_text()
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        yield from re.findall(
            r"^```python\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL
        )


def test_api_code_imports_nothing_internal() -> None:
    """What the documents and examples show is done without `generated.internal`."""
    sources = list(_sources_of_api_code())
    assert len(sources) > 40
    internal = ("generated.internal", "store._async", "store._sync")
    assert not [each for each in sources if any(name in each for name in internal)]


def test_the_example_api_holds_no_sql() -> None:
    """Each statement is a query of db/queries, or a method's."""
    verbs = re.compile(
        r"\b(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b|\.execute\("
    )
    sources = list((ROOT / "examples" / "api").rglob("*.py"))
    assert len(sources) > 15
    assert not [path for path in sources if verbs.search(path.read_text())]


def test_a_store_s_method_is_no_query_beside() -> None:
    """What a method does or guards cannot be called without it by the same name."""
    queries = {
        name
        for path in (ROOT / "src" / "generated").glob("*.py")
        for name in vars(import_module(f"generated.{path.stem}"))
    }
    assert not queries & {name for name in dir(Store) if not name.startswith("_")}


def test_the_unwanted_can_be_imported() -> None:
    """What the test above does not find is there to be found."""
    code = (
        "import store.cli, store.doctor, store.schema_tools, store.adoption, "
        "store.migrations, store.sql, store.rotation, rich, sqlc_gen_psycopg"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _classes_in(kind: object) -> Iterator[type]:
    """Give the classes that a type is made of, with those of their fields."""
    origin = get_origin(kind) or kind
    for each in get_args(kind):
        yield from _classes_in(each)
    if isinstance(origin, type):
        yield origin
        if is_dataclass(origin):
            for each in get_type_hints(origin).values():
                yield from _classes_in(each)


def test_what_methods_take_and_give_has_a_public_name() -> None:
    """An API can annotate with it: it is the store's own, or of `generated`."""
    methods = inspect.getmembers(Store, inspect.isfunction)
    public = [method for name, method in methods if not name.startswith("_")]
    used = {
        each
        for method in public
        for kind in get_type_hints(method).values()
        for each in _classes_in(kind)
        if each.__module__.startswith(("store.", "generated."))
    }
    assert len(used) > 20
    exported = {getattr(store, name) for name in store.__all__}
    hidden = {
        each.__qualname__
        for each in used - exported
        if each.__module__.startswith(("store.", "generated.internal."))
    }
    assert hidden == set()
