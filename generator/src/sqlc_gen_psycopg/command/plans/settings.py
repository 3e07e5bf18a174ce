"""plans.toml: how large tables are, what columns hold, and what is accepted."""

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from sqlc_gen_psycopg.command.config import CannotRunError

NAME = "plans.toml"
SIZES = (10_000, 1_000_000, 1_000_000_000)
PAGE = 100
LARGE = 100_000

_Number = TypeVar("_Number", int, float)
# Shares that are 1 together may not be, in binary.
_ROUNDING = 1e-9


class Column(NamedTuple):
    """What a column holds, as far as it is said; the rest is guessed of its type.

    ``distinct`` is a number of values, ``repeats`` how many rows share one, ``values``
    what share of the rows has each, ``nulls`` the share of NULLs.
    """

    distinct: float | None = None
    repeats: float | None = None
    values: Mapping[str, float] | None = None
    nulls: float | None = None


class Table(NamedTuple):
    """How many rows a table has: so many at each size, or a share of the size."""

    rows: int | None = None
    share: float = 1
    columns: Mapping[str, Column] = {}

    def rows_at(self, size: int) -> int:
        """Return how many rows it has at a size."""
        return max(1, round(size * self.share)) if self.rows is None else self.rows


class Settings(NamedTuple):
    """What the plans are made for, and which findings have a reason."""

    file: str = NAME
    sizes: tuple[int, ...] = SIZES
    page: int = PAGE
    large: int = LARGE
    tables: Mapping[str, Table] = {}
    statements: Mapping[str, str] = {}
    accepted: Mapping[str, Mapping[str, str]] = {}

    def table(self, name: str) -> Table:
        """Return what is said of a table."""
        return self.tables.get(name, Table())

    def is_large(self, name: str, size: int) -> bool:
        """Tell whether a table has too many rows, at a size, to read them all."""
        table = self.table(name)
        return table.rows is None and table.rows_at(size) >= self.large


_KEYS = {
    "": {"sizes", "page", "large", "tables", "statements", "accepted"},
    "tables": {"rows", "share", "columns"},
    "columns": set(Column._fields),
}


def read(named: str) -> Settings:
    """Read a file of settings; without a name plans.toml, if it is there.

    Raises:
        CannotRunError: it cannot be read, or says what has no meaning.
    """
    file = Path(named or NAME)
    if not named and not file.exists():
        return Settings()
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CannotRunError(f"{file}: cannot be read: {error}") from error
    _check_keys(file, "", raw)
    try:
        return Settings(
            file=str(file),
            sizes=tuple(sorted(_sizes(raw.get("sizes", [*SIZES])))),
            page=_number("page", raw.get("page", PAGE), int, 1),
            large=_number("large", raw.get("large", LARGE), int, 1),
            tables={
                name: _table(file, name, one)
                for name, one in _mapping("tables", raw.get("tables", {})).items()
            },
            statements={
                name: _text(f"statements.{name}", text)
                for name, text in _mapping(
                    "statements", raw.get("statements", {})
                ).items()
            },
            accepted={
                name: _reasons(f"accepted.{name}", kinds)
                for name, kinds in _mapping("accepted", raw.get("accepted", {})).items()
            },
        )
    except (TypeError, ValueError) as error:
        raise CannotRunError(f"{file}: {error}") from error


def _sizes(given: object) -> list[int]:
    if not isinstance(given, list) or not given:
        raise ValueError("sizes: write a list of numbers of rows")
    sizes = cast("list[object]", given)
    return [_number("sizes", size, int, 1) for size in sizes]


def _table(file: Path, name: str, given: object) -> Table:
    where = f"tables.{name}"
    raw = _mapping(where, given)
    _check_keys(file, "tables", raw, name)
    rows = raw.get("rows")
    return Table(
        None if rows is None else _number(f"{where}.rows", rows, int, 0),
        _number(f"{where}.share", raw.get("share", 1.0), float, 0),
        {
            column: _column(file, f"{name}.{column}", said)
            for column, said in _mapping(
                f"{where}.columns", raw.get("columns", {})
            ).items()
        },
    )


def _column(file: Path, name: str, given: object) -> Column:
    where = f"columns.{name}"
    raw = _mapping(where, given)
    _check_keys(file, "columns", raw, name)
    distinct, repeats, nulls = (
        _number(f"{where}.{key}", raw[key], float, least, most) if key in raw else None
        for key, least, most in (
            ("distinct", 1, math.inf),
            ("repeats", 1, math.inf),
            ("nulls", 0, 1),
        )
    )
    if "values" not in raw:
        return Column(distinct, repeats, nulls=nulls)
    values = {
        value: _number(f"{where}.values.{value}", share, float, 0, 1)
        for value, share in _mapping(f"{where}.values", raw["values"]).items()
    }
    if sum(values.values()) + (nulls or 0) > 1 + _ROUNDING:
        raise ValueError(f"{where}.values: the shares are more than 1 together")
    return Column(distinct, repeats, values, nulls)


def _number(
    where: str,
    given: Any,  # noqa: ANN401 - whatever TOML has
    kind: type[_Number],
    least: int,
    most: float = math.inf,
) -> _Number:
    # To Python a boolean is an integer, too.
    is_number = isinstance(given, (int, kind)) and not isinstance(given, bool)
    if not is_number or not least <= given <= most:
        upto = f"to {most:g}" if most < math.inf else "or more"
        what = "a whole number" if kind is int else "a number"
        raise ValueError(f"{where}: {given!r} is not {what} of {least} {upto}")
    return kind(given)


def _mapping(where: str, given: object) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise TypeError(f"{where}: {given!r} is no table of TOML")
    return cast("dict[str, Any]", given)


def _text(where: str, given: object) -> str:
    if not isinstance(given, str):
        raise TypeError(f"{where}: {given!r} is not text")
    return given


def _reasons(where: str, given: object) -> dict[str, str]:
    reasons = {
        kind: _text(f"{where}: {kind!r}", reason)
        for kind, reason in _mapping(where, given).items()
    }
    for kind, reason in reasons.items():
        if not reason.strip():
            raise ValueError(f"{where}: {kind!r} has no reason; write one")
    return reasons


def _check_keys(file: Path, level: str, raw: dict[str, Any], name: str = "") -> None:
    if unknown := raw.keys() - _KEYS[level]:
        where = f"{level}.{name}: " if level else ""
        raise CannotRunError(
            f"{file}: {where}unknown key {min(unknown)!r}; "
            f"known are {', '.join(sorted(_KEYS[level]))}"
        )
