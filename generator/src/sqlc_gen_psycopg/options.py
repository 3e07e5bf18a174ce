"""The plugin's options in sqlc.yaml."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, cast

from sqlc_gen_psycopg import inflection, names
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.request import Json


@dataclass(frozen=True, slots=True)
class Symbol:
    """Something importable: ``name`` may be dotted, as in ``Parts.validate``."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Override:
    """Another Python type for one column or for every column of a type."""

    py_type: Symbol
    column: str = ""
    db_type: str = ""
    nullable: bool | None = None
    from_db: Symbol | None = None
    to_db: Symbol | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """The options, each with its default."""

    emit_sync: bool = True
    emit_async: bool = True
    emit_init_file: bool = True
    emit_exact_table_names: bool = False
    omit_unused_models: bool = True
    model_kind: str = "dataclass"
    query_parameter_limit: int | None = None
    inflection_exclude_table_names: tuple[str, ...] = ()
    rename: dict[str, str] = field(default_factory=dict[str, str])
    overrides: tuple[Override, ...] = field(default=())

    @property
    def is_pydantic(self) -> bool:
        """Whether row classes are models of pydantic."""
        return self.model_kind == "pydantic"

    def field_name(self, name: str) -> str:
        """Return the name of a field, of a row or of a class of arguments."""
        name = self.rename.get(name, name)
        if not self.is_pydantic:
            return names.snake(name, names.FIELDS)
        # Pydantic takes a leading underscore for a private attribute.
        return names.snake(name.lstrip("_"), names.FIELDS | names.PYDANTIC)

    def parameter_name(self, name: str) -> str:
        """Return the name of a parameter, which may be a field of a class."""
        name = self.field_name(name)
        return f"{name}_" if name in names.PARAMETERS else name

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
    "omit_unused_models",
)
# sqlc-gen-python's options: what they are here, and those that change nothing, as
# the output is imported relatively, lies where sqlc puts it, and has StrEnums only.
_ALIASES = {"emit_sync_querier": "emit_sync", "emit_async_querier": "emit_async"}
_PYDANTIC = "emit_pydantic_models"
_WITHOUT_EFFECT = {"emit_str_enum": bool, "package": str, "out": str}
_KNOWN = (
    *(f.name for f in fields(Options)),
    *_ALIASES,
    _PYDANTIC,
    *_WITHOUT_EFFECT,
)
_OVERRIDE = ("column", "db_type", "nullable", "py_type", "from_db", "to_db")
_PY_TYPE = ("import", "package", "type")


def read(raw: Json, problems: Problems) -> Options:
    """Read the options; what is wrong with them goes to ``problems``."""
    _check_known(raw, _KNOWN, _WHERE, problems)
    raw = _translated(raw, problems)
    values: dict[str, Any] = {}
    for name in _BOOLEANS:
        if name in raw:
            values[name] = _boolean(raw[name], f"{_WHERE}.{name}", problems)
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
        chosen = _boolean(made[_PYDANTIC], f"{_WHERE}.{_PYDANTIC}", problems)
        made.setdefault("model_kind", "pydantic" if chosen else "dataclass")
    for name, kind in _WITHOUT_EFFECT.items():
        if not isinstance(made.get(name, kind()), kind):
            value = made[name]
            problems.add(
                f"{_WHERE}.{name}", f"{value!r} is of the wrong type", "see the README"
            )
    return made


def _check_known(
    raw: Json, known: tuple[str, ...], where: str, problems: Problems
) -> None:
    for name in raw:
        if name not in known:
            problems.add(where, f"unknown option {name!r}", nearest(name, known))


def nearest(name: str, known: tuple[str, ...]) -> str:
    """The remedy for an unknown name: the nearest known one, or all of them."""
    matches = difflib.get_close_matches(name, known, n=1)
    if matches:
        return f"did you mean {matches[0]!r}?"
    return f"known are {', '.join(known)}"


def _boolean(value: object, where: str, problems: Problems) -> bool:
    if not isinstance(value, bool):
        problems.add(where, f"{value!r} is no boolean", "write true or false")
        return True
    return value


