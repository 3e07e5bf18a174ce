"""The overrides in sqlc.yaml: other Python types, and their converters."""

from typing import NamedTuple, cast

from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.sqlc import option_values
from sqlc_gen_psycopg.sqlc.request import Json

_TARGETS = ("column", "db_type", "query")
_OVERRIDE = (*_TARGETS, "nullable", "py_type", "from_db", "to_db")
_PY_TYPE = ("import", "package", "type")


class Symbol(NamedTuple):
    """Something importable: ``name`` may be dotted, as in ``Parts.validate``."""

    module: str
    name: str


class Override(NamedTuple):
    """Another Python type for one column or for every column of a type.

    The column is a table's, a view's, or of the result of a ``query``.
    """

    py_type: Symbol
    column: str = ""
    db_type: str = ""
    query: str = ""
    nullable: bool | None = None
    from_db: Symbol | None = None
    to_db: Symbol | None = None


def read(value: object, where: str, problems: Problems) -> tuple[Override, ...]:
    """Read the overrides; a wrong one is a problem, and left out."""
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
        problems.add(
            where, "not a mapping", "give column, db_type or query, and py_type"
        )
        return None
    raw = cast("Json", value)
    option_values.check_known(raw, _OVERRIDE, where, problems)
    if sum(target in raw for target in _TARGETS) != 1:
        listed = ", ".join(_TARGETS)
        problems.add(where, "needs a target", f"give exactly one of {listed}")
        return None
    py_type = _py_type(raw.get("py_type"), f"{where}.py_type", problems)
    if py_type is None:
        return None
    if "column" in raw and "." not in str(raw["column"]):
        problems.add(where, "column names no table", "write table.column")
        return None
    if "query" in raw and "." not in str(raw["query"]):
        problems.add(where, "query names no column", "write query.column")
        return None
    nullable = raw.get("nullable")
    return Override(
        py_type=py_type,
        column=str(raw.get("column", "")),
        db_type=str(raw.get("db_type", "")),
        query=str(raw.get("query", "")),
        nullable=None
        if nullable is None
        else option_values.boolean(nullable, f"{where}.nullable", problems),
        from_db=_function(raw, "from_db", where, problems),
        to_db=_function(raw, "to_db", where, problems),
    )


def _py_type(value: object, where: str, problems: Problems) -> Symbol | None:
    """Read ``module:Name`` or sqlc-gen-python's ``{import, package, type}``."""
    if isinstance(value, str):
        return _symbol(value, where, problems)
    if isinstance(value, dict):
        raw = cast("Json", value)
        option_values.check_known(raw, _PY_TYPE, where, problems)
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
