"""plans.toml: how large tables are, what columns hold, and what is accepted."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from sqlc_gen_psycopg.command.config import CannotRunError

NAME = "plans.toml"
SIZES = (10_000, 1_000_000, 1_000_000_000)
PAGE = 100
LARGE = 100_000


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
            sizes=tuple(sorted(raw.get("sizes", SIZES))),
            page=int(raw.get("page", PAGE)),
            large=int(raw.get("large", LARGE)),
            tables={
                name: _table(file, name, one)
                for name, one in raw.get("tables", {}).items()
            },
            statements=dict(raw.get("statements", {})),
            accepted=_accepted(file, raw.get("accepted", {})),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise CannotRunError(
            f"{file}: {error}; see the page of the command for what it may hold"
        ) from error


def _table(file: Path, name: str, raw: dict[str, Any]) -> Table:
    _check_keys(file, "tables", raw, name)
    columns = cast("dict[str, dict[str, Any]]", raw.get("columns", {}))
    for column, said in columns.items():
        _check_keys(file, "columns", said, f"{name}.{column}")
    made = {column: Column(**said) for column, said in columns.items()}
    return Table(raw.get("rows"), float(raw.get("share", 1)), made)


def _accepted(file: Path, raw: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    for name, kinds in raw.items():
        for kind, reason in kinds.items():
            if not reason.strip():
                raise CannotRunError(
                    f"{file}: accepted.{name}: {kind!r} has no reason; write one"
                )
    return raw


def _check_keys(file: Path, level: str, raw: dict[str, Any], name: str = "") -> None:
    if unknown := raw.keys() - _KEYS[level]:
        where = f"{level}.{name}: " if level else ""
        raise CannotRunError(
            f"{file}: {where}unknown key {min(unknown)!r}; "
            f"known are {', '.join(sorted(_KEYS[level]))}"
        )
