"""The modules of the query files: one for each kind of connection."""

from typing import NamedTuple

from sqlc_gen_psycopg.ir.function import Function
from sqlc_gen_psycopg.ir.module import Module
from sqlc_gen_psycopg.ir.python_types import Import
from sqlc_gen_psycopg.ir.results import Model, Row, Scalar
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.render import function_source, functions, querier, rows
from sqlc_gen_psycopg.render.function_source import FunctionSource
from sqlc_gen_psycopg.render.output import Output
from sqlc_gen_psycopg.render.source import Source, literal


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
        self.enums.update(source.enums)


def write(output: Output, modules: list[Module]) -> tuple[dict[str, str], Shared]:
    """Return the text of each module's files, and what they share."""
    texts: dict[str, str] = {}
    shared = Shared(set(), set(), set())
    for module in modules:
        for path, source in _sources(output, module).items():
            texts[path] = source.text()
            shared.add_source(source)
        shared.rows.update(
            function.result.table_name
            for function in module.functions
            if isinstance(function.result, Model)
        )
    if output.settings.emit_querier:
        for kind, source in output.open_each("the queries").items():
            querier.add(source, kind, modules)
            texts[f"{kind.folder}querier.py"] = source.text()
    return texts, shared


def _sources(output: Output, module: Module) -> dict[str, Source]:
    """Return a file for each kind of connection; the second imports what both use."""
    sources = output.open_each(module.filename)
    first, *others = sources.values()
    for kind, source in sources.items():
        source.need_all({"typing": ("Any",), "psycopg": (kind.connection, kind.cursor)})
    taken = {
        f"{prefix}{function.name}"
        for function in module.functions
        for prefix in ("", "send_", "stream_")
    }
    # By what they make: a table's model, or a class that several queries may share.
    factories: dict[str, str] = {}
    if first.models_package:
        _add_model_factories(first, module, taken, factories)
    shared = [*first.exports]
    for function in module.functions:
        before = len(first.exports)
        spelled = _add_shared(first, function, taken, factories)
        shared += first.exports[before:]
        for kind, source in sources.items():
            source.imports |= spelled.imports
            functions.add(source, kind, spelled)
    for source in others:
        source.need_from(f"@{module.name}", *shared)
        source.exports += shared
    return {f"{k.folder}{module.name}.py": source for k, source in sources.items()}


def _add_shared(
    source: Source, function: Function, taken: set[str], factories: dict[str, str]
) -> FunctionSource:
    """Add what both kinds use of a query; return what its functions are made of."""
    source.need_from("typing", "Final")
    text = literal(function.text)
    source.add(function.constant, [f"{function.constant}: Final = {text}"])
    if function.arguments:
        _add_arguments(source, function.arguments)
    factory = _add_factory(source, function, taken, factories)
    return function_source.spell(function, factory)


def _add_model_factories(
    source: Source, module: Module, taken: set[str], factories: dict[str, str]
) -> None:
    """Add what the other package has for its own queries only."""
    models = {
        each.result for each in module.functions if isinstance(each.result, Model)
    }
    for model in sorted(models, key=lambda model: model.name):
        name = rows.factory_name(model)
        factories[name] = _free(name, taken)
        rows.add_factory(source, factories[name], f"models.{model.name}", model)


def _add_arguments(source: Source, arguments: Row) -> None:
    if any("Sequence[" in field.value.annotation for field in arguments.fields):
        source.need_from("collections.abc", "Sequence")
    rows.add_class(source, arguments)


def _add_factory(
    source: Source, function: Function, taken: set[str], factories: dict[str, str]
) -> str:
    """Add a row's class and its factory, if they are not there; return its name."""
    if isinstance(function.result, Scalar):
        rows.add_objects(source, function.result.value)
    match function.result:
        case Model() as model:
            source.need(Import("@", "models"))
            name = rows.factory_name(model)
            return factories.get(name, f"models.{name}")
        case Row() as row:
            if row.name not in factories:
                factories[row.name] = _free(rows.factory_name(row), taken)
                rows.add_class(source, row)
                rows.add_factory(source, factories[row.name], row.name, row)
            return factories[row.name]
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
