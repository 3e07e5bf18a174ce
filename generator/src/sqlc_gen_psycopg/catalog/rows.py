"""The rows of the generated files; few are ever asked for, so few are split up."""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
BUILT_IN = "postgresql"


@cache
def _text(file: str) -> str:
    return "\n" + (_FOLDER / f"{file}.txt").read_text("utf-8")


@cache
def extensions() -> tuple[str, ...]:
    """Return the names of the extensions whose rows are known."""
    return tuple(sorted(file.stem for file in (_FOLDER / "extensions").glob("*.txt")))


def file_of(extension: str) -> str:
    """Return the name of an extension's file."""
    return f"extensions/{extension}"


def all_of(file: str, what: str) -> list[list[str]]:
    """Return all rows of one kind, each as its fields."""
    text, start = _text(file), f"\n{what}\t"
    first = text.find(start)
    if first < 0:
        return []
    last = text.rindex(start)
    end = text.index("\n", last + 1)
    return [line.split("\t")[1:] for line in text[first + 1 : end].split("\n")]


def named(file: str, what: str, name: str) -> list[list[str]]:
    """Return the rows of one kind and name, each as the fields behind the name."""
    text, start = _text(file), f"\n{what}\t{name}\t"
    found: list[list[str]] = []
    place = text.find(start)
    while place >= 0:
        end = text.index("\n", place + 1)
        found.append(text[place + len(start) : end].split("\t"))
        place = text.find(start, end)
    return found
