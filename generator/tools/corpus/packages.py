"""The generated packages, imported: their functions, and what those promise."""

import importlib
import inspect
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any
from unittest import mock

from generator.tools import annotations
from generator.tools.corpus import functions
from generator.tools.corpus.findings import Findings, Kind
from generator.tools.corpus.functions import CONNECTION, Function, Way
from generator.tools.corpus.generate import Generated, Query


@dataclass(frozen=True, slots=True)
class Package:
    """One case's package."""

    generated: Generated
    names: dict[str, object]
    functions: tuple[Function, ...]
    register: dict[bool, Callable[..., Any]]


def load(generated: Generated, found: Findings) -> Package:
    """Import every module of a package, and find the functions of each query."""
    folder = generated.package
    if str(folder.parent) not in sys.path:
        sys.path.insert(0, str(folder.parent))
    files = sorted(folder.rglob("*.py"))
    imported = [
        file for file in files if _is_sound(generated.case.name, folder, file, found)
    ]
    modules = _as_checkers_see(folder, imported)
    names = _forward_names(modules)
    listed = [
        function
        for module in modules.values()
        for function in _functions(generated, module, names, found)
    ]
    found.counts["functions"] += len(listed)
    _check_complete(generated, listed, found)
    register = {
        file.parent.name == "aio": module.register_types
        for file, module in modules.items()
        if hasattr(module, "register_types")
    }
    return Package(generated, names, tuple(listed), register)


def _is_sound(case: str, folder: Path, file: Path, found: Findings) -> bool:
    """Import a module and resolve its annotations; tell whether it imports."""
    module = _import(case, folder, file, found)
    if module is None:
        return False
    for value in vars(module).values():
        is_own = getattr(value, "__module__", None) == module.__name__
        if is_own and (isinstance(value, type) or inspect.isfunction(value)):
            _check_hints(case, value, found)
    return True


def _as_checkers_see(folder: Path, files: list[Path]) -> dict[Path, ModuleType]:
    """Import modules anew, with the aliases that are for type checkers only.

    At run time those of JSON say `object` of what is nested.
    """
    for name in [n for n in sys.modules if n.split(".")[0] == folder.name]:
        del sys.modules[name]
    named = {file: _module_name(folder, file) for file in files}
    with mock.patch.object(typing, "TYPE_CHECKING", new=True):
        for file in files:
            if file.stem == "json_types":
                importlib.import_module(named[file])
    return {file: importlib.import_module(name) for file, name in named.items()}


def _module_name(folder: Path, file: Path) -> str:
    return ".".join(file.relative_to(folder.parent).with_suffix("").parts)


def _import(case: str, folder: Path, file: Path, found: Findings) -> ModuleType | None:
    try:
        module = importlib.import_module(_module_name(folder, file))
    except Exception as error:
        found.add(Kind.IMPORT, case, "", f"{file.relative_to(folder)}: {error!r}")
        return None
    found.counts["modules"] += 1
    return module


def _forward_names(modules: dict[Path, ModuleType]) -> dict[str, object]:
    """Give the names that recursive aliases refer to themselves by."""
    return {
        name: value
        for file, module in modules.items()
        if file.stem == "json_types"
        for name, value in vars(module).items()
        if name in module.__all__
    }


def _functions(
    generated: Generated,
    module: ModuleType,
    names: dict[str, object],
    found: Findings,
) -> list[Function]:
    listed: list[Function] = []
    for function in _own_functions(module):
        query = _query(generated.queries, inspect.unwrap(function))
        if query is None:
            detail = f"{module.__name__}.{function.__name__}: no SQL of sqlc's"
            found.add(Kind.LOST, generated.case.name, function.__name__, detail)
        else:
            listed.append(functions.of(query, function, names))
    return listed


def _check_hints(case: str, thing: FunctionType | type, found: Findings) -> None:
    """Resolve annotations as pydantic and dependency injection do."""
    try:
        annotations.hints(thing)
    except NameError as error:
        found.add(Kind.HINTS, case, thing.__qualname__, str(error))


def _own_functions(module: ModuleType) -> list[FunctionType]:
    return [
        value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
        and name != "register_types"
        and next(iter(inspect.signature(value).parameters), "") == CONNECTION
    ]


def _query(queries: tuple[Query, ...], function: FunctionType) -> Query | None:
    """Find the query whose text a function sends; of twins the one it is called by."""
    named = (function.__globals__.get(name) for name in function.__code__.co_names)
    texts = [value for value in named if isinstance(value, str)]
    sent = [query for query in queries if any(map(query.is_sent_by, texts))]
    if len(sent) > 1:
        sent = [query for query in sent if _is_called_by(query, function)]
    return sent[0] if sent else None


def _is_called_by(query: Query, function: FunctionType) -> bool:
    name = function.__name__.removeprefix(functions.way_of(query, function))
    return functions.letters(name) == functions.letters(query.name)


def _check_complete(
    generated: Generated, listed: list[Function], found: Findings
) -> None:
    """Check that each query has the functions that it asks for, on both faces."""
    for query in generated.queries:
        made = [(f.is_async, f.way) for f in listed if f.query == query]
        ways = [Way.NOW, *(Way(f"{twin}_") for twin in query.twins)]
        wanted = [(face, way) for face in (False, True) for way in ways]
        if sorted(made) != sorted(wanted):
            detail = f"functions {_told(made)} instead of {_told(wanted)}"
            found.add(Kind.LOST, generated.case.name, query.name, detail)


def _told(made: list[tuple[bool, Way]]) -> str:
    told = [f"{'aio: ' if is_async else ''}{way}…" for is_async, way in sorted(made)]
    return ", ".join(told) or "none"
