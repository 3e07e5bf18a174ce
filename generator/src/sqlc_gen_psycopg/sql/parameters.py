"""The parameters of a query's text: their numbers, and casts put behind them."""

import re

from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node

_WRITTEN = re.compile(r"\$(\d+)")


def numbers(text: str, statement: Node, reported: set[int]) -> set[int]:
    """Return the numbers of the parameters that stand in a text.

    Where the text has those that are reported and no others, its tree is not looked at;
    what is quoted may look like one.
    """
    if {int(number) for number in _WRITTEN.findall(text)} <= reported:
        return reported
    return {
        node["ParamRef"].get("number", 0)
        for node in tree.walk(statement)
        if "ParamRef" in node
    }


def cast(text: str, statement: Node, types: dict[int, str]) -> str:
    """Return a text with a cast behind each use of some parameters."""
    if not types:
        return text
    encoded = text.encode()
    places = {
        (node["ParamRef"].get("location", 0), node["ParamRef"].get("number", 0))
        for node in tree.walk(statement)
        if "ParamRef" in node
    }
    for start, number in sorted(places, reverse=True):
        if number in types:
            end = start + len(f"${number}")
            made = f"{encoded[start:end].decode()}::{types[number]}"
            encoded = encoded[:start] + made.encode() + encoded[end:]
    return encoded.decode()
