"""The comment under a query's name: its docstring and its directives."""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple

from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.sql.query_files import Written
from sqlc_gen_psycopg.sqlc import option_values
from sqlc_gen_psycopg.sqlc.request import Query

_DIRECTIVE = re.compile(r"^\s*@(?P<name>[\w-]+)\s*(?P<rest>.*?)\s*$")
_EXPLANATION = re.compile(r"^(?P<margin>\s*)@(?P<name>\w+):\s*(?P<text>.*?)\s*$")
DIRECTIVES = (
    "binary",
    "deferred",
    "exactly-one",
    "notnull",
    "nullable",
    "row",
    # Those that it is for do not come here.
    "skip",
    "stream",
    "unnest",
)


class Comment(NamedTuple):
    """A query's docstring and directives, and what it says of parameters by name.

    ``filled`` are the arrays, among results and parameters, without NULL elements.
    """

    text: str
    binary: bool = False
    deferred: bool = False
    exactly_one: bool = False
    stream: bool = False
    unnest: bool = False
    row: str = ""
    notnull: frozenset[str] = frozenset()
    nullable: frozenset[str] = frozenset()
    parameters: Mapping[str, str] = MappingProxyType({})
    filled: frozenset[str] = frozenset()


def read(query: Query, written: Written | None, problems: Problems) -> Comment:
    """Tell directives from text; a misspelled directive is a problem.

    `@name: text` explains a parameter, as do the lines below that are indented deeper.
    Other lines that begin with `@` are text.
    """
    text: list[str] = []
    given: dict[str, list[str]] = {}
    parameters = {parameter.column.name: "" for parameter in query.parameters}
    explained = None
    for line in written.comment if written else query.comments:
        if explained and line.startswith(explained["margin"] + "  "):
            parameters[explained["name"]] += f" {line.strip()}"
            continue
        explained = _EXPLANATION.match(line) if "@" in line else None
        if explained and explained["name"] in parameters:
            parameters[explained["name"]] = explained["text"]
            continue
        explained = None
        directive = _DIRECTIVE.match(line)
        if directive and directive["name"] in DIRECTIVES:
            given.setdefault(directive["name"], []).append(directive["rest"])
        elif directive and _is_misspelled(directive["name"], parameters):
            problems.add(
                query.where,
                f"unknown directive @{directive['name']}",
                option_values.nearest(directive["name"], DIRECTIVES),
            )
        elif not (directive and directive["name"].startswith("sqlc-")):
            text.append(line.rstrip())
    for line in written.remarks() if written else ():
        directive = _DIRECTIVE.match(line)
        if directive and directive["name"] in DIRECTIVES:
            problems.add(
                query.where,
                f"@{directive['name']} stands below its comment, where nothing is read",
                "move it to the lines directly under the name",
            )
    notnull = _listed(given.get("notnull", []))
    filled = frozenset(name for name in notnull if name.endswith("[]"))
    return Comment(
        text=_dedent(text),
        binary="binary" in given,
        deferred="deferred" in given,
        exactly_one="exactly-one" in given,
        stream="stream" in given,
        unnest="unnest" in given,
        row=_name(query, "row", given.get("row", []), problems),
        notnull=notnull - filled,
        nullable=_listed(given.get("nullable", [])),
        filled=frozenset(name.removesuffix("[]") for name in filled),
        parameters=parameters,
    )


def _is_misspelled(name: str, parameters: Collection[str]) -> bool:
    return name not in parameters and bool(option_values.similar(name, DIRECTIVES))


def _name(query: Query, directive: str, rests: list[str], problems: Problems) -> str:
    """Return the one name that a directive gives, if it is there."""
    if not rests:
        return ""
    [*names] = _listed(rests)
    if len(names) == 1 and names[0].isidentifier():
        return names[0]
    problems.add(
        query.where,
        f"@{directive} names no class",
        f"write one name: @{directive} Name",
    )
    return ""


def _listed(rests: list[str]) -> frozenset[str]:
    return frozenset(
        name for rest in rests for name in re.split(r"[\s,]+", rest) if name
    )


def _dedent(lines: list[str]) -> str:
    margin = min((len(s) - len(s.lstrip()) for s in lines if s.strip()), default=0)
    return "\n".join(line[margin:] for line in lines).strip("\n")
