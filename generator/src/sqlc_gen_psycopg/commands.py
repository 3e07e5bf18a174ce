"""The commands of sqlc, and what each asks of its query."""

from sqlc_gen_psycopg.comments import Comment
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.request import Query

COMMANDS = (
    ":one",
    ":many",
    ":exec",
    ":execrows",
    ":execresult",
    ":batchone",
    ":batchmany",
    ":batchexec",
    ":copyfrom",
)
OF_ONE = frozenset({":one", ":batchone"})
FETCHING = frozenset({":one", ":many", ":batchone", ":batchmany"})
WITH_ROWS = FETCHING | {":execresult"}
# Called with many rows of arguments at once.
BATCHES = frozenset({":batchone", ":batchmany", ":batchexec"})
_MASS = BATCHES | {":copyfrom"}
_DEFERRABLE = frozenset({":one", ":many", ":execrows"})
_REMEDIES = {":execlastid": "use :one with RETURNING id"}
# Directives that are for some commands only.
_FOR = {
    "binary": WITH_ROWS,
    "stream": frozenset({":many"}),
    "exactly-one": OF_ONE,
    "deferred": _DEFERRABLE,
}


def takes_rows(query: Query) -> bool:
    """Tell whether the function takes rows of arguments instead of one."""
    return query.command in _MASS


def check(query: Query, comment: Comment, problems: Problems) -> None:
    """Note what a query's command or directives ask for in vain."""
    command = query.command
    if command not in COMMANDS:
        remedy = _REMEDIES.get(command, f"use one of {' '.join(COMMANDS)}")
        problems.add(query.where, f"{command} is not supported", remedy)
        return
    if command in FETCHING and not query.columns:
        problems.add(
            query.where,
            f"{command} returns no columns",
            "name its columns, add RETURNING, or use :exec, :execrows or :batchexec",
        )
    _check_directives(query, comment, problems)


def _check_directives(query: Query, comment: Comment, problems: Problems) -> None:
    given = {
        "binary": comment.binary,
        "stream": comment.stream,
        "exactly-one": comment.exactly_one,
        "deferred": comment.deferred,
    }
    for name, commands in _FOR.items():
        if not given[name] or query.command in commands:
            continue
        if name == "deferred" and query.command == ":exec":
            problems.add(
                query.where,
                "@deferred on :exec, which fetches nothing",
                "remove the directive: in a pipeline :exec is only queued",
            )
            continue
        problems.add(
            query.where,
            f"@{name} is not for {query.command}",
            f"remove the directive, or use {' or '.join(sorted(commands))}",
        )
