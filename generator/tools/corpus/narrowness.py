"""Whether annotations are as narrow as the schema allows."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from generator.tools import annotations
from generator.tools.corpus.findings import Findings, Kind
from generator.tools.corpus.functions import Function
from generator.tools.corpus.origins import Origin, Prepared


@dataclass(frozen=True, slots=True)
class Promise:
    """What one result column is annotated as; `path` names it."""

    path: str
    annotation: object
    is_optional: bool

    def __str__(self) -> str:
        return f"{self.path or 'the value'}: {annotations.spelled(self.annotation)}"


def promises(
    row: object, names: dict[str, object], path: str = "", *, optional: bool = False
) -> Iterator[Promise]:
    """Yield the promise of each result column; an embed's are those of its fields.

    A composite type's class is one column, as the server gives it.
    """
    inner = annotations.without_none(row)
    optional = optional or annotations.is_optional(row)
    if dataclasses.is_dataclass(inner) and not annotations.is_composite(inner):
        for name, hint in annotations.hints(inner, names).items():
            yield from promises(hint, names, f"{path}.{name}", optional=optional)
    else:
        yield Promise(path, row, optional)


@dataclass(frozen=True, slots=True)
class Census:
    """Counts the columns of one case's functions; `not_null` are the tables' own."""

    case: str
    not_null: set[Origin]
    names: dict[str, object]
    found: Findings

    def take(self, function: Function, prepared: Prepared | None) -> None:
        """Count a function's columns, and those that promise less than they could."""
        if function.row is None:
            return
        columns = list(promises(function.row, self.names))
        self.found.counts["columns"] += len(columns)
        for column in columns:
            if annotations.is_untyped(column.annotation):
                self.found.counts["columns untyped"] += 1
                self._note(Kind.UNTYPED, function, str(column))
        if prepared is None:
            return
        if len(columns) != prepared.width:
            detail = f"{len(columns)} columns are read, {prepared.width} come"
            self._note(Kind.ERROR, function, detail)
        # Where one row is given, the value is Optional in any case: there may be none.
        if columns[0].path or not function.gives_one:
            self._take_not_null(function, columns, prepared)

    def _take_not_null(
        self, function: Function, columns: list[Promise], prepared: Prepared
    ) -> None:
        for column, origin in zip(columns, prepared.origins, strict=False):
            if origin in self.not_null:
                self.found.counts["columns NOT NULL"] += 1
                if column.is_optional:
                    self._note(Kind.OPTIONAL, function, str(column))

    def _note(self, kind: Kind, function: Function, detail: str) -> None:
        self.found.add(kind, self.case, function.name, detail)
