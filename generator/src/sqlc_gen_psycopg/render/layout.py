"""Expressions that know how ``ruff format`` breaks them over lines."""

import re
from typing import NamedTuple, TypeAlias

WIDTH = 88
INDENT = 4


class Brackets(NamedTuple):
    """``head(items)tail``: one line if it fits, else one item a line.

    A tuple of one item keeps its comma, also on one line.
    """

    head: str
    items: tuple["Doc", ...]
    tail: str
    is_tuple: bool = False


class Conditional(NamedTuple):
    """``value if condition else None``."""

    value: "Doc"
    condition: str


class Comprehension(NamedTuple):
    """``[element for …]``, perhaps with something like ``name = `` before it."""

    element: "Doc"
    clause: str
    head: str = ""


class Annotated(NamedTuple):
    """``name: annotation``, of a parameter or of a field, and a default."""

    name: str
    annotation: str
    is_field: bool = False
    default: str = ""


Doc: TypeAlias = str | Brackets | Conditional | Comprehension | Annotated


def call(function: str, *items: Doc, tail: str = "") -> Brackets:
    """Return a call."""
    return Brackets(f"{function}(", items, f"){tail}")


def tuple_of(items: tuple[Doc, ...]) -> Doc:
    """Return a tuple display."""
    return Brackets("(", items, ")", is_tuple=True)


def flat(doc: Doc) -> str:
    """Return the expression on one line."""
    match doc:
        case str():
            return doc
        case Brackets():
            comma = "," if doc.is_tuple and len(doc.items) == 1 else ""
            items = [i if isinstance(i, str) else flat(i) for i in doc.items]
            return f"{doc.head}{', '.join(items)}{comma}{doc.tail}"
        case Annotated():
            return f"{doc.name}: {doc.annotation}{doc.default}"
        case Conditional():
            return f"{flat(doc.value)} if {doc.condition} else None"
        case Comprehension():
            return f"{doc.head}[{flat(doc.element)} {doc.clause}]"


def settled(doc: Doc, deepest: int) -> Doc:
    """Return the expression on one line, if it is never broken.

    ``deepest`` is the deepest indentation that it may have on a line of its own.
    """
    spelled = flat(doc)
    return spelled if deepest + len(spelled) < WIDTH else doc


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
            inner = _items(doc.items, indent + INDENT)
            return [f"{margin}{doc.head}", *inner, f"{margin}{doc.tail}{after}"]
        case Conditional():
            return [
                *lines(doc.value, indent),
                f"{margin}if {doc.condition}",
                f"{margin}else None{after}",
            ]
        case Comprehension():
            return _comprehension(doc, indent, after)
        case Annotated():
            return _annotated(doc, indent, f"{doc.default}{after}")


def call_lines(indent: int, function: str, *items: Doc, tail: str = "") -> list[str]:
    """Lay out a call at an indentation."""
    margin = " " * indent
    flattened = [i if isinstance(i, str) else flat(i) for i in items]
    whole = f"{margin}{function}({', '.join(flattened)}){tail}"
    if len(whole) <= WIDTH:
        return [whole]
    inner = _items(items, indent + INDENT)
    return [f"{margin}{function}(", *inner, f"{margin}){tail}"]


def _items(items: tuple[Doc, ...], indent: int) -> list[str]:
    """Lay out each item on lines of its own."""
    margin, found = " " * indent, list[str]()
    for item in items:
        if isinstance(item, str):
            found.append(f"{margin}{item},")
        else:
            found += lines(item, indent, after=",")
    return found


def _comprehension(doc: Comprehension, indent: int, after: str) -> list[str]:
    margin, inside = " " * indent, " " * (indent + INDENT)
    inner = [f"{inside}{flat(doc.element)} {doc.clause}"]
    if len(inner[0]) > WIDTH:
        inner = [*lines(doc.element, indent + INDENT), f"{inside}{doc.clause}"]
    return [f"{margin}{doc.head}[", *inner, f"{margin}]{after}"]


def _annotated(doc: Annotated, indent: int, after: str) -> list[str]:
    """Break an annotation; only a field's may be put into parentheses."""
    margin = " " * indent
    operands = _split(doc.annotation, " | ")
    if len(operands) > 1 and doc.is_field:
        inside = " " * (indent + INDENT)
        whole = f"{inside}{doc.annotation}"
        content = [whole] if len(whole) <= WIDTH else _union(inside, operands, "")
        return [f"{margin}{doc.name}: (", *content, f"{margin}){after}"]
    return _union(margin, operands, after, start=f"{doc.name}: ")


def _union(
    margin: str, operands: list[str], after: str, *, start: str = ""
) -> list[str]:
    found: list[str] = []
    last = len(operands) - 1
    for place, operand in enumerate(operands):
        before = start if place == 0 else "| "
        found += bracketed(f"{margin}{before}{operand}", after if place == last else "")
    return found


def head(signature: list[str], end: str = ":") -> list[str]:
    """Break the annotation that a function returns, if it is too long for its line."""
    *before, last = signature
    return [*before, *bracketed(last.removesuffix(end), end)]


def bracketed(line: str, after: str) -> list[str]:
    """Break a line at its brackets, if it is too long with what follows it."""
    if len(line) + len(after) <= WIDTH or not line.endswith("]"):
        return [f"{line}{after}"]
    place = _bare(line).index("[") + 1
    start, inner = line[:place], line[place:]
    margin = " " * (len(line) - len(line.lstrip()))
    return [
        start,
        *_arguments(f"{margin}{' ' * INDENT}", inner.removesuffix("]")),
        f"{margin}]{after}",
    ]


def _arguments(margin: str, inner: str) -> list[str]:
    """Lay out what stands in brackets: on one line if it fits, else each by itself."""
    arguments = _split(inner, ", ")
    if len(margin + inner) <= WIDTH:
        return [f"{margin}{inner}"]
    after = "," if len(arguments) > 1 else ""
    found: list[str] = []
    for each in arguments:
        is_short = len(f"{margin}{each}{after}") <= WIDTH
        operands = [each] if is_short else _split(each, " | ")
        found += _union(margin, operands, after)
    return found


def _split(annotation: str, separator: str) -> list[str]:
    """Split at the outermost separators, none of which stands within a string."""
    bare = _bare(annotation)
    found, depth, start = list[str](), 0, 0
    for place, character in enumerate(bare):
        depth += {"[": 1, "]": -1}.get(character, 0)
        if depth == 0 and bare.startswith(separator, place):
            found.append(annotation[start:place])
            start = place + len(separator)
    return [*found, annotation[start:]]


def _bare(annotation: str) -> str:
    """Return an annotation without what its strings say."""
    return _QUOTED.sub(lambda string: "x" * len(string[0]), annotation)


_QUOTED = re.compile(r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' """, re.VERBOSE)


def string(name: str, quoted: str, indent: int) -> list[str]:
    """Lay out the assignment of a string."""
    margin = " " * indent
    whole, inside = f"{margin}{name} = {quoted}", f"{margin}{' ' * INDENT}{quoted}"
    if len(whole) <= WIDTH or len(inside) > WIDTH:
        return [whole]
    return [f"{margin}{name} = (", inside, f"{margin})"]
