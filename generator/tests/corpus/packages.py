"""The generated packages, imported: their functions, and what those promise."""

import importlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from generator.tests.corpus.findings import Findings, Kind
from generator.tests.corpus.generate import Generated, Query
from generator.tests.trust import annotations

_CONNECTION = "conn"


@dataclass(frozen=True, slots=True)
class Function:
    """A generated function; `hints` are its annotations, resolved."""

    query: Query
    call: Callable[..., Any]
    hints: dict[str, Any]
    is_async: bool

    @property
    def name(self) -> str:
        """What the function is called in findings."""
        return f"{'aio: ' if self.is_async else ''}{self.query.name}"

    @property
    def parameters(self) -> dict[str, Any]:
        """The annotations of its parameters, `$1` first."""
        apart = (_CONNECTION, "return")
        return {name: hint for name, hint in self.hints.items() if name not in apart}

    @property
    def row(self) -> object:
        """The annotation of one row; None if it returns none.

        That of `:one` cannot tell a row that is missing from a value that is NULL.
        """
        returned: object = self.hints["return"]
        if self.query.command == ":many":
            return annotations.arguments(returned)[0]
        if self.query.command == ":one":
            return annotations.without_none(returned)
        return None


@dataclass(frozen=True, slots=True)
class Package:
    """One case's package."""

    generated: Generated
    names: dict[str, object]
    functions: tuple[Function, ...]
    register: dict[bool, Callable[..., Any]]


def load(generated: Generated, found: Findings) -> Package:
    """Import every module of a package, and find the function of each query."""
    folder = generated.package
    if str(folder.parent) not in sys.path:
        sys.path.insert(0, str(folder.parent))
    modules = {
        file: module
        for file in sorted(folder.rglob("*.py"))
        if (module := _import(generated.case.name, folder, file, found))
    }
    names = _forward_names(modules)
    for module in modules.values():
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                _check_hints(generated.case.name, value, found)
    functions = [
        function
        for module in modules.values()
        for function in _functions(generated, module, names, found)
    ]
    _check_complete(generated, functions, found)
    register = {
        file.parent.name == "aio": module.register_types
        for file, module in modules.items()
        if file.name == "__init__.py" and hasattr(module, "register_types")
    }
    return Package(generated, names, tuple(functions), register)


def _import(case: str, folder: Path, file: Path, found: Findings) -> ModuleType | None:
    relative = file.relative_to(folder.parent).with_suffix("")
    try:
        module = importlib.import_module(".".join(relative.parts))
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
    functions: list[Function] = []
    for function in _own_functions(module):
        query = _query(generated.queries, function)
        if query is None:
            detail = f"{module.__name__}.{function.__name__}: no SQL of sqlc's"
            found.add(Kind.LOST, generated.case.name, function.__name__, detail)
            continue
        _check_hints(generated.case.name, function, found)
        hints = annotations.hints(function, names)
        is_async = inspect.iscoroutinefunction(function)
        functions.append(Function(query, function, hints, is_async))
    return functions


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
        and not name.startswith(("_", "send_"))
        and next(iter(inspect.signature(value).parameters), "") == _CONNECTION
    ]


def _query(queries: tuple[Query, ...], function: FunctionType) -> Query | None:
    """Find the query whose text a function sends; of twins the one it is called by."""
    named = (function.__globals__.get(name) for name in function.__code__.co_names)
    texts = {value.strip() for value in named if isinstance(value, str)}
    sent = [query for query in queries if query.text.strip() in texts]
    if len(sent) > 1:
        called = _letters(function.__name__)
        sent = [query for query in sent if _letters(query.name) == called]
    return sent[0] if sent else None


def _letters(name: str) -> str:
    return name.replace("_", "").lower()


def _check_complete(
    generated: Generated, functions: list[Function], found: Findings
) -> None:
    for query in generated.queries:
        faces = [f.is_async for f in functions if f.query == query]
        if sorted(faces) != [False, True]:
            detail = f"{len(faces)} functions instead of a sync and an async one"
            found.add(Kind.LOST, generated.case.name, query.name, detail)
