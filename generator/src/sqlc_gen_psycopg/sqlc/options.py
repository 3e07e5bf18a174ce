"""The plugin's options in sqlc.yaml."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlc_gen_psycopg.naming import identifiers, inflection
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.sqlc import overrides
from sqlc_gen_psycopg.sqlc.option_values import (
    boolean,
    check_known,
    count,
    dotted,
    renamed,
    strings,
)
from sqlc_gen_psycopg.sqlc.overrides import Override
from sqlc_gen_psycopg.sqlc.request import Json


class Options(NamedTuple):
    """The options, each with its default."""

    emit_sync: bool = True
    emit_async: bool = True
    emit_init_file: bool = True
    emit_exact_table_names: bool = False
    emit_frozen_models: bool = False
    emit_none_defaults: bool = False
    emit_open_enums: bool = False
    emit_querier: bool = False
    emit_shared_rows: bool = False
    omit_unused_models: bool = True
    narrow_by_where: bool = False
    not_null: tuple[str, ...] = ()
    model_kind: str = "dataclass"
    models_package: str = ""
    query_parameter_limit: int | None = None
    inflection_exclude_table_names: tuple[str, ...] = ()
    rename: Mapping[str, str] = MappingProxyType({})
    overrides: tuple[Override, ...] = ()

    @property
    def is_pydantic(self) -> bool:
        """Whether row classes are models of pydantic."""
        return self.model_kind == "pydantic"

    def field_name(self, name: str) -> str:
        """Return the name of a field, of a row or of a class of arguments."""
        name = self.rename.get(name, name)
        if not self.is_pydantic:
            return identifiers.snake(name, identifiers.FIELDS)
        # Pydantic takes a leading underscore for a private attribute.
        return identifiers.snake(name.lstrip("_"), identifiers.PYDANTIC_FIELDS)

    def parameter_name(self, name: str) -> str:
        """Return the name of a parameter, which may be a field of a class."""
        name = self.field_name(name)
        return f"{name}_" if name in identifiers.PARAMETERS else name

    def singular(self, table: str) -> str:
        """Return what one row of a table is called."""
        if table in self.rename:
            return self.rename[table]
        kept = table in self.inflection_exclude_table_names
        return (
            table if self.emit_exact_table_names or kept else inflection.singular(table)
        )


_WHERE = "sqlc.yaml: options"
_BOOLEANS = (
    "emit_sync",
    "emit_async",
    "emit_init_file",
    "emit_exact_table_names",
    "emit_frozen_models",
    "emit_none_defaults",
    "emit_open_enums",
    "emit_querier",
    "emit_shared_rows",
    "narrow_by_where",
    "omit_unused_models",
)
# sqlc-gen-python's options: what they are here, and those that change nothing, as
# the output is imported relatively, lies where sqlc puts it, and has StrEnums only.
_ALIASES = {"emit_sync_querier": "emit_sync", "emit_async_querier": "emit_async"}
_PYDANTIC = "emit_pydantic_models"
_WITHOUT_EFFECT = {"emit_str_enum": bool, "package": str, "out": str}
KNOWN = (
    *Options._fields,
    *_ALIASES,
    _PYDANTIC,
    *_WITHOUT_EFFECT,
)


def read(raw: Json, problems: Problems) -> Options:
    """Read the options; what is wrong with them goes to ``problems``."""
    check_known(raw, KNOWN, _WHERE, problems)
    raw = _translated(raw, problems)
    values: dict[str, Any] = {}
    for name in _BOOLEANS:
        if name in raw:
            values[name] = boolean(raw[name], f"{_WHERE}.{name}", problems)
    for name, reader in _READERS.items():
        if raw.get(name) is not None:
            values[name] = reader(raw[name], f"{_WHERE}.{name}", problems)
    options = Options(**values)
    if not (options.emit_sync or options.emit_async):
        problems.add(
            _WHERE,
            "emit_sync and emit_async are both false",
            "leave at least one of them on",
        )
    return options


def _translated(raw: Json, problems: Problems) -> Json:
    """Return sqlc-gen-python's options as ours; there, what is not asked for is off."""
    made = dict(raw)
    if not made.keys().isdisjoint(_ALIASES):
        for theirs, ours in _ALIASES.items():
            made.setdefault(ours, made.get(theirs, False))
    if _PYDANTIC in made:
        chosen = boolean(made[_PYDANTIC], f"{_WHERE}.{_PYDANTIC}", problems)
        made.setdefault("model_kind", "pydantic" if chosen else "dataclass")
    for name, kind in _WITHOUT_EFFECT.items():
        if not isinstance(made.get(name, kind()), kind):
            value = made[name]
            problems.add(
                f"{_WHERE}.{name}",
                f"{value!r} is of the wrong type",
                "write true or false" if kind is bool else "write a string",
            )
    return made


def _model_kind(value: object, where: str, problems: Problems) -> str:
    if value in ("dataclass", "pydantic"):
        return str(value)
    problems.add(where, f"{value!r} is no kind", "write dataclass or pydantic")
    return "dataclass"


_READERS: dict[str, Callable[[object, str, Problems], object]] = {
    "inflection_exclude_table_names": strings,
    "model_kind": _model_kind,
    "models_package": dotted,
    "not_null": strings,
    "overrides": overrides.read,
    "query_parameter_limit": count,
    "rename": renamed,
}