def _count(value: object, where: str, problems: Problems) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    problems.add(where, f"{value!r} is no number of parameters", "write 0 or more")
    return None


def _strings(value: object, where: str, problems: Problems) -> tuple[str, ...]:
    if isinstance(value, list):
        items = cast("list[object]", value)
        if all(isinstance(item, str) for item in items):
            return tuple(str(item) for item in items)
    problems.add(where, f"{value!r} is no list of names", "write a list of strings")
    return ()


def _model_kind(value: object, where: str, problems: Problems) -> str:
    if value in ("dataclass", "pydantic"):
        return str(value)
    problems.add(where, f"{value!r} is no kind", "write dataclass or pydantic")
    return "dataclass"


def _renamed(value: object, where: str, problems: Problems) -> dict[str, str]:
    if isinstance(value, dict):
        pairs = cast("dict[object, object]", value)
        if all(isinstance(name, str) and name for name in pairs.values()):
            return {str(old): str(new) for old, new in pairs.items()}
    problems.add(where, f"{value!r} renames nothing", "write a mapping of names")
    return {}


def _overrides(value: object, where: str, problems: Problems) -> tuple[Override, ...]:
    if not isinstance(value, list):
        problems.add(where, "not a list", "write a list of overrides")
        return ()
    found = [
        _override(item, f"{where}[{index}]", problems)
        for index, item in enumerate(cast("list[object]", value))
    ]
    return tuple(override for override in found if override)


def _override(value: object, where: str, problems: Problems) -> Override | None:
    if not isinstance(value, dict):
        problems.add(where, "not a mapping", "give column or db_type, and py_type")
        return None
    raw = cast("Json", value)
    _check_known(raw, _OVERRIDE, where, problems)
    if ("column" in raw) == ("db_type" in raw):
        problems.add(where, "needs a target", "give exactly one of column, db_type")
        return None
    py_type = _py_type(raw.get("py_type"), f"{where}.py_type", problems)
    if py_type is None:
        return None
    if "column" in raw and "." not in str(raw["column"]):
        problems.add(where, "column names no table", "write table.column")
    nullable = raw.get("nullable")
    return Override(
        py_type=py_type,
        column=str(raw.get("column", "")),
        db_type=str(raw.get("db_type", "")),
        nullable=None
        if nullable is None
        else _boolean(nullable, f"{where}.nullable", problems),
        from_db=_function(raw, "from_db", where, problems),
        to_db=_function(raw, "to_db", where, problems),
    )


def _py_type(value: object, where: str, problems: Problems) -> Symbol | None:
    """Read ``module:Name`` or sqlc-gen-python's ``{import, package, type}``."""
    if isinstance(value, str):
        return _symbol(value, where, problems)
    if isinstance(value, dict):
        raw = cast("Json", value)
        _check_known(raw, _PY_TYPE, where, problems)
        name = raw.get("type") or raw.get("package")
        if name:
            module = str(raw.get("import") or "")
            return Symbol(module, str(name).removeprefix(f"{module}."))
    problems.add(
        where,
        f"{value!r} names no Python type",
        "write 'module:Name' or {import: module, type: Name}",
    )
    return None


def _function(raw: Json, key: str, where: str, problems: Problems) -> Symbol | None:
    if key not in raw:
        return None
    return _symbol(raw[key], f"{where}.{key}", problems)


def _symbol(value: object, where: str, problems: Problems) -> Symbol | None:
    if isinstance(value, str):
        module, colon, name = value.partition(":")
        parts = [*module.split("."), *name.split(".")] if colon else [name or module]
        if all(part.isidentifier() for part in parts):
            return Symbol(module if colon else "", name if colon else module)
    problems.add(where, f"{value!r} cannot be imported", "write 'module:name'")
    return None


_READERS: dict[str, Callable[[object, str, Problems], object]] = {
    "inflection_exclude_table_names": _strings,
    "model_kind": _model_kind,
    "overrides": _overrides,
    "query_parameter_limit": _count,
    "rename": _renamed,
}
