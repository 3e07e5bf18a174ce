"""PostgreSQL's parse tree, as libpg_query spells it in JSON."""

import importlib
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, TypeAlias, cast

Node: TypeAlias = dict[str, Any]

_NESTED = (dict, list)

# An extension module without type information, as are the parts of json below.
_pgparse: Any = importlib.import_module("pgparse")


def _loads(text: str) -> object:
    """Read JSON, however deep it is.

    From Python 3.12 on the scanner in C has a limit of its own, which
    `sys.setrecursionlimit` does not move; the one in Python has none.
    """
    try:
        return json.loads(text)
    except RecursionError:
        decoder: Any = json.JSONDecoder()
        parts: Any = importlib.import_module("json.decoder")
        decoder.parse_object, decoder.parse_array = parts.JSONObject, parts.JSONArray
        scanner: Any = importlib.import_module("json.scanner")
        decoder.scan_once = scanner.py_make_scanner(decoder)
        return decoder.decode(text)


# It reads libpg_query's answer with the module of this name.
_pgparse.json = SimpleNamespace(loads=_loads)


class InvalidSqlError(Exception):
    """The text is no SQL that PostgreSQL's parser takes."""


def parse(text: str) -> list[Node]:
    """Return each statement's tree, as ``{kind: node}``.

    Raises:
        InvalidSqlError: the text does not parse.
    """
    try:
        statements = cast("list[Node]", _pgparse.parse(text))
    except _pgparse.PGQueryError as error:
        raise InvalidSqlError(str(error)) from error
    return [statement["stmt"] for statement in statements]


def only(wrapped: Node) -> tuple[str, Node]:
    """Return the kind and the node of ``{kind: node}``; an empty one has no kind."""
    for kind, node in wrapped.items():
        return kind, node
    return "", {}


def children(node: Node, key: str) -> list[Node]:
    """Return the nodes of a list field, none if it is absent."""
    found: list[Node] = node.get(key) or []
    return found


def lists(node: Node, *keys: str) -> list[list[Node]]:
    """Return the nodes of several list fields."""
    return [node.get(key) or [] for key in keys]


def strings(nodes: list[Node]) -> list[str]:
    """Return the texts of String nodes, other nodes left out."""
    return [n["String"].get("sval", "") for n in nodes if "String" in n]


def path(node: Node, key: str) -> list[str]:
    """Return the parts of the name that a list field holds, a star left out."""
    found: list[Node] = node.get(key) or []
    return [n["String"].get("sval", "") for n in found if "String" in n]


def last_name(node: Node, key: str) -> str:
    """Return the unqualified part of a name."""
    return path(node, key)[-1]


def walk(value: object) -> Iterator[Node]:
    """Yield every dictionary in a tree, the outermost first."""
    waiting: list[object] = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            node = cast("Node", current)
            yield node
            waiting += [inner for inner in node.values() if type(inner) in _NESTED]
        elif isinstance(current, list):
            waiting.extend(cast("list[object]", current))


def placeless(trees: list[Node]) -> list[Node]:
    """Drop the places in the text, which may have moved."""
    for node in walk(trees):
        node.pop("location", None)
    return trees


def calls(value: object) -> list[Node]:
    """Return the function calls of an expression, those of its subselects left out."""
    found: list[Node] = []
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, list):
            waiting.extend(cast("list[object]", current))
        elif isinstance(current, dict) and "SubLink" not in current:
            node = cast("Node", current)
            if "FuncCall" in node:
                found.append(node["FuncCall"])
            waiting += [inner for inner in node.values() if type(inner) in _NESTED]
    return found
