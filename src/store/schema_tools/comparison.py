"""The statements that make one schema of another.

`pgmig` finds them. It is not trusted: what it forgets, and a dump shows as a statement
of its own (a comment on a view's column, privileges of a view that is made anew), is
appended, as are rules, statistics and publications, which it does not know. `drafts`
proves it all.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager

from ..errors import MigrationError
from ..migrations import connections
from ..settings import DatabaseSettings
from ..sql import statements
from ..sql.statements import Statement
from . import dumps, scratch
from .dumps import Entries

__all__ = ["FailingError", "way"]

_PRIVILEGES = ("ACL ", "DEFAULT ACL ")
_PRIVILEGE = re.compile(
    r"(?P<default>ALTER DEFAULT PRIVILEGES .*?)?(?P<does>GRANT|REVOKE) "
    r"(?P<what>.*) (?:TO|FROM) (?P<role>.*?)(?: WITH GRANT OPTION)?;"
)
# A relation's first line, and the one with its options.
_RELATION = re.compile(
    r"CREATE (?:UNLOGGED )?((?:TABLE|MATERIALIZED VIEW) .+?)(?: \(| OF .*)?$",
    re.MULTILINE,
)
_OPTIONS = re.compile(r"^WITH \((.*)\)(?: AS|;)$", re.MULTILINE)
_OPTION = re.compile(r"([\w.]+)=('[^']*'|[^',]+)")

# What pgmig refuses to see, by its title in a dump, and how each is dropped.
_UNKNOWN = """
SELECT
    format('RULE %s.%s %s', nspname, relname, rulename) AS title,
    format('DROP RULE %I ON %I.%I', rulename, nspname, relname) AS dropping
FROM pg_rewrite
JOIN pg_class ON pg_class.oid = ev_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE rulename <> '_RETURN' AND nspname NOT IN ('pg_catalog', 'information_schema')
UNION ALL
SELECT
    format('STATISTICS %s.%s', nspname, stxname),
    format('DROP STATISTICS %I.%I', nspname, stxname)
FROM pg_statistic_ext JOIN pg_namespace ON pg_namespace.oid = stxnamespace
UNION ALL
SELECT
    format('PUBLICATION TABLE %s.%s %s', nspname, pubname, relname),
    format('ALTER PUBLICATION %I DROP TABLE ONLY %I.%I', pubname, nspname, relname)
