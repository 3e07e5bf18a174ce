"""What is wrong with a plan for a table that grows."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from sqlc_gen_psycopg.command.plans.explaining import Node, Plan, Statement
from sqlc_gen_psycopg.command.plans.settings import Settings


class Finding(NamedTuple):
    """What gets slower: where, what, at which size, and what to do."""

    where: str
    name: str
    kind: str
    told: str
    remedy: str
    size: int = 0

    def __str__(self) -> str:
        at = f" at {self.size:,} rows" if self.size else ""
        return f"{self.where}: {self.name}: {self.kind}{at}: {self.told}; {self.remedy}"


# A row is compared with parameters, as where a list goes on behind one.
_AFTER_A_ROW = re.compile(r"[<>]=? ROW\((COALESCE\()?\$\d")
# For each row of a page some others may be looked up.
_READ_PAGES = 10
# What it costs to fetch a row where each is on another page: random_page_cost. It
# tells what is read of a table though a condition then drops it, which no plan says.
_ROW_COST = 4
_KEPT = {
    "Sort": ("sort", "have an index give this order, or fewer rows"),
    "Hash": ("hash", "have an index find the other side's rows"),
    "Materialize": ("materialize", "have an index find the other side's rows"),
    "Aggregate": ("aggregate", "count or group fewer rows, or keep the result"),
}


def findings(
    statement: Statement, plan: Plan, settings: Settings, size: int
) -> Iterator[Finding]:
    """Yield what is wrong with a query's plan at a size, where a table is large."""
    if not any(_is_large(node, settings, size) for node in plan.nodes):
        return

    def found(kind: str, told: str, remedy: str) -> Finding:
        return Finding(statement.where, statement.name, kind, told, remedy, size)

    for node in plan.nodes:
        for kind, told, remedy in _of_node(node, settings, size):
            yield found(kind, told, remedy)
    if not statement.command.endswith("many"):
        return
    if not any(node.type == "Limit" for node in plan.nodes):
        yield found("no limit", "it returns all rows that there are", "add LIMIT")
    if plan.rows > settings.page:
        yield found("result", f"it returns {_about(plan.rows)}", "return fewer")


def without_statistics(
    statement: Statement, plan: Plan, settings: Settings
) -> Iterator[Finding]:
    """Yield what is wrong with a query's plan for tables that were never analyzed.

    A session that plans it then keeps the plan, however many rows come.
    """
    whole = dict.fromkeys(
        node.relation
        for node in plan.nodes
        if node.type == "Seq Scan"
        and not node.relation.startswith("pg_catalog.")
        and settings.table(node.relation).rows is None
    )
    if whole:
        told = f"until ANALYZE it reads all of {', '.join(whole)}"
        remedy = "look up each row by a subquery of its own"
        where, name = statement.where, statement.name
        yield Finding(where, name, "without statistics", told, remedy)


def _is_large(node: Node, settings: Settings, size: int) -> bool:
    is_ours = not node.relation.startswith("pg_catalog.")
    return bool(node.relation) and is_ours and settings.is_large(node.relation, size)


def _of_node(
    node: Node, settings: Settings, size: int
) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with a node: which kind of thing, what of it, a remedy."""
    if node.relation and not _is_large(node, settings, size):
        return
    name = node.raw.get("Relation Name", "")
    if node.type == "Seq Scan":
        yield "sequential scan", f"it reads all of {name}", "add an index for it"
    elif name and node.type != "ModifyTable":
        read = max(node.rows, node.cost / _ROW_COST)
        if read > _READ_PAGES * settings.page:
            told = f"it reads {_about(read)} of {name}"
            yield "read", told, "have an index serve all its conditions, or add LIMIT"
    if _AFTER_A_ROW.search(node.raw.get("Filter", "")):
        told = f"it reads what comes before the row that is named in {name}"
        yield "passes over", told, "compare rows with coalesce, not beside OR … IS NULL"
    if node.type == "Limit" and _skips(node):
        yield "offset", "it reads what it skips", "begin after a row, by its key"
    if node.type in _KEPT:
        kind, remedy = _KEPT[node.type]
        kept: float = node.raw["Plan Rows"]
        if kept > settings.page and node.raw.get("Strategy") not in ("Plain", "Sorted"):
            yield kind, f"of {_about(kept)}", remedy


def _skips(limit: Node) -> bool:
    """Tell whether a LIMIT has an OFFSET: its rows cost more than they do alone."""
    [inner, *_] = limit.raw["Plans"]
    alone: float = inner["Startup Cost"]
    return bool(limit.raw["Startup Cost"] > alone)


def _about(rows: float) -> str:
    return f"about {round(rows):,} rows"
