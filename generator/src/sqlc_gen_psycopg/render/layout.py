"""Expressions that know how ``ruff format`` breaks them over lines."""

from dataclasses import dataclass
from typing import TypeAlias

WIDTH = 88
INDENT = 4


@dataclass(frozen=True, slots=True)
class Brackets:
    """``head(items)tail``: one line if it fits, else one item a line."""

    head: str
    items: tuple["Doc", ...]
    tail: str


@dataclass(frozen=True, slots=True)
class Conditional:
    """``value if condition else None``."""

    value: "Doc"
    condition: str


@dataclass(frozen=True, slots=True)
class Comprehension:
    """``[element for …]``."""

    element: "Doc"
    clause: str


Doc: TypeAlias = str | Brackets | Conditional | Comprehension


def call(function: str, *items: Doc, tail: str = "") -> Brackets:
    """Return a call."""
    return Brackets(f"{function}(", items, f"){tail}")


def one_tuple(items: tuple[Doc, ...]) -> Doc:
    """Return a tuple display."""
    if len(items) == 1:
        return f"({flat(items[0])},)"
    return Brackets("(", items, ")")


def flat(doc: Doc) -> str:
    """Return the expression on one line."""
    match doc:
        case str():
            return doc
        case Brackets():
            return f"{doc.head}{', '.join(map(flat, doc.items))}{doc.tail}"
        case Conditional():
            return f"{flat(doc.value)} if {doc.condition} else None"
        case Comprehension():
            return f"[{flat(doc.element)} {doc.clause}]"


def lines(doc: Doc, indent: int, *, after: str = "") -> list[str]:
    """Lay an expression out at an indentation; ``after`` follows its last character."""
    margin = " " * indent
    whole = f"{margin}{flat(doc)}{after}"
    if len(whole) <= WIDTH:
        return [whole]
    match doc:
        case str():
            return [whole]
        case Brackets():
            inner = [
                line
                for item in doc.items
                for line in lines(item, indent + INDENT, after=",")
            ]
            return [f"{margin}{doc.head}", *inner, f"{margin}{doc.tail}{after}"]
        case Conditional():
            return [
                *lines(doc.value, indent),
                f"{margin}if {doc.condition}",
                f"{margin}else None{after}",
            ]
        case Comprehension():
            return [
                f"{margin}[",
                *lines(doc.element, indent + INDENT),
                f"{margin}{' ' * INDENT}{doc.clause}",
                f"{margin}]{after}",
            ]
