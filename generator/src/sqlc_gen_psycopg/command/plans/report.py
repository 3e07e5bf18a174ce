"""All queries of a project at all sizes, what was found, and how it is told."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import psycopg

from sqlc_gen_psycopg.command.plans import explaining, findings, statistics
from sqlc_gen_psycopg.command.plans.explaining import Plan, Statement
from sqlc_gen_psycopg.command.plans.findings import Finding
from sqlc_gen_psycopg.command.plans.settings import Settings
from sqlc_gen_psycopg.command.plans.statistics import Relation
from sqlc_gen_psycopg.command.requests import Part
from sqlc_gen_psycopg.problems import Problems


class Report(NamedTuple):
    """The plans of each query, one for each size, and what was found.

    ``accepted`` counts what has its reason in the settings.
    """

    plans: Mapping[Statement, tuple[Plan, ...]]
    findings: list[Finding]
    accepted: int
    warnings: list[str]


def report(conn: psycopg.Connection, parts: list[Part], settings: Settings) -> Report:
    """Plan a project's queries on tables of all sizes; the database stays as it is."""
    problems = Problems()
    asked = explaining.statements(parts, settings.statements, problems)
    problems.raise_if_any()
    with statistics.emptied(conn) as tables:
        found, plans = examine(conn, tables, asked, settings)
    kept, accepted = judged(found, settings)
    kept += _unknown(tables, settings)
    return Report(plans, kept, accepted, problems.warnings)


def examine(
    conn: psycopg.Connection,
    tables: list[Relation],
    asked: list[Statement],
    settings: Settings,
) -> tuple[list[Finding], dict[Statement, tuple[Plan, ...]]]:
    """Return what is wrong, at its first size, and the plans; within `emptied`."""
    plans: dict[Statement, tuple[Plan, ...]] = dict.fromkeys(asked, ())
    found: dict[tuple[str, str], Finding] = {}
    for name, table in statistics.unindexed_foreign_keys(conn, tables):
        if settings.table(table).rows is None:
            told = f"a row that {table} refers to is deleted by reading all of {table}"
            remedy = "add an index that begins with its columns"
            found[name, ""] = Finding(table, name, "foreign key", told, remedy)
    statistics.forget(conn, tables)
    unanalyzed = [
        finding
        for one in asked
        for finding in findings.without_statistics(
            one, explaining.explained(conn, one, settings.page), settings
        )
    ]
    for size in settings.sizes:
        statistics.scale(conn, tables, settings, size)
        for one in asked:
            plan = explaining.explained(conn, one, settings.page)
            plans[one] += (plan,)
            for finding in findings.findings(one, plan, settings, size):
                found.setdefault((one.name, finding.kind), finding)
    # What reads a table whole in any case is found already.
    for finding in unanalyzed:
        if (finding.name, "sequential scan") not in found:
            found[finding.name, finding.kind] = finding
    return [*found.values()], plans


def judged(found: list[Finding], settings: Settings) -> tuple[list[Finding], int]:
    """Return what is not accepted, with what is accepted in vain; and how many are."""
    there = {(one.name, one.kind) for one in found}
    accepted = {(name, kind) for name, of in settings.accepted.items() for kind in of}
    kept = [one for one in found if (one.name, one.kind) not in accepted]
    kept += [
        Finding(settings.file, name, kind, "accepted, but not found", "remove it there")
        for name, kind in sorted(accepted - there)
    ]
    return kept, len(accepted & there)


def _unknown(tables: list[Relation], settings: Settings) -> Iterator[Finding]:
    """Yield the names in the settings of which the database has no table or column."""
    columns = {one.shown: one.columns for one in tables}
    for name, said in settings.tables.items():
        absent = said.columns.keys() - columns.get(name, said.columns)
        kinds = [f"column {column}" for column in sorted(absent)]
        for kind in ["table"] if name not in columns else kinds:
            told = "there is none with rows of its own"
            yield Finding(settings.file, name, kind, told, "remove it there")


def table(made: Report, sizes: tuple[int, ...]) -> Iterator[str]:
    """Yield the lines of a table: each query's cost and rows at each size."""
    head = ["query", *(f"{size:,} rows" for size in sizes), "by"]
    lines = [head, ["", *["cost → rows"] * len(sizes), ""]]
    for one, plans in made.plans.items():
        figures = [f"{plan.cost:,.0f} → {plan.rows:,.0f}" for plan in plans]
        lines.append([one.name, *figures, plans[-1].paths])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for name, *figures, paths in lines:
        shown = [name.ljust(widths[0])]
        shown += [f.rjust(w) for f, w in zip(figures, widths[1:-1], strict=True)]
        yield "  ".join([*shown, paths]).rstrip()
