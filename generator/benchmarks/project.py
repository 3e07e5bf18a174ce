"""A project of many queries for sqlc, made of real ones under other names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_GOLDEN = _ROOT / "generator/tests/golden"
SOURCES = (_ROOT / "db", _GOLDEN / "shop", _GOLDEN / "bulk", _GOLDEN / "python")
# What takes a name of its own in each copy of a source.
_CREATED = re.compile(
    r"^CREATE (?:DOMAIN|FUNCTION|SCHEMA|TABLE|TYPE|VIEW) (\w+)\b(?!\.)", re.MULTILINE
)
# What sqlc's own Go code breaks on: a label of an enum, and our marks of columns.
_UNSPEAKABLE = re.compile(r""", '"quoted"'|[!?](?=")""")
_UNSPEAKABLE_FILE = "odd-names.sql"
_QUERY = re.compile(r"^(?=-- name:)", re.MULTILINE)
_QUERY_NAME = re.compile(r"^(-- name: \S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Copy:
    """One source under the names of its copy."""

    source: Path
    suffix: str

    def files(self, kind: str) -> Iterator[tuple[str, str]]:
        """Yield the name and the text of each file in a folder of the source."""
        for file in sorted((self.source / kind).glob("*.sql")):
            if file.name != _UNSPEAKABLE_FILE:
                text = self._renamed(file.read_text())
                yield f"{file.stem}{self.suffix}.sql", text

    def _renamed(self, text: str) -> str:
        spoken = _UNSPEAKABLE.sub("", text)
        named = _QUERY_NAME.sub(rf"\1{self.suffix}", spoken)
        return self._names().sub(rf"\g<0>{self.suffix}", named)

    def _names(self) -> re.Pattern[str]:
        files = (self.source / "migrations").glob("*.sql")
        texts = [file.read_text() for file in files]
        found = {name for text in texts for name in _CREATED.findall(text)}
        return re.compile(rf"\b(?:{'|'.join(sorted(found))})\b")


def write(folder: Path, queries: int) -> None:
    """Write a schema and so many queries on it, as ``schema/`` and ``queries/``."""
    left = queries
    (folder / "schema").mkdir()
    (folder / "queries").mkdir()
    for copy in _copies():
        for name, text in copy.files("migrations"):
            (folder / "schema" / name).write_text(text)
        for name, text in copy.files("queries"):
            head, *found = _QUERY.split(text)
            taken = found[:left]
            left -= len(taken)
            (folder / "queries" / name).write_text("".join([head, *taken]))
            if not left:
                return


def _copies() -> Iterator[_Copy]:
    for number in count(1):
        for source in SOURCES:
            yield _Copy(source, f"_{source.name}_{number}")
