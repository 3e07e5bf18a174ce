"""The comment under a query's name: its docstring and its directives.

sqlc mixes the file's header, the lines before and after the name and the previous
statement's trailing remark; the query file itself tells them apart.
"""

import re
from dataclasses import dataclass

from sqlc_gen_psycopg import options, sqlfiles
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.request import Query, Request

_NAME = re.compile(r"^\s*(?:--|#|/\*)\s*name:\s*(\S+)\s+:\w+\s*(?:\*/)?\s*$")
_COMMENT = re.compile(r"^\s*--(?P<text>.*)$")
_DIRECTIVE = re.compile(r"^\s*@(?P<name>[\w-]+)\s*(?P<rest>.*?)\s*$")
DIRECTIVES = ("deferred", "notnull", "nullable")


@dataclass(frozen=True, slots=True)
class Comment:
    """A query's docstring and directives."""

    text: str
    deferred: bool = False
    notnull: frozenset[str] = frozenset()
    nullable: frozenset[str] = frozenset()


def by_query(request: Request) -> dict[tuple[str, str], list[str]]:
    """Return the comment lines under each name, by file name and query name."""
    try:
        files = sqlfiles.find(request.query_paths)
    except FileNotFoundError:
        return {}
    return {
        (file.name, name): lines
        for file in files
        for name, lines in _in_text(file.read_text(encoding="utf-8"))
    }


def _in_text(text: str) -> list[tuple[str, list[str]]]:
    lines = text.splitlines()
    return [
        (found[1], _lines_below(lines, number))
        for number, line in enumerate(lines)
        if (found := _NAME.match(line))
    ]


def _lines_below(lines: list[str], number: int) -> list[str]:
    found: list[str] = []
    for line in lines[number + 1 :]:
        comment = _COMMENT.match(line)
        if comment is None or _NAME.match(line):
            break
        found.append(comment["text"])
    return found


def read(query: Query, lines: list[str] | None, problems: Problems) -> Comment:
    """Tell directives from text; an unknown directive is a problem."""
    text: list[str] = []
    given: dict[str, list[str]] = {name: [] for name in DIRECTIVES}
    for line in query.comments if lines is None else lines:
        directive = _DIRECTIVE.match(line)
        if directive is None:
            text.append(line.rstrip())
        elif directive["name"] in given:
            given[directive["name"]].append(directive["rest"])
        elif not directive["name"].startswith("sqlc-"):
            problems.add(
                query.where,
                f"unknown directive @{directive['name']}",
                options.nearest(directive["name"], DIRECTIVES),
            )
    return Comment(
        text=_dedent(text),
        deferred=bool(given["deferred"]),
        notnull=_listed(given["notnull"]),
        nullable=_listed(given["nullable"]),
    )


def _listed(rests: list[str]) -> frozenset[str]:
    return frozenset(
        name for rest in rests for name in re.split(r"[\s,]+", rest) if name
    )


def _dedent(lines: list[str]) -> str:
    margin = min((len(s) - len(s.lstrip()) for s in lines if s.strip()), default=0)
    return "\n".join(line[margin:] for line in lines).strip("\n")
