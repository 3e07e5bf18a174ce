"""What a query's command or directives ask for in vain is a problem."""

from sqlc_gen_psycopg.ir.commands import COMMANDS, UNKNOWN, Command, Gives
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.sql.comments import Comment
from sqlc_gen_psycopg.sqlc.request import Query

# The commands that each directive is for.
_ABLE = {
    "binary": [c.name for c in COMMANDS.values() if c.has_rows],
    "row": [c.name for c in COMMANDS.values() if c.has_rows],
    "stream": [c.name for c in COMMANDS.values() if c.is_streamable],
    "unnest": [":exec", ":execrows", ":many"],
    "exactly-one": [c.name for c in COMMANDS.values() if c.gives is Gives.ONE],
    "deferred": [c.name for c in COMMANDS.values() if c.is_deferrable],
}
_REMEDIES = {":execlastid": "use :one with RETURNING id"}


def command(query: Query, comment: Comment, problems: Problems) -> Command:
    """Return a query's command, if there is such and it can do what is asked."""
    found = COMMANDS.get(query.command)
    if found is None:
        remedy = _REMEDIES.get(query.command, f"use one of {' '.join(COMMANDS)}")
        problems.add(query.where, f"{query.command} is not supported", remedy)
        return UNKNOWN
    if found.needs_columns and not query.columns:
        problems.add(
            query.where,
            f"{query.command} returns no columns",
            "name its columns, add RETURNING, or use :exec, :execrows or :batchexec",
        )
    asked = {
        "binary": comment.binary,
        "row": bool(comment.row),
        "stream": comment.stream,
        "unnest": comment.unnest,
        "exactly-one": comment.exactly_one,
        "deferred": comment.deferred,
    }
    for name, is_asked in asked.items():
        if is_asked and query.command not in _ABLE[name]:
            _refuse(query, name, _ABLE[name], problems)
    return found


def _refuse(query: Query, name: str, able: list[str], problems: Problems) -> None:
    if name == "deferred" and query.command == ":exec":
        problems.add(
            query.where,
            "@deferred on :exec, which fetches nothing",
            "remove the directive: in a pipeline :exec is only queued",
        )
        return
    problems.add(
        query.where,
        f"@{name} is not for {query.command}",
        f"remove the directive, or use {' or '.join(sorted(able))}",
    )