FROM pg_publication_rel
JOIN pg_publication ON pg_publication.oid = prpubid
JOIN pg_class ON pg_class.oid = prrelid
JOIN pg_namespace ON pg_namespace.oid = relnamespace
UNION ALL
SELECT format('PUBLICATION -.%s', pubname), format('DROP PUBLICATION %I', pubname)
FROM pg_publication
"""


_BY_HAND = (
    "write this migration by hand, beginning with `make migrate-new name=what_it_does`"
)


class FailingError(MigrationError):
    """What was found does not run; `statements` has it, for who mends it by hand."""

    def __init__(self, message: str, statements: Sequence[Statement]) -> None:
        super().__init__(message)
        self.statements = tuple(statements)


def way(
    start: DatabaseSettings, end: DatabaseSettings, wanted: Entries
) -> tuple[Statement, ...]:
    """Find the statements from one database's schema to another's, whose dump is known.

    Nobody may be connected to the first.

    Raises:
        FailingError: what pgmig says does not run.
        MigrationError: pgmig knows no way.
    """
    with _known(start) as before, _known(end) as after:
        found = _folded(
            _mended(one)
            for one in statements.split(_compared(before, after))
            # Of privileges it knows a part alone; the dumps tell all.
            if one.kind not in {"GrantStmt", "AlterDefaultPrivilegesStmt"}
        )
    with scratch.database(start, copy_of=start) as copy:
        missed = found
        # What is dropped to be made anew takes its comment with it, so twice.
        for _ in range(2):
            _try(copy, found, missed)
            missed = statements.split(
                _missed(dumps.taken(copy), wanted, _unknown(copy))
            )
            if not missed:
                break
            found += missed
    return tuple(found)


@contextmanager
def _known(settings: DatabaseSettings) -> Generator[DatabaseSettings]:
    """Give the database, or a copy without what pgmig does not know."""
    unknown = _unknown(settings)
    if not unknown:
        yield settings
        return
    with scratch.database(settings, copy_of=settings) as copy:
        dumps.run(copy, unknown.values())
        yield copy


def _unknown(settings: DatabaseSettings) -> Mapping[str, str]:
    with connections.opened(settings) as conn:
        return dict(conn.execute(_UNKNOWN).fetchall())


def _compared(start: DatabaseSettings, end: DatabaseSettings) -> str:
    try:
        pgmig = importlib.import_module("pgmig")
    except ModuleNotFoundError:
        raise MigrationError(
            "this compares schemas with pgmig: pip install pgmig"
        ) from None
    try:
        sql: str = pgmig.generate(
            source=start.database_url_direct.get_secret_value(),
            target=end.database_url_direct.get_secret_value(),
        )
    except pgmig.PgmigError as error:
        raise MigrationError(f"{error}\n{_BY_HAND}") from None
    return sql


def _try(
    settings: DatabaseSettings, found: Sequence[Statement], last: Sequence[Statement]
) -> None:
    try:
        dumps.run(settings, (one.text for one in last))
    except MigrationError as error:
        raise FailingError(
            f"what pgmig drafts does not run ({error}): {_BY_HAND}",
            found,
        ) from None


def _mended(statement: Statement) -> Statement:
    """Let views be filled, as reading one without data fails, and no text be cut off.

    Without a USING, a value that is too long for its column's new type is an error.
    """
    text = statement.text
    if statement.kind == "CreateTableAsStmt":
        text = text.removesuffix(" WITH NO DATA")
    if statement.shortens_text:
        text = text.rpartition(" USING ")[0]
    return statement.with_text(text)


def _folded(found: Iterable[Statement]) -> list[Statement]:
    """Give a new domain its rules where it is made: added later, they lock tables."""
    folded: list[Statement] = []
    for statement in found:
        last = folded[-1] if folded else None
        if last and last.new_domain and last.new_domain == statement.ruled_domain:
            rule = statement.text.partition(" ADD ")[2]
            folded[-1] = last.with_text(f"{last.text}\n    {rule}")
        else:
            folded.append(statement)
    return folded


def _missed(there: Entries, wanted: Entries, droppable: Mapping[str, str]) -> str:
    """Give the statements that one dump has and the other lacks.

    `droppable` has what can be dropped and made anew, with the statement that does it.
    """
    first: list[str] = []
    then: list[str] = []
    for title in {**there, **wanted}:
        has, wants = there.get(title, ""), wanted.get(title, "")
        if has == wants:
            continue
        if title.startswith(_PRIVILEGES):
            lines = [_taken_back(line) for line in _apart(has, wants)]
            first.extend(reversed(lines))
            then.extend(_apart(wants, has))
        elif title.startswith("COMMENT ") and not wants:
            # A rule is gone with its comment.
            if " IS '" in has and not title.startswith("COMMENT public.RULE "):
                then.append(has.partition(" IS '")[0] + " IS NULL;")
        elif not has or title.startswith("COMMENT "):
            then.append(wants)
        elif title in droppable:
            # What was made last goes first: a publication after its tables.
            first.insert(0, f"{droppable[title]};")
            then.append(wants)
        else:
            then.extend(_altered(has, wants))
    return "\n".join(first + then)


def _apart(one: str, other: str) -> list[str]:
    lines = other.splitlines()
    return [line for line in one.splitlines() if line and line not in lines]


def _taken_back(line: str) -> str:
    """Give what undoes a line about privileges."""
    found = _PRIVILEGE.fullmatch(line)
    if not found:
        raise MigrationError(f"no way is known to take this back: {line}")
    does = "REVOKE {} FROM {};" if found["does"] == "GRANT" else "GRANT {} TO {};"
    return (found["default"] or "") + does.format(found["what"], found["role"])


def _altered(has: str, wants: str) -> list[str]:
    """Give what stands behind the statement that makes a thing, and its options."""
    lines = [line for line in _apart(wants, has) if re.match(r"ALTER .*;$", line)]
    if relation := _RELATION.match(wants):
        old, new = _options(has), _options(wants)
        changed = [f"{name}={new[name]}" for name in new if new[name] != old.get(name)]
        gone = [name for name in old if name not in new]
        if changed:
            lines.append(f"ALTER {relation[1]} SET ({', '.join(changed)});")
        if gone:
            lines.append(f"ALTER {relation[1]} RESET ({', '.join(gone)});")
    return lines


def _options(text: str) -> dict[str, str]:
    found = _OPTIONS.search(text)
    return dict(_OPTION.findall(found[1])) if found else {}
