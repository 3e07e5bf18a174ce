"""The modules of the query files: one for each kind of connection."""

import re
from typing import NamedTuple

from sqlc_gen_psycopg.function import Function
from sqlc_gen_psycopg.pytypes import Import
from sqlc_gen_psycopg.render import functions, parts, rows
from sqlc_gen_psycopg.render.functions import ASYNC, SYNC, Face
from sqlc_gen_psycopg.render.output import Output
from sqlc_gen_psycopg.render.parts import Parts
from sqlc_gen_psycopg.render.source import Source, literal
from sqlc_gen_psycopg.request import Name
from sqlc_gen_psycopg.rows import Model, Row, Scalar

_ENUM = re.compile(r"\benums\.(\w+)")


class Module(NamedTuple):
    """One query file's module."""

    name: str
    filename: str
    functions: tuple[Function, ...]


class Shared(NamedTuple):
    """What modules need of the files that they share.

    ``imports`` are those of the output's root, ``enums`` the names of classes, and
    ``rows`` the tables whose models are whole rows of queries.
    """

    imports: set[Import]
    enums: set[str]
    rows: set[Name]

    def add(self, other: "Shared") -> None:
        """Need what others need, too."""
        self.imports.update(other.imports)
        self.enums.update(other.enums)
        self.rows.update(other.rows)

    def add_source(self, source: Source) -> None:
        """Need what a file needs."""
        self.imports.update(i for i in source.imports if i.module[0] == "@")
        for block in source.blocks:
            if "enums." in block:
                self.enums.update(_ENUM.findall(block))


def write(output: Output, modules: list[Module]) -> tuple[dict[str, str], Shared]:
    """Return the text of each module's files, and what they share."""
    texts: dict[str, str] = {}
    shared = Shared(set(), set(), set())
    for module in modules:
        for path, source in _faces(output, module).items():
            texts[path] = source.text()
            shared.add_source(source)
        shared.rows.update(
            function.result.table_name
            for function in module.functions
            if isinstance(function.result, Model)
        )
    return texts, shared


def _faces(output: Output, module: Module) -> dict[str, Source]:
    """Return a module's faces; the asynchronous one imports what both use."""
    result: dict[str, Source] = {}
    options = output.options
    first = output.open(module.filename, depth=int(not options.emit_sync))
    spelled = _add_shared(first, module)
    shared = tuple(first.exports)
    if options.emit_sync:
        _add_functions(first, SYNC, spelled)
        result[f"{module.name}.py"] = first
    if options.emit_async:
        source = first
        if options.emit_sync:
            source = output.open(module.filename, depth=1)
            source.need_from(f"@{module.name}", *shared)
        _add_functions(source, ASYNC, spelled)
        result[f"aio/{module.name}.py"] = source
    return result


def _add_functions(source: Source, face: Face, spelled: list[Parts]) -> None:
    source.need_from("typing", "Any")
    source.need_from("psycopg", face.connection, face.cursor)
    for each in spelled:
        source.imports |= each.imports
        functions.add(source, face, each)


def _add_shared(source: Source, module: Module) -> list[Parts]:
    """Add what both faces use; return the parts of each function."""
    for function in module.functions:
        source.need_from("typing", "Final")
        text = literal(function.text)
        source.add(function.constant, [f"{function.constant}: Final = {text}"])
    taken = {function.name for function in module.functions}
    taken |= {f"send_{function.name}" for function in module.functions}
    taken |= {f"stream_{function.name}" for function in module.functions}
    for function in module.functions:
        if function.arguments:
            _add_arguments(source, function.arguments)
        if isinstance(function.result, Row):
            rows.add_class(source, function.result)
    own = _add_model_factories(source, module, taken) if source.models_package else {}
    return [
        parts.spell(each, _add_factory(source, each, taken, own))
        for each in module.functions
    ]


def _add_model_factories(
    source: Source, module: Module, taken: set[str]
) -> dict[str, str]:
    """Add what the other package has for its own queries only; return their names."""
    models = {
        each.result for each in module.functions if isinstance(each.result, Model)
    }
    own: dict[str, str] = {}
    for model in sorted(models, key=lambda model: model.name):
        name = rows.factory_name(model)
        own[name] = _free(name, taken)
        rows.add_factory(source, own[name], f"models.{model.name}", model)
    return own


def _add_arguments(source: Source, arguments: Row) -> None:
    if any("Sequence[" in field.value.annotation for field in arguments.fields):
        source.need_from("collections.abc", "Sequence")
    rows.add_class(source, arguments)


def _add_factory(
    source: Source, function: Function, taken: set[str], own: dict[str, str]
) -> str:
    match function.result:
        case Model() as model:
            source.need(Import("@", "models"))
            name = rows.factory_name(model)
            return own.get(name, f"models.{name}")
        case Row() as row:
            name = _free(rows.factory_name(row), taken)
            rows.add_factory(source, name, row.name, row)
            return name
        case Scalar() as scalar if scalar.value.is_converted:
            name = _free(f"{function.name}_row", taken)
            rows.add_scalar_factory(source, name, scalar)
            return name
        case Scalar():
            return "scalar_row"
        case None:
            return ""


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name
